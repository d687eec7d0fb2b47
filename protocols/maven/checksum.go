package maven

import (
	"encoding/hex"
	"io"
	"net/http"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// serveFileChecksum answers for the side file of a file.
func serveFileChecksum(w http.ResponseWriter, r *protocols.Request, p *ent.Pkg, l location) error {
	sum, err := checksumOf(r, p, l.version, l.file, l.algorithm)
	if err != nil {
		return err
	}
	protocols.ServeChecksum(w, r, sum)
	return nil
}

// checksumOf is the checksum of a file, or of a checksum: those that projects
// attach to their archives get checksums like any other file.
func checksumOf(r *protocols.Request, p *ent.Pkg, version, file, algorithm string) (string, error) {
	f, err := r.Space.File(r.Context(), p, version, file, "")
	if err == nil {
		return r.Checksum(f.Edges.Blob, algorithm)
	}
	of, inner, ok := protocols.CutChecksum(file)
	if !ok || registry.CodeOf(err) != registry.NotFound {
		return "", err
	}
	text, err := checksumOf(r, p, version, of, inner)
	if err != nil {
		return "", err
	}
	h := protocols.NewChecksum(algorithm)
	io.WriteString(h, text) // a hash takes everything
	return hex.EncodeToString(h.Sum(nil)), nil
}

// compareFile holds an uploaded checksum against the file it is of. Nothing is
// stored. The checksum of a checksum says nothing more.
func compareFile(w http.ResponseWriter, r *protocols.Request, l location) error {
	sum, err := protocols.ReadChecksum(r.Body, l.algorithm)
	if err != nil {
		return err
	}
	p, err := r.Space.AnyPackage(r.Context(), l.name())
	if err != nil {
		return err
	}
	missing := registry.Errorf(registry.NotFound, "there is no %s to compare the checksum with", l.file)
	if p == nil {
		return missing
	}
	file := l.file
	_, _, nested := protocols.CutChecksum(file)
	for of, _, ok := protocols.CutChecksum(file); ok; of, _, ok = protocols.CutChecksum(file) {
		file = of
	}
	f, err := r.Space.File(r.Context(), p, l.version, file, "")
	if registry.CodeOf(err) == registry.NotFound {
		return missing
	}
	if err != nil {
		return err
	}
	if nested {
		return done(w, http.StatusOK)
	}
	stored, err := r.Checksum(f.Edges.Blob, l.algorithm)
	if err != nil {
		return err
	}
	if sum != stored {
		return registry.Errorf(registry.Invalid, "the %s of %s is %s, not %s", l.algorithm, l.file, stored, sum)
	}
	return done(w, http.StatusOK)
}

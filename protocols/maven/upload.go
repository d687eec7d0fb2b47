package maven

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// upload publishes the request's body as a file. The first file of a version
// makes it, most often the jar; the POM, which comes later, describes it. All
// that can be refused is refused before the body is read.
func upload(w http.ResponseWriter, r *protocols.Request, l location) error {
	settings := r.Space.Owner.Settings
	if err := checkVersionPolicy(settings, l.version); err != nil {
		return err
	}
	mode := overwrite(settings, l)
	existing, err := find(r, l)
	if err != nil {
		return err
	}
	if existing != nil && mode == registry.OverwriteNever {
		return alreadyThere(l)
	}
	if err := r.Registry.CheckSize(r.ContentLength); err != nil {
		return err
	}
	pub := publication(l, mode)
	body := io.Reader(r.Body)
	if pub.Files[0].Lead {
		raw, err := readXML(r.Body, r.ContentLength)
		if err != nil {
			return err
		}
		p, err := parsePOM(raw)
		if err != nil {
			return err
		}
		if !p.isEmpty() {
			pub.Facts, pub.Metadata = p.facts(), p.metadata()
			if pub.Redescribe, err = describes(r, l); err != nil {
				return err
			}
		}
		body = bytes.NewReader(raw)
	}
	content, err := r.Registry.Store(r.Context(), body, r.ContentLength, protocols.Checksums)
	if err != nil {
		return err
	}
	pub.Files[0].Content = content
	if _, err := r.Space.Publish(r.Context(), pub); err != nil {
		return err
	}
	return done(w, http.StatusCreated)
}

func alreadyThere(l location) error {
	return registry.Errorf(registry.Conflict, "%s of %s:%s is there already and cannot be deployed again", l.file, l.name(), l.version)
}

// publication is the file as the registry takes it, but for its content.
func publication(l location, mode registry.Overwrite) registry.Publication {
	key, prerelease := sortKey(l.version)
	f := registry.File{Name: l.file, NormalizedName: l.file, Lead: strings.HasSuffix(l.file, ".pom"), MediaType: mediaType(l.file)}
	if mode == registry.OverwriteAlways {
		f.Fragment = replacedAt(time.Now())
	}
	return registry.Publication{
		Name: l.name(), NormalizedName: l.name(),
		Version: l.version, NormalizedVersion: l.version,
		SortKey: key, Prerelease: prerelease,
		Policy: registry.CreateOrAdd, Overwrite: mode,
		Duplicate: l.file + " is there already and cannot be deployed again",
		Files:     []registry.File{f},
	}
}

// replacedAt is the fragment of a file whose path may get other bytes: the
// instant of the last ones, by which clients tell that there are new ones.
func replacedAt(t time.Time) []byte { return []byte(t.UTC().Format(time.RFC3339)) }

// find returns the file if it is there, else nil.
func find(r *protocols.Request, l location) (*ent.PackageFile, error) {
	p, err := r.Space.AnyPackage(r.Context(), l.name())
	if err != nil || p == nil {
		return nil, err
	}
	f, err := r.Space.File(r.Context(), p, l.version, l.file, "")
	if registry.CodeOf(err) == registry.NotFound {
		return nil, nil
	}
	return f, err
}

// describes tells whether a POM says what the version is: the artifact's own
// one does, any other one only as long as that is not there.
func describes(r *protocols.Request, l location) (bool, error) {
	if isMainPOM(l, l.file) {
		return true, nil
	}
	p, err := r.Space.AnyPackage(r.Context(), l.name())
	if err != nil || p == nil {
		return true, err
	}
	files, err := r.Space.FileStates(r.Context(), p, l.version)
	if err != nil {
		return false, err
	}
	for _, f := range files {
		if isMainPOM(l, f.Name) {
			return false, nil
		}
	}
	return true, nil
}

func isMainPOM(l location, file string) bool {
	b, unique := parseBuild(l.artifact, l.version, file)
	return file == l.artifact+"-"+l.version+".pom" || unique && b.suffix == ".pom"
}

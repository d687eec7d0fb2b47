package generic

import (
	"crypto/md5"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// latestAlias stands for the newest version in a path, unless a version of
// that name is stored.
const latestAlias = "latest"

// download sends a file; under the version "latest" it sends the client on to
// the newest one, and beside every file it serves the file's digests.
func download(w http.ResponseWriter, r *protocols.Request) error {
	c, err := parse(r.Params)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), c.nameKey, access.Read)
	if err != nil {
		return err
	}
	f, err := r.Space.File(r.Context(), p, c.versionKey, c.fileKey, "")
	if err == nil {
		return protocols.ServeFile(w, r, f, protocols.FileOptions{
			Redirect:  http.StatusFound,
			Immutable: registry.OverwriteMode(r.Space.Owner.Settings, matches(c.nameKey)) != registry.OverwriteAlways,
		})
	}
	if registry.CodeOf(err) != registry.NotFound {
		return err
	}
	if c.versionKey == latestAlias {
		return redirectToLatest(w, r, p, c)
	}
	return checksumFile(w, r, p, c)
}

// fileInPath is the file that a path names.
func fileInPath(r *protocols.Request) (registry.FilePath, bool) {
	c, err := parse(r.Params)
	return registry.FilePath{Package: c.nameKey, Version: c.versionKey, Name: c.fileKey}, err == nil
}

func redirectToLatest(w http.ResponseWriter, r *protocols.Request, p *ent.Pkg, c coordinates) error {
	if _, err := r.Space.Version(r.Context(), p, latestAlias); err == nil {
		return registry.Errorf(registry.NotFound, "file not found")
	}
	v, err := r.Space.Latest(r.Context(), p)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Location", fileURL(r, p.Name, v.Version, c.file))
	w.WriteHeader(http.StatusFound)
	return nil
}

// checksumFile answers "{file}.sha256" and its kin, in the form that
// sha256sum --check reads.
func checksumFile(w http.ResponseWriter, r *protocols.Request, p *ent.Pkg, c coordinates) error {
	dot := strings.LastIndexByte(c.fileKey, '.')
	if dot < 0 {
		return registry.Errorf(registry.NotFound, "file not found")
	}
	algorithm := c.fileKey[dot+1:]
	if algorithm != "sha256" && algorithm != "sha512" && algorithm != "md5" {
		return registry.Errorf(registry.NotFound, "file not found")
	}
	f, err := r.Space.File(r.Context(), p, c.versionKey, c.fileKey[:dot], "")
	if err != nil {
		return err
	}
	sum, err := digestOf(r, f.Edges.Blob, algorithm)
	if err != nil {
		return err
	}
	body := sum + "  " + f.Name + "\n"
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		io.WriteString(w, body) // the client has it or is gone
	}
	return nil
}

// digestOf is a blob's digest, read from its row or, for content that another
// type uploaded without it, computed from its bytes.
func digestOf(r *protocols.Request, b *ent.PackageBlob, algorithm string) (string, error) {
	var known string
	var h hash.Hash
	switch algorithm {
	case "sha256":
		known = b.Sha256
	case "sha512":
		known, h = b.Sha512, sha512.New()
	case "md5":
		known, h = b.Md5, md5.New()
	}
	if known != "" {
		return known, nil
	}
	body, err := r.Registry.OpenBlob(r.Context(), b)
	if err != nil {
		return "", err
	}
	defer body.Close()
	if _, err := io.Copy(h, body); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// fileURL is where a file can be fetched.
func fileURL(r *protocols.Request, name, version, file string) string {
	return r.Root() + protocols.JoinPath(name, version, file)
}

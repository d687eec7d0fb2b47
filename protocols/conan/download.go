package conan

import (
	"net/http"
	"path"
	"strings"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// mediaTypes are those of the files that have one of their own. Archives are
// not declared as encoded: clients would unpack them on the way.
var mediaTypes = map[string]string{
	".tgz": "application/gzip", ".txz": "application/x-xz", ".tzst": "application/zstd",
	".py": "text/plain", ".txt": "text/plain", ".json": "application/json",
}

func mediaType(name string) string {
	if t, ok := mediaTypes[path.Ext(name)]; ok {
		return t
	}
	return "application/octet-stream"
}

// download sends a file of a revision, be the revision complete or not.
func download(w http.ResponseWriter, r *protocols.Request) error {
	at, err := parsePlace(r.Params)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), at.name, access.Read)
	if err != nil {
		return err
	}
	f, err := r.Space.File(r.Context(), p, at.version, r.Params["path"], at.key())
	if err != nil {
		return err
	}
	f.Name = path.Base(f.Name) // under which it is saved
	if f.Edges.Blob.Sha1 != "" {
		w.Header().Set("X-Checksum-Sha1", f.Edges.Blob.Sha1)
	}
	// The path may get other bytes, and the row does not say since when.
	return protocols.ServeFile(w, r, f, protocols.FileOptions{
		ContentType: mediaType(f.Name), Undated: true, Redirect: http.StatusFound,
	})
}

// withMatrix serves paths of files in version 1, where the word files may have
// matrix parameters behind it: "files;key=value". They are properties of
// artifacts, which are not kept.
func withMatrix(handle func(http.ResponseWriter, *protocols.Request) error) func(http.ResponseWriter, *protocols.Request) error {
	return func(w http.ResponseWriter, r *protocols.Request) error {
		if word, _, _ := strings.Cut(r.Params["files"], ";"); word != "files" {
			return registry.Errorf(registry.NotFound, "there is nothing at this path")
		}
		return handle(w, r)
	}
}

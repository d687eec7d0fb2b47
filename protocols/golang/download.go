package golang

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/mod/module"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// download answers for a file of a version: .info, .mod or .zip. In place of
// the version "latest" may stand and, for .info, the beginning of one.
// https://go.dev/ref/mod#goproxy-protocol
func download(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findModule(r, access.Read)
	if err != nil {
		if path, bad := modulePath(r); bad == nil && registry.CodeOf(err) == registry.NotFound {
			if version, _, ok := cutFile(r.Params["file"]); ok {
				return noVersion(r, path, version)
			}
		}
		return err
	}
	version, kind, ok := cutFile(r.Params["file"])
	if !ok {
		return registry.Errorf(registry.NotFound, "not found: a version has the files .info, .mod and .zip")
	}
	asked := version
	if !isCanonical(version) {
		if version, err = resolve(r, p, version); err != nil {
			return err
		}
	}
	name := version + ".zip"
	if kind == ".mod" {
		name = version + ".mod"
	}
	f, err := r.Space.File(r.Context(), p, version, name, "")
	if registry.CodeOf(err) == registry.NotFound {
		return noVersion(r, p.Name, asked)
	}
	if err != nil {
		return err
	}
	immutable := asked == version
	switch kind {
	case ".info":
		return serveInfo(w, r, version, f, immutable)
	case ".mod":
		return protocols.ServeFile(w, r, f, protocols.FileOptions{
			ContentType: "text/plain; charset=utf-8", Inline: true, Immutable: immutable, Undated: !immutable,
		})
	}
	return protocols.ServeFile(w, r, f, protocols.FileOptions{
		ContentType: "application/zip", Immutable: immutable, Undated: !immutable, Redirect: http.StatusFound,
	})
}

// cutFile takes the name of a file apart. The version is unescaped as module
// paths are.
func cutFile(file string) (version, kind string, ok bool) {
	for _, kind := range []string{".info", ".mod", ".zip"} {
		if escaped, found := strings.CutSuffix(file, kind); found {
			version, err := module.UnescapeVersion(escaped)
			return version, kind, err == nil && version != ""
		}
	}
	return "", "", false
}

// info is what the go command learns of a version first.
type info struct {
	Version string
	Time    time.Time
}

// serveInfo sends a version's .info.
func serveInfo(w http.ResponseWriter, r *protocols.Request, version string, f *ent.PackageFile, immutable bool) error {
	var said fragment
	if err := json.Unmarshal(f.Fragment, &said); err != nil {
		return fmt.Errorf("decode fragment of %s: %w", version, err)
	}
	etag := `"` + f.Edges.Blob.Sha256 + `-info"`
	h := w.Header()
	h.Set("ETag", etag)
	h.Set("Cache-Control", "no-cache")
	if immutable {
		scope := "public"
		if r.Header.Get("Authorization") != "" {
			scope = "private"
		}
		h.Set("Cache-Control", scope+", max-age=31536000, immutable")
	}
	if match := r.Header.Get("If-None-Match"); match != "" && protocols.ETagListed(match, etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	protocols.WriteJSON(w, r.Request, http.StatusOK, info{version, said.Time})
	return nil
}

// remove deletes a version. Its number can then only come back with the bytes
// it had.
func remove(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findModule(r, access.Delete)
	if err != nil {
		return err
	}
	version, err := module.UnescapeVersion(r.Params["file"])
	if err != nil || !isCanonical(version) {
		return registry.Errorf(registry.NotFound, "not found: %s has no version %.200q", p.Name, r.Params["file"])
	}
	if err := r.Space.DeleteVersions(r.Context(), p, []string{version}, nil); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

package rubygems

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// gemExtension ends the names of gem files.
const gemExtension = ".gem"

func ownerKey(id int64) string { return strconv.FormatInt(id, 10) + "/" }

// download sends a gem. A version may come back with other bytes after it was
// yanked, so caches must ask again.
func download(w http.ResponseWriter, r *protocols.Request) error {
	f, err := findFile(r, r.Params["file"])
	if err != nil {
		return err
	}
	return protocols.ServeFile(w, r, f, protocols.FileOptions{Redirect: http.StatusFound})
}

// quickGemspec sends the gemspec of a gem, in the form in which gem reads it
// before it installs.
func quickGemspec(w http.ResponseWriter, r *protocols.Request) error {
	full, ok := strings.CutSuffix(r.Params["file"], ".gemspec.rz")
	if !ok {
		return registry.Errorf(registry.NotFound, "there is nothing at this path")
	}
	f, err := findFile(r, full+gemExtension)
	if err != nil {
		return err
	}
	packed, err := fragmentSpec(f.Fragment)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", binaryType)
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Authorization")
	h.Set("ETag", `"`+f.Edges.Blob.Sha256+`-spec"`)
	http.ServeContent(w, r.Request, "", f.CreatedAt, bytes.NewReader(packed))
	return nil
}

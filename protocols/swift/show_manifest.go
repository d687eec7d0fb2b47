package swift

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"entrepot/protocols"
)

// showManifest sends a manifest of a release (section 4.3 of the
// specification): the one for the version of Swift that is asked for, or the
// one for all, with links to the others. From these alone the client learns of
// them.
func showManifest(w http.ResponseWriter, r *protocols.Request) error {
	p, f, err := findRelease(r, r.Params["version"])
	if err != nil {
		return err
	}
	rec, err := recordOf(f)
	if err != nil {
		return err
	}
	id, version := split(p.Name), f.Edges.Version.NormalizedVersion
	plain := releaseURL(r.Root(), id, version) + "/" + manifestName
	m := rec.Manifests[0]
	if asked := r.URL.Query().Get("swift-version"); asked != "" {
		found := false
		for _, alternate := range rec.Manifests[1:] {
			if swiftPattern.MatchString(asked) && compareSwift(asked, alternate.Swift) == 0 {
				m, found = alternate, true
			}
		}
		if !found {
			w.Header().Set("Location", plain)
			w.Header().Set("Content-Length", "0")
			w.WriteHeader(http.StatusSeeOther)
			return nil
		}
	} else {
		var l links
		for _, alternate := range rec.Manifests[1:] {
			l.add(plain+"?swift-version="+url.QueryEscape(alternate.Swift), "alternate",
				"filename", alternate.fileName(), "swift-tools-version", alternate.Tools)
		}
		if len(l) > 0 {
			w.Header().Set("Link", l.String())
		}
	}
	h := w.Header()
	// A release never changes, and a manifest is a part of it.
	etag := `"` + f.Edges.Blob.Sha256[:32] + "-" + m.Swift + `"`
	scope := "private"
	if r.Anybody(p) && !r.Viewer.SignedIn() {
		scope = "public"
	}
	h.Set("ETag", etag)
	h.Set("Cache-Control", scope+", max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	if protocols.ETagListed(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "text/x-swift")
	h.Set("Content-Disposition", protocols.Attachment(m.fileName()))
	h.Set("Content-Length", strconv.Itoa(len(m.Content)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = strings.NewReader(m.Content).WriteTo(w) // the client has it or is gone
	}
	return nil
}

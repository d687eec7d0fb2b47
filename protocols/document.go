package protocols

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"entrepot/registry"
)

// ServeDocument sends a composed document. A conditional request that still
// holds is answered without composing.
func ServeDocument(w http.ResponseWriter, r *Request, key registry.DocumentKey, contentType string, compose registry.Compose) error {
	plain, compressed := key.ETags()
	h := w.Header()
	h.Set("Vary", "Accept, Accept-Encoding, Authorization")
	h.Set("Cache-Control", "no-cache")
	gzipped := AcceptsGzip(r.Header.Get("Accept-Encoding"))
	etag := plain
	if gzipped {
		etag = compressed
	}
	h.Set("ETag", etag)
	if match := r.Header.Get("If-None-Match"); match != "" && ETagListed(match, etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	d, err := r.Registry.Document(r.Context(), key, compose)
	if err != nil {
		return err
	}
	h.Set("Content-Type", contentType)
	if gzipped {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(d.Gzip)))
		w.WriteHeader(http.StatusOK)
		if r.Method != http.MethodHead {
			w.Write(d.Gzip) // the client has it or is gone
		}
		return nil
	}
	body, err := d.Plain()
	if err != nil {
		return err
	}
	h.Set("Content-Length", strconv.Itoa(d.Size))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		io.Copy(w, body) // the client has it or is gone
	}
	return nil
}

// ETagListed tells whether a list of entity tags holds one, compared weakly
// (RFC 9110, section 13.1.2).
func ETagListed(list, etag string) bool {
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimPrefix(strings.TrimSpace(item), "W/")
		if item == etag || item == "*" {
			return true
		}
	}
	return false
}

// AcceptsGzip tells whether an Accept-Encoding allows gzip (RFC 9110, section
// 12.5.3).
func AcceptsGzip(accept string) bool {
	for item := range strings.SplitSeq(accept, ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(item), ";")
		if coding = strings.TrimSpace(coding); coding != "gzip" && coding != "*" {
			continue
		}
		q := strings.ReplaceAll(params, " ", "")
		return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
	}
	return false
}

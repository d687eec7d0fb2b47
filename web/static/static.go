// Package static serves the built assets of the UI: the style sheet, the scripts and the icons that web/assets/build
// writes beside this file. They are part of the program, and their addresses carry a fingerprint of their bytes, so
// that a browser may keep them for good and still sees a new release at once.
//
// The package imports nothing of the project.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Prefix is the folder of the assets in URLs, with a slash at either end.
const Prefix = "/static/"

//go:embed app.css app.js htmx.js icons.svg logo.svg favicon.svg
var files embed.FS

// asset is one file, ready to be sent.
type asset struct {
	contentType string
	plain       []byte
	fingerprint string
	gzipped     func() []byte // compressed when first asked for
}

var assets = sync.OnceValue(func() map[string]*asset {
	types := map[string]string{
		"css": "text/css; charset=utf-8",
		"js":  "text/javascript; charset=utf-8",
		"svg": "image/svg+xml",
	}
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // embedded: cannot happen in a program that was built
	}
	all := make(map[string]*asset, len(entries))
	for _, entry := range entries {
		name := entry.Name()
		plain, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(plain)
		all[name] = &asset{
			contentType: types[name[strings.LastIndexByte(name, '.')+1:]],
			plain:       plain,
			fingerprint: base64.RawURLEncoding.EncodeToString(sum[:9]),
			gzipped:     sync.OnceValue(func() []byte { return compress(plain) }),
		}
	}
	return all
})

// URL gives the address of an asset with its fingerprint, as "/static/app.css?v=Zk3...". It panics for a name that is
// not there, which the first test to render a page notices.
func URL(name string) string {
	a, ok := assets()[name]
	if !ok {
		panic(fmt.Sprintf("static: no asset %q", name))
	}
	return Prefix + name + "?v=" + a.fingerprint
}

// Handler serves the assets under [Prefix]. A request that carries the current fingerprint is answered as immutable
// for a year; any other must revalidate.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := assets()[strings.TrimPrefix(r.URL.Path, Prefix)]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.contentType)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Vary", "Accept-Encoding")
		if r.URL.Query().Get("v") == a.fingerprint {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		} else {
			h.Set("Cache-Control", "public, no-cache")
		}
		body, etag := a.plain, a.fingerprint
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			body, etag = a.gzipped(), etag+"-gzip"
			h.Set("Content-Encoding", "gzip")
		}
		h.Set("ETag", `"`+etag+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
}

// acceptsGzip reads an Accept-Encoding header (RFC 9110, 12.5.3); only an explicit gzip or * with a weight above zero
// counts.
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, weight, _ := strings.Cut(part, ";")
		coding = strings.TrimSpace(coding)
		if !strings.EqualFold(coding, "gzip") && coding != "*" {
			continue
		}
		q := strings.TrimPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		return q != "0" && q != "0.0" && q != "0.00" && q != "0.000"
	}
	return false
}

func compress(plain []byte) []byte {
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	// Writing to a buffer cannot fail.
	_, _ = w.Write(plain)
	_ = w.Close()
	return buf.Bytes()
}

// Package graphiql serves GraphiQL, the page on which people try the GraphQL
// API. All it needs is embedded; nothing is loaded from another host.
package graphiql

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

//go:generate ./build

//go:embed static
var static embed.FS

// Prefix is where the page and its files are.
const Prefix = "/graphiql"

// contentTypes are written out: what a system says of .js is not to be relied
// on.
var contentTypes = map[string]string{
	"html": "text/html; charset=utf-8",
	"js":   "text/javascript; charset=utf-8",
	"css":  "text/css; charset=utf-8",
}

// Handler serves the page at /graphiql and its files below. Browsers ask
// again each time and get a 304 until the program changes.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.Trim(strings.TrimPrefix(r.URL.Path, Prefix), "/")
		if name == "" {
			name = "index.html"
		}
		body, err := static.ReadFile("static/" + name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		sum := sha256.Sum256(body)
		h := w.Header()
		h.Set("Content-Type", contentTypes[name[strings.LastIndexByte(name, '.')+1:]])
		h.Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Content-Type-Options", "nosniff")
		// The editor sets styles of elements by script, and measures text with
		// style elements of its own; scripts come from here alone.
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "+
			"img-src data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
}

package nuget

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"

	"github.com/klauspost/compress/gzip"

	"entrepot/protocols"
)

// minGzip is the shortest document that is worth packing, in bytes.
const minGzip = 1 << 10

// serveBytes answers with a document that was made for this request, or tells
// that it is the one the client has.
func serveBytes(w http.ResponseWriter, r *protocols.Request, contentType string, body []byte) error {
	sum := sha256.Sum256(body)
	gzipped := len(body) >= minGzip && protocols.AcceptsGzip(r.Header.Get("Accept-Encoding"))
	etag := hex.EncodeToString(sum[:16])
	if gzipped {
		etag += "-gz"
	}
	etag = `"` + etag + `"`
	h := w.Header()
	h.Set("Vary", "Accept-Encoding, Authorization")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", etag)
	if match := r.Header.Get("If-None-Match"); match != "" && protocols.ETagListed(match, etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	if gzipped {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		z.Write(body) // a bytes.Buffer takes everything
		if err := z.Close(); err != nil {
			return err
		}
		h.Set("Content-Encoding", "gzip")
		body = packed.Bytes()
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(body) // the client has it or is gone
	}
	return nil
}

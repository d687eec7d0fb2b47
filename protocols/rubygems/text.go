package rubygems

import (
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"time"

	"entrepot/protocols"
)

// textType is the type of lists, and of whatever is told to people.
const textType = "text/plain; charset=utf-8"

// text is a list that clients read to the end, or only what is new of it.
type text struct {
	body io.ReadSeeker
	// md5 and sha256 are its digests in hexadecimal.
	md5, sha256 string
	modified    time.Time
}

// serveText sends a list. Clients append what they get of a range to what they
// have, and then compare all of it with the entity tag, which has to be the MD5
// of the whole, or, newer ones, with Repr-Digest. It is never compressed: the
// tag would be that of other bytes.
func serveText(w http.ResponseWriter, r *protocols.Request, t text) error {
	h := w.Header()
	h.Set("Content-Type", textType)
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Authorization")
	h.Set("ETag", `"`+t.md5+`"`)
	h.Set("Accept-Ranges", "bytes")
	sum, err := hex.DecodeString(t.sha256)
	if err != nil {
		return err
	}
	h.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum)+":")
	http.ServeContent(w, r.Request, "", t.modified, t.body)
	return nil
}

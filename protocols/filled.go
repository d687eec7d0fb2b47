package protocols

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Marks are bytes that stand in a text for what depends on the request, such
// as the URL by which the client knows the server. The text itself is the same
// for all, and kept once. Control characters serve as marks where the text
// cannot have them otherwise.
type Marks map[byte]string

// Fill returns a writer that writes to w what it is given with the marks
// filled in.
func (m Marks) Fill(w io.Writer) io.Writer {
	return &filler{w, m, string(slices.Sorted(maps.Keys(m)))}
}

type filler struct {
	w     io.Writer
	marks Marks
	set   string
}

// Write returns how much of p it has written, whatever came of it.
func (f *filler) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n := bytes.IndexAny(p, f.set)
		if n < 0 {
			n = len(p)
		}
		if _, err := f.w.Write(p[:n]); err != nil {
			return written, err
		}
		written += n
		if p = p[n:]; len(p) == 0 {
			break
		}
		if _, err := io.WriteString(f.w, f.marks[p[0]]); err != nil {
			return written, err
		}
		written++
		p = p[1:]
	}
	return written, nil
}

// Filled is a text that ServeFilled sends.
type Filled struct {
	// Sha256 tells texts apart, before anything is filled in.
	Sha256      string
	ContentType string
	// Modified is in whole seconds; see ServeIndexObject.
	Modified time.Time
	// Generation is that of the index, 0 for none.
	Generation int64
	// Write writes the text with its marks.
	Write func(io.Writer) error
	Marks Marks
}

// etag is the entity tag of what a client gets.
func (f Filled) etag(zipped bool) string {
	h := sha256.New()
	io.WriteString(h, f.Sha256)
	for _, mark := range slices.Sorted(maps.Keys(f.Marks)) {
		io.WriteString(h, "\x00"+string(rune(mark))+f.Marks[mark])
	}
	tag := hex.EncodeToString(h.Sum(nil))
	if zipped {
		tag += "-gz"
	}
	return `"` + tag + `"`
}

// ServeFilled sends a text with its marks filled in, compressed on the way for
// who takes that. Nothing of it is held in memory, so its length is not told.
// As with ServeIndexObject, a date is compared for equality alone.
func ServeFilled(w http.ResponseWriter, r *Request, f Filled) error {
	zipped := AcceptsGzip(r.Header.Get("Accept-Encoding"))
	etag := f.etag(zipped)
	date := f.Modified.UTC().Format(http.TimeFormat)
	h := w.Header()
	h.Set("Vary", "Host, Accept-Encoding, Authorization")
	h.Set("Cache-Control", cacheControl(r, false))
	h.Set("ETag", etag)
	h.Set("Last-Modified", date)
	if f.Generation != 0 {
		h.Set("X-Index-Generation", strconv.FormatInt(f.Generation, 10))
	}
	match := r.Header.Get("If-None-Match")
	if match != "" && ETagListed(match, etag) || match == "" && r.Header.Get("If-Modified-Since") == date {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", f.ContentType)
	h.Set("X-Content-Type-Options", "nosniff")
	if zipped {
		h.Set("Content-Encoding", "gzip")
	}
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	if err := f.send(w, zipped); err != nil {
		// The head is sent: only breaking off tells the client that this is
		// not all.
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (f Filled) send(w io.Writer, zipped bool) error {
	if !zipped {
		return f.Write(f.Marks.Fill(w))
	}
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if err := f.Write(f.Marks.Fill(z)); err != nil {
		return err
	}
	return z.Close()
}

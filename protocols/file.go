package protocols

import (
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/ent"
)

// FileOptions say how a file is sent.
type FileOptions struct {
	// ContentType is the type; empty means application/octet-stream: uploads
	// are not trusted to render.
	ContentType string
	// Inline leaves the Content-Disposition out.
	Inline bool
	// ETag is the entity tag without quotes; empty means the SHA-256.
	ETag string
	// Undated leaves Last-Modified out: the path can go back to an older file.
	Undated bool
	// Immutable tells that the path will never have other bytes.
	Immutable bool
	// Redirect allows the client to be sent to the store, with this status
	// (302 or 307); 0 forbids it. Files of a type that clients look into, XML,
	// JSON and text, are not redirected in any case.
	Redirect int
}

// ServeFile sends a file whose blob and version are loaded: whole or in
// ranges, only if it changed (RFC 9110, sections 13 and 14), or as a redirect
// to the store. A GET from the first byte on counts as a download.
func ServeFile(w http.ResponseWriter, r *Request, f *ent.PackageFile, opts FileOptions) error {
	blob := f.Edges.Blob
	h := w.Header()
	if opts.ContentType == "" {
		opts.ContentType = "application/octet-stream"
	}
	etag := opts.ETag
	if etag == "" {
		etag = blob.Sha256
	}
	h.Set("Content-Type", opts.ContentType)
	h.Set("ETag", `"`+etag+`"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Cache-Control", cacheControl(r, opts.Immutable))
	h.Set("X-Checksum-Sha256", blob.Sha256)
	if sum, err := hex.DecodeString(blob.Sha256); err == nil {
		h.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum)+":")
	}
	if !opts.Inline {
		h.Set("Content-Disposition", Attachment(f.Name))
	}
	date := modified(f.CreatedAt)
	if opts.Undated {
		date = time.Time{}
	}
	if sent, err := redirect(w, r, f, opts, date); sent || err != nil {
		return err
	}
	if r.Method == http.MethodHead || notModified(r.Request, h.Get("ETag"), date) {
		// No reason to open the file: ServeContent only asks for its size.
		http.ServeContent(w, r.Request, "", date, &sized{size: blob.Size})
		return nil
	}
	body, err := r.Registry.OpenBlob(r.Context(), blob)
	if err != nil {
		return err
	}
	defer body.Close()
	a := &answer{ResponseWriter: w}
	http.ServeContent(a, r.Request, "", date, body)
	if a.isDownload() {
		r.Registry.CountDownload(f)
	}
	return nil
}

// modified is the instant in the seconds HTTP dates have.
func modified(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// notModified tells whether the client's copy is good (RFC 9110, sections
// 13.1.2 and 13.1.3). A date is not asked when there are entity tags.
func notModified(r *http.Request, etag string, date time.Time) bool {
	if tags := r.Header.Get("If-None-Match"); tags != "" {
		return strings.Contains(tags, etag) || strings.TrimSpace(tags) == "*"
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	return err == nil && !date.IsZero() && !date.After(since)
}

// cacheControl lets shared caches keep what everybody may read.
func cacheControl(r *Request, immutable bool) string {
	scope := "private"
	if r.Space != nil && access.Can(access.Viewer{}, access.Read, access.Target{OwnerVisibility: access.Visibility(r.Space.Owner.Visibility)}) && !r.Viewer.SignedIn() {
		scope = "public"
	}
	if immutable {
		return scope + ", max-age=31536000, immutable"
	}
	return scope + ", no-cache"
}

// Attachment is a Content-Disposition that saves under the name (RFC 6266),
// with an ASCII stand-in for old clients and the real name beside it.
func Attachment(name string) string {
	ascii := strings.Map(func(c rune) rune {
		if c < 0x20 || c > 0x7e || c == '"' || c == '\\' || c == '%' {
			return '_'
		}
		return c
	}, name)
	disposition := `attachment; filename="` + ascii + `"`
	if ascii != name {
		disposition += "; filename*=UTF-8''" + escapeExtended(name)
	}
	return disposition
}

// escapeExtended escapes all but attr-char of RFC 8187, section 3.2.1.
func escapeExtended(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$&+-.^_`|~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

// sized is a body that only knows its size, for answers without one.
type sized struct{ size, at int64 }

func (s *sized) Read([]byte) (int, error) { return 0, io.EOF }

func (s *sized) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
		s.at = offset
	case io.SeekCurrent:
		s.at += offset
	case io.SeekEnd:
		s.at = s.size + offset
	}
	return s.at, nil
}

// answer notes how ServeContent answered, to tell downloads from 304s and
// resumed parts. It keeps sendfile: ReadFrom goes to the writer beneath.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// ReadFrom hands the file to the connection.
func (a *answer) ReadFrom(src io.Reader) (int64, error) { return io.Copy(a.ResponseWriter, src) }

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// isDownload tells whether the answer began with the first byte.
func (a *answer) isDownload() bool {
	return a.status == http.StatusOK ||
		a.status == http.StatusPartialContent && strings.HasPrefix(a.Header().Get("Content-Range"), "bytes 0-")
}

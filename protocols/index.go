package protocols

import (
	"net"
	"net/http"
	"strconv"
	"strings"

	"entrepot/registry"
)

// IndexRole is how clients come to a file of a repository-wide index.
type IndexRole int

// The roles.
const (
	// IndexEntry is the document that clients ask first, again and again, and
	// that names the rest. It always shows the present.
	IndexEntry IndexRole = iota
	// IndexSecondary is a file with a name that stays, which must match the
	// entry document that the client got before: a detached signature, a list
	// for clients that do not ask by hash.
	IndexSecondary
)

// ServeIndex sends a file of an index by its path, as the snapshot has it that
// the role leads to. An index or a path that is not there is NotFound.
func ServeIndex(w http.ResponseWriter, r *Request, name registry.IndexName, path string, role IndexRole) error {
	o, err := r.IndexFile(name, role, func(s *registry.Snapshot) (*registry.IndexObject, error) { return s.Object(path) })
	if err != nil {
		return err
	}
	return ServeIndexObject(w, r, o, false)
}

// IndexFile finds a file of an index in the state that the role leads to. One
// that this state lacks cannot have been named by the entry document that the
// client got: it is looked for in the present state.
func (r *Request) IndexFile(name registry.IndexName, role IndexRole, find func(*registry.Snapshot) (*registry.IndexObject, error)) (*registry.IndexObject, error) {
	snapshot, err := r.Snapshot(name, role)
	if err != nil {
		return nil, err
	}
	o, err := find(snapshot)
	if role != IndexSecondary || registry.CodeOf(err) != registry.NotFound {
		return o, err
	}
	if snapshot, err = r.Space.Index(r.Context(), name); err != nil {
		return nil, err
	}
	return find(snapshot)
}

// Snapshot is the state of an index that the role leads to, for handlers that
// choose among its objects.
func (r *Request) Snapshot(name registry.IndexName, role IndexRole) (*registry.Snapshot, error) {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	client := registry.IndexClient(address, r.UserAgent(), r.Header.Get("Authorization"))
	if role == IndexSecondary {
		return r.Space.IndexSecondary(r.Context(), name, client)
	}
	return r.Space.IndexEntry(r.Context(), name, client)
}

// ServeIndexByHash sends a file of an index, also one of a state that has been
// replaced, by its SHA-256 in hexadecimal. folder is where its path lies, with
// a final slash, or "".
func ServeIndexByHash(w http.ResponseWriter, r *Request, name registry.IndexName, folder, sha256 string) error {
	o, err := r.Space.IndexByHash(r.Context(), name, folder, sha256)
	if err != nil {
		return err
	}
	return ServeIndexObject(w, r, o, true)
}

// ServeIndexObject sends a file of an index: whole or in ranges, only if the
// client has another. Immutable objects are those named by their digest.
//
// A date is compared for equality alone (RFC 9110, section 13.1.3 allows it):
// it is that of a snapshot, which clients must not take for a later one when a
// clock was set back. The bytes are sent as they are, never under another
// Content-Encoding: clients check digests of files that end in .gz.
func ServeIndexObject(w http.ResponseWriter, r *Request, o *registry.IndexObject, immutable bool) error {
	h := w.Header()
	h.Set("Content-Type", o.ContentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("ETag", `"`+o.Sha256+`"`)
	if immutable {
		h.Set("Cache-Control", cacheControl(r, true))
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	if o.Generation != 0 {
		h.Set("X-Index-Generation", strconv.FormatInt(o.Generation, 10))
	}
	if !o.Modified.IsZero() {
		date := o.Modified.UTC().Format(http.TimeFormat)
		h.Set("Last-Modified", date)
		if r.Header.Get("If-None-Match") == "" && r.Header.Get("If-Modified-Since") == date {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	// ServeContent would answer 304 to any later date; it is not shown one.
	// If-Range with a date is compared here for the same reason.
	plain := r.Request
	for _, name := range []string{"If-Modified-Since", "If-Unmodified-Since"} {
		if plain.Header.Get(name) != "" {
			plain = withoutHeader(plain, name)
		}
	}
	if since := plain.Header.Get("If-Range"); since != "" && !strings.HasPrefix(since, `"`) {
		if since != h.Get("Last-Modified") {
			plain = withoutHeader(plain, "Range")
		}
		plain = withoutHeader(plain, "If-Range")
	}
	http.ServeContent(&dated{w, h.Get("Last-Modified")}, plain, "", o.Modified, o.Open(r.Context()))
	return nil
}

// ServePackedIndex is ServeIndexObject for a form of the object that is made
// when it is asked for. Who has it already is told so before.
func ServePackedIndex(w http.ResponseWriter, r *Request, o *registry.IndexObject, form registry.Packing, contentType string) error {
	if form == registry.Unpacked {
		return ServeIndexObject(w, r, o, false)
	}
	known := *o
	known.Sha256, known.ContentType = o.PackedAs(form), contentType
	match := r.Header.Get("If-None-Match")
	if ETagListed(match, `"`+known.Sha256+`"`) || match == "" && r.Header.Get("If-Modified-Since") == o.Modified.UTC().Format(http.TimeFormat) {
		return ServeIndexObject(w, r, &known, false)
	}
	packed, err := r.Registry.PackIndexObject(r.Context(), o, form, contentType)
	if err != nil {
		return err
	}
	return ServeIndexObject(w, r, packed, false)
}

// dated keeps the date on the refusal of a range, where ServeContent drops it:
// apt asks for the rest of a file that it has whole, dates the file by this
// answer and compares that date from then on.
type dated struct {
	http.ResponseWriter
	modified string
}

func (d *dated) WriteHeader(status int) {
	if status == http.StatusRequestedRangeNotSatisfiable && d.modified != "" {
		d.Header().Set("Last-Modified", d.modified)
	}
	d.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (d *dated) Unwrap() http.ResponseWriter { return d.ResponseWriter }

// withoutHeader is the request without one of its headers.
func withoutHeader(r *http.Request, name string) *http.Request {
	clone := r.Clone(r.Context())
	clone.Header.Del(name)
	return clone
}

// OpenPGPKeys sends the keys that sign the indexes of the space: armored, or
// else in the binary form.
func OpenPGPKeys(w http.ResponseWriter, r *Request, fileName string, armored bool) error {
	keys, err := r.Space.Keys(r.Context())
	if err != nil {
		return err
	}
	body := registry.Binary(keys)
	if armored {
		if body, err = registry.Armored(keys); err != nil {
			return err
		}
	}
	h := w.Header()
	h.Set("Content-Type", "application/pgp-keys")
	h.Set("Content-Disposition", Attachment(fileName))
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(body) // the client has it or is gone
	}
	return nil
}

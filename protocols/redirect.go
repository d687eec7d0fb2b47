package protocols

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"entrepot/auth"
	"entrepot/ent"
	"entrepot/registry"
	"entrepot/storage"
)

// redirect sends the client to the store for a file, if policy and request
// allow it, and tells whether it did. HEAD is answered here, since links are
// for GET alone, and so is every condition that is about our entity tags.
func redirect(w http.ResponseWriter, r *Request, f *ent.PackageFile, opts FileOptions, date time.Time) (bool, error) {
	h := w.Header()
	if opts.Redirect == 0 || r.Method != http.MethodGet || isDocument(opts.ContentType) || notModified(r.Request, h.Get("ETag"), date) {
		return false, nil
	}
	for _, condition := range []string{"If-Match", "If-Unmodified-Since", "If-Range"} {
		if r.Header.Get(condition) != "" {
			return false, nil
		}
	}
	start, length := selected(r.Header.Get("Range"), f.Edges.Blob.Size)
	link, err := r.Registry.Redirect(r.Context(), registry.Download{
		File: f, Length: length,
		Client: registry.Client{Agent: r.UserAgent(), Address: auth.ClaimedAddress(r.Request), Secure: strings.HasPrefix(r.BaseURL, "https:")},
		Link:   storage.LinkOptions{ContentType: opts.ContentType, Disposition: h.Get("Content-Disposition")},
	})
	if errors.Is(err, storage.ErrNoLink) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if start == 0 {
		r.Registry.CountDownload(f)
	}
	// The answer is the redirect, not the file.
	for _, name := range []string{"Content-Type", "ETag", "Content-Disposition", "Repr-Digest", "X-Checksum-Md5", "X-Checksum-Sha1", "X-Checksum-Sha256", "X-Checksum-Sha512", "Content-Security-Policy"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Location", link)
	w.WriteHeader(opts.Redirect)
	return true, nil
}

// isDocument tells whether clients look into files of the type, and so at its
// type and other headers: a store does not send them as we do.
func isDocument(contentType string) bool {
	contentType, _, _ = strings.Cut(strings.ToLower(contentType), ";")
	return strings.HasPrefix(contentType, "text/") || strings.HasSuffix(contentType, "json") || strings.HasSuffix(contentType, "xml")
}

// selected is the part of a file of that size which a Range header asks for
// (RFC 9110, section 14.2); without one all of it. Anything but a single range
// within the file has length 0.
func selected(header string, size int64) (start, length int64) {
	if header == "" {
		return 0, size
	}
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok || !dash {
		return 0, 0
	}
	end := size - 1
	if last != "" {
		n, err := strconv.ParseUint(last, 10, 63)
		if err != nil {
			return 0, 0
		}
		if first == "" { // the last n bytes
			return size - min(int64(n), size), min(int64(n), size)
		}
		end = min(end, int64(n))
	}
	n, err := strconv.ParseUint(first, 10, 63)
	if err != nil || int64(n) > end {
		return 0, 0
	}
	return int64(n), end - int64(n) + 1
}

package graph

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"entrepot/auth"
	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/graph/scalar"
	"entrepot/registry"
	"entrepot/storage"
)

// FilesPrefix is where Files is mounted.
const FilesPrefix = "/-/files/"

// fileURL is where a file is downloaded.
func (a *API) fileURL(ctx context.Context, f *ent.PackageFile) string {
	return a.opts.BaseURL(ctx) + FilesPrefix + scalar.FormatID(f.ID) + "/" + url.PathEscape(path.Base(f.Name))
}

// Files serves the addresses that PackageFile.url gives. Other than the
// addresses of the package types it works with a browser's session, which the
// server has put into the request's context as the viewer: it changes nothing,
// so another site's page gains nothing by linking to it. What is hidden is not
// found.
func (a *API) Files() http.Handler { return http.HandlerFunc(a.serveFile) }

func (a *API) serveFile(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	f, err := a.findFile(r)
	if err == nil {
		err = a.sendFile(w, r, f)
	}
	switch {
	case err == nil:
	case ent.IsNotFound(err), registry.CodeOf(err) == registry.Invalid:
		http.Error(w, "file not found", http.StatusNotFound)
	case registry.CodeOf(err) == registry.Unavailable:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	default:
		a.log.ErrorContext(r.Context(), "file download failed", "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
	}
}

// findFile returns the file an address names, with its blob and version. The
// name at the end must be the file's own: an id alone is easily guessed.
func (a *API) findFile(r *http.Request) (*ent.PackageFile, error) {
	text, name, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), FilesPrefix), "/")
	id, err := scalar.ParseID(text)
	if err != nil {
		return nil, err
	}
	f, err := a.client().PackageFile.Query().Where(packagefile.ID(id)).WithBlob().WithVersion().Only(r.Context())
	if err != nil {
		return nil, err
	}
	if name, err := url.PathUnescape(name); err != nil || name != path.Base(f.Name) || f.Edges.Blob == nil {
		return nil, registry.Errorf(registry.Invalid, "not the file's name")
	}
	return f, nil
}

func (a *API) sendFile(w http.ResponseWriter, r *http.Request, f *ent.PackageFile) error {
	blob := f.Edges.Blob
	disposition := mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(f.Name)})
	whole := r.Method == http.MethodGet && r.Header.Get("Range") == "" &&
		r.Header.Get("If-None-Match") == "" && r.Header.Get("If-Modified-Since") == ""
	w.Header().Set("Cache-Control", "private, no-cache")
	if whole {
		link, err := a.opts.Registry.Redirect(r.Context(), registry.Download{
			File: f, Length: blob.Size,
			Client: registry.Client{Agent: r.UserAgent(), Address: auth.ClaimedAddress(r), Secure: strings.HasPrefix(a.opts.BaseURL(r.Context()), "https:")},
			Link:   storage.LinkOptions{ContentType: "application/octet-stream", Disposition: disposition},
		})
		if err == nil {
			a.opts.Registry.CountDownload(f)
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("Location", link)
			w.WriteHeader(http.StatusFound)
			return nil
		}
		if !errors.Is(err, storage.ErrNoLink) {
			return err
		}
	}
	body, err := a.opts.Registry.OpenBlob(r.Context(), blob)
	if err != nil {
		return err
	}
	defer body.Close()
	h := w.Header()
	// What was uploaded is not trusted to render on this origin.
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", disposition)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("ETag", `"`+blob.Sha256+`"`)
	http.ServeContent(w, r, "", f.CreatedAt.Truncate(time.Second), body)
	if whole {
		a.opts.Registry.CountDownload(f)
	}
	return nil
}

package container

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/opencontainers/go-digest"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/storage"
)

// startUpload begins a session
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs).
// With a digest the body is the whole blob; with mount it is taken from where
// the viewer can read it, and if that fails a session is begun as if nothing
// had been asked.
func startUpload(w http.ResponseWriter, r *request) error {
	if err := r.mayPush(); err != nil {
		return err
	}
	query := r.URL.Query()
	if query.Has("mount") {
		mounted, err := mount(w, r, query)
		if mounted || err != nil {
			return err
		}
	}
	want, err := announcedAlgorithm(query)
	if err != nil {
		return err
	}
	if d := digest.Digest(query.Get("digest")); d != "" && (r.ContentLength != 0 || d == d.Algorithm().FromBytes(nil)) {
		return uploadAtOnce(w, r, d)
	}
	if err := r.Registry.CheckSize(r.ContentLength); err != nil {
		return err
	}
	u, err := r.Space.BeginUpload(r.Context(), r.image, want)
	if err != nil {
		return err
	}
	describe(w, r, u)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// announcedAlgorithm is what a client says of the digest it will ask for.
func announcedAlgorithm(query url.Values) (storage.Algorithm, error) {
	if text := query.Get("digest"); text != "" {
		d, err := parseDigest(text)
		return algorithm(d), err
	}
	switch name := query.Get("digest-algorithm"); name {
	case "", "sha256":
		return storage.SHA256, nil
	case "sha512":
		return storage.SHA512, nil
	default:
		return 0, fault(http.StatusBadRequest, digestInvalid, "there is no digest algorithm %q here; use sha256 or sha512", name)
	}
}

// uploadAtOnce stores a blob that comes with the first request.
func uploadAtOnce(w http.ResponseWriter, r *request, d digest.Digest) error {
	content, err := r.Registry.Store(r.Context(), r.Body, r.ContentLength, algorithm(d))
	if err != nil {
		return uploadError(err)
	}
	p, err := r.blobPublication(d, content)
	if err != nil {
		r.Registry.Discard(r.Context(), content)
		return err
	}
	if _, err := r.Space.Publish(r.Context(), p); err != nil {
		return uploadError(err)
	}
	return created(w, r, "blobs", d)
}

// blobPublication puts a blob into the repository, if it is the one the client
// means.
func (r *request) blobPublication(d digest.Digest, c *registry.Stored) (registry.Publication, error) {
	if got := sumOf(c.Sums, d); got != d {
		return registry.Publication{}, fault(http.StatusBadRequest, digestInvalid, "the blob is %s, not %s", got, d)
	}
	return r.inBlobs(registry.File{Name: d.String(), NormalizedName: d.String(), Content: c}), nil
}

// inBlobs publishes a file among the repository's blobs.
func (r *request) inBlobs(f registry.File) registry.Publication {
	return registry.Publication{
		Name: r.image, NormalizedName: r.image,
		Version: blobsVersion, NormalizedVersion: blobsVersion, Internal: true,
		Policy: registry.CreateOrAdd, Overwrite: registry.OverwriteIdentical,
		Files: []registry.File{f},
	}
}

// appendUpload adds a chunk. Without Content-Range it goes to the end.
func appendUpload(w http.ResponseWriter, r *request) error {
	u, err := r.session()
	if err != nil {
		return err
	}
	c, err := chunkOf(r.Request.Request)
	if err != nil {
		return err
	}
	after, err := r.Space.AppendUpload(r.Context(), u, c)
	if err != nil {
		return refused(w, r, u, err)
	}
	describe(w, r, after)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// finishUpload closes a session, with the last chunk or without one.
func finishUpload(w http.ResponseWriter, r *request) error {
	u, err := r.session()
	if err != nil {
		return err
	}
	d, err := parseDigest(r.URL.Query().Get("digest"))
	if err != nil {
		return err
	}
	c, err := chunkOf(r.Request.Request)
	if err != nil {
		return err
	}
	_, err = r.Space.FinishUpload(r.Context(), u, c, algorithm(d), func(content *registry.Stored) (registry.Publication, error) {
		return r.blobPublication(d, content)
	})
	if err != nil {
		return refused(w, r, u, err)
	}
	return created(w, r, "blobs", d)
}

// uploadStatus tells how far a session is.
func uploadStatus(w http.ResponseWriter, r *request) error {
	u, err := r.session()
	if err != nil {
		return err
	}
	describe(w, r, u)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// cancelUpload gives a session up.
func cancelUpload(w http.ResponseWriter, r *request) error {
	u, err := r.session()
	if err != nil {
		return err
	}
	if err := r.Space.CancelUpload(r.Context(), u); err != nil {
		return uploadError(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// session finds the session of the path.
func (r *request) session() (*ent.BlobUpload, error) {
	if err := r.mayPush(); err != nil {
		return nil, err
	}
	u, err := r.Space.Upload(r.Context(), r.image, r.Params["session"])
	return u, uploadError(err)
}

// describe tells where a session goes on and how far it is. The last byte is
// counted: ten bytes are 0-9. A session without any is 0-0 all the same, since
// clients need the header.
func describe(w http.ResponseWriter, r *request, u *ent.BlobUpload) {
	h := w.Header()
	h.Set("Location", r.location("blobs", "uploads", u.Session))
	h.Set("Range", "0-"+strconv.FormatInt(max(u.Received-1, 0), 10))
	h.Set("Docker-Upload-UUID", u.Session)
}

// created answers for a blob or manifest that is in place.
func created(w http.ResponseWriter, r *request, kind string, d digest.Digest) error {
	h := w.Header()
	h.Set("Location", r.location(kind, d.String()))
	h.Set(digestHeader, d.String())
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}

// refused tells why a chunk was not taken; the client learns from where to go
// on.
func refused(w http.ResponseWriter, r *request, u *ent.BlobUpload, err error) error {
	if registry.CodeOf(err) == registry.Precondition {
		describe(w, r, u)
	}
	return uploadError(err)
}

// uploadError puts errors of uploads into the specification's terms.
func uploadError(err error) error {
	if _, said := errors.AsType[*protocols.StatusError](err); said {
		return err
	}
	switch registry.CodeOf(err) {
	case registry.NotFound:
		return fault(http.StatusNotFound, blobUploadUnknown, "%v", err)
	case registry.Precondition:
		return fault(http.StatusRequestedRangeNotSatisfiable, blobUploadInvalid, "%v", err)
	case registry.Conflict:
		return fault(http.StatusConflict, blobUploadInvalid, "%v", err)
	case registry.Mismatch:
		return fault(http.StatusBadRequest, sizeInvalid, "%v", err)
	case registry.Invalid:
		return fault(http.StatusBadRequest, blobUploadInvalid, "%v", err)
	}
	return err
}

package container

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/opencontainers/go-digest"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/registry"
	"entrepot/storage"
)

// mount puts a blob that is stored already into the repository, without moving
// a byte
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#mounting-a-blob-from-another-repository).
// It reports false when there is none that the caller can read: the answer
// must not tell whether others have it.
func mount(w http.ResponseWriter, r *request, query url.Values) (bool, error) {
	d, err := parseDigest(query.Get("mount"))
	if err != nil {
		return false, err
	}
	b, err := r.readableBlob(d, query.Get("from"))
	if err != nil || b == nil {
		return false, err
	}
	p := r.inBlobs(registry.File{Name: d.String(), NormalizedName: d.String(), Blob: b})
	if _, err := r.Space.Publish(r.Context(), p); err != nil {
		if registry.CodeOf(err) == registry.Conflict {
			return false, nil // it is just being removed
		}
		return false, err
	}
	return true, created(w, r, "blobs", d)
}

// readableBlob finds a blob in this repository, in the one that the client
// names, or in any that the caller can read; nil when there is none.
func (r *request) readableBlob(d digest.Digest, from string) (*ent.PackageBlob, error) {
	b, err := heldBlob(r.Context(), r.Registry, r.OwnerName, r.image, d)
	if b != nil || err != nil {
		return b, err
	}
	ctx := r.Context()
	if owner, image, ok := strings.Cut(from, "/"); ok && checkName(r.Host, owner, image) == nil {
		if !r.caller.bearer || r.caller.grants.Allow("repository", repositoryName(owner, image), "pull") {
			if b, err := heldBlob(ctx, r.Registry, owner, image, d); b != nil || err != nil {
				return b, err
			}
		}
	}
	if r.caller.bearer {
		// The token speaks for its user only where it says so; elsewhere it
		// reads what anybody may.
		if !r.caller.anonymousRead {
			return nil, nil
		}
		ctx = access.NewContext(ctx, access.Viewer{})
	}
	sums := storage.Sums{SHA256: d.Encoded()}
	if isSHA512(d) {
		sums = storage.Sums{SHA512: d.Encoded()}
	}
	b, err = r.Registry.Held(ctx, typeName, sums)
	return b, unlessRefused(err)
}

// heldBlob finds a blob in a repository that the viewer in the context can
// read; nil when there is none.
func heldBlob(ctx context.Context, reg *registry.Registry, owner, image string, d digest.Digest) (*ent.PackageBlob, error) {
	s, p, err := enter(ctx, reg, owner, image, access.Read)
	if err != nil || p == nil {
		return nil, unlessRefused(err)
	}
	f, err := s.File(ctx, p, blobsVersion, d.String(), "")
	if err != nil {
		return nil, unlessRefused(err)
	}
	return f.Edges.Blob, nil
}

// unlessRefused drops errors that only say that there is nothing for the
// caller.
func unlessRefused(err error) error {
	if registry.CodeOf(err) != "" {
		return nil
	}
	return err
}

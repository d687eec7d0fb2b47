package container

import (
	"net/http"

	"github.com/opencontainers/go-digest"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// digestHeader tells the digest of what is sent or was stored.
const digestHeader = "Docker-Content-Digest"

// getBlob sends a blob, whole or in ranges, or sends the client to the store
// for it
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-blobs).
func getBlob(w http.ResponseWriter, r *request) error {
	d, err := parseDigest(r.Params["digest"])
	if err != nil {
		return err
	}
	p, err := r.repository(access.Read)
	if err != nil {
		return err
	}
	f, err := r.blob(p, d)
	if err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		r.Registry.Wanted(f) // who is about to push asks what is there
	}
	w.Header().Set(digestHeader, d.String())
	return protocols.ServeFile(w, r.Request, f, protocols.FileOptions{
		Inline: true, ETag: d.String(), Immutable: true, Redirect: http.StatusTemporaryRedirect,
	})
}

// blobKey is the blob that a path names.
func blobKey(r *protocols.Request) (registry.FilePath, bool) {
	image := r.Params["image"]
	d, err := parseDigest(r.Params["digest"])
	if err != nil || checkName(r.Host, r.OwnerName, image) != nil {
		return registry.FilePath{}, false
	}
	return registry.FilePath{Package: image, Version: blobsVersion, Name: d.String()}, true
}

// blob finds a blob of the repository.
func (r *request) blob(p *ent.Pkg, d digest.Digest) (*ent.PackageFile, error) {
	f, err := r.Space.File(r.Context(), p, blobsVersion, d.String(), "")
	if registry.CodeOf(err) == registry.NotFound {
		return nil, fault(http.StatusNotFound, blobUnknown, "the repository has no blob %s", d)
	}
	return f, err
}

// deleteBlob takes a blob out of the repository, unless a manifest needs it
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#deleting-blobs).
func deleteBlob(w http.ResponseWriter, r *request) error {
	d, err := parseDigest(r.Params["digest"])
	if err != nil {
		return err
	}
	p, err := r.repository(access.Delete)
	if err != nil {
		return err
	}
	f, err := r.blob(p, d)
	if err != nil {
		return err
	}
	return deleted(w, r.Space.DeleteFile(r.Context(), p, f), blobUnknown)
}

// deleted answers a deletion; unknown is the code for what was gone already.
func deleted(w http.ResponseWriter, err error, unknown registry.Code) error {
	switch registry.CodeOf(err) {
	case registry.Conflict:
		return fault(http.StatusMethodNotAllowed, denied, "%v", err)
	case registry.NotFound:
		return fault(http.StatusNotFound, unknown, "%v", err)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusAccepted)
	return nil
}

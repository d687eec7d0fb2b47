// Package container is the package type for container images and all else
// that travels through an OCI registry: Helm charts, signatures, SBOMs, any
// file as an artifact. It follows the distribution specification 1.1
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md)
// and the token scheme of Docker's clients.
//
// A repository is a package, a manifest a version that is named by its digest,
// and a tag a movable name for it. Layers and configurations are files of one
// internal version (blobsVersion), named by their digests: they are there
// before the first manifest, and the package shows only once it has one.
// Everything is stored and served as the bytes that came.
//
// The clients dictate the URLs. Handler (handler.go) serves /v2/: it finds out
// who calls (caller.go), takes the path apart and enters the same gate, routes
// and error path as every other type.
package container

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

const (
	// typeName is the type in the database and in the API.
	typeName = "container"
	// blobsVersion holds the repository's blobs. No tag and no digest can have
	// this name.
	blobsVersion = ":blobs"
	// manifestFile is the name of a version's manifest.
	manifestFile = "manifest.json"
)

// The properties of a version.
const (
	// subjectProperty is the digest of the manifest that this one is about.
	subjectProperty = "container.subject"
	// childProperty is the digest of a manifest, or blob, of an index.
	childProperty = "container.child"
	// artifactTypeProperty is what kind of artifact a manifest with a subject
	// is: its artifact type or that of its configuration.
	artifactTypeProperty = "container.artifacttype"
	// blobProperty is the digest of an image's layer or configuration.
	blobProperty = "container.blob"
)

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:       typeName,
			Title:      "Container",
			References: []string{childProperty, blobProperty},
			Referrals:  &referrals,
			CopyName: func(owner, name string) (string, error) {
				return name, checkName("", owner, name)
			},
			OrderedByTime: true,
			Counts:        registry.CountTags,
			CheckTag:      checkTag,
			TagStays:      immutableTags,
			Instructions:  instructions,
			Facts:         facts,
		},
		OwnPaths: true,
		Dialect:  dialect{},
		Routes: []protocols.Route{
			// Below /v2 itself.
			{Method: http.MethodGet, Pattern: "", Open: true, Handle: ping},
			{Method: http.MethodGet, Pattern: "token", Open: true, Handle: getToken},
			{Method: http.MethodPost, Pattern: "token", Open: true, Handle: postToken},
			{Method: http.MethodGet, Pattern: "_catalog", Open: true, Handle: listCatalog},
			// Below /v2/{owner}.
			route(http.MethodPost, "{image...}/blobs/uploads", access.Write, startUpload),
			route(http.MethodGet, "{image...}/blobs/uploads/{session}", access.Write, uploadStatus),
			route(http.MethodPatch, "{image...}/blobs/uploads/{session}", access.Write, appendUpload),
			route(http.MethodPut, "{image...}/blobs/uploads/{session}", access.Write, finishUpload),
			route(http.MethodDelete, "{image...}/blobs/uploads/{session}", access.Write, cancelUpload),
			about(blobKey, route(http.MethodGet, "{image...}/blobs/{digest}", access.Read, getBlob)),
			route(http.MethodDelete, "{image...}/blobs/{digest}", access.Delete, deleteBlob),
			about(manifestKey, route(http.MethodGet, "{image...}/manifests/{reference}", access.Read, getManifest)),
			route(http.MethodPut, "{image...}/manifests/{reference}", access.Write, putManifest),
			route(http.MethodDelete, "{image...}/manifests/{reference}", access.Delete, deleteManifest),
			route(http.MethodGet, "{image...}/tags/list", access.Read, listTags),
			route(http.MethodGet, "{image...}/referrers/{digest}", access.Read, listReferrers),
		},
	}
}

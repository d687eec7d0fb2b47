package container

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/schema"
	"entrepot/protocols"
	"entrepot/registry"
)

// maxTagParameters is how many tags one manifest is pushed with at once.
const maxTagParameters = 100

// getManifest sends a manifest as it was stored, under the type it was stored
// with, whatever the client says it accepts
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests).
// It never redirects: a store would answer with another type, and clients
// choose the format by it.
func getManifest(w http.ResponseWriter, r *request) error {
	reference := r.Params["reference"]
	p, err := r.Space.Package(r.Context(), r.image, access.Read)
	if err != nil {
		return err
	}
	f, err := r.lookUpManifest(p, reference)
	if err != nil {
		return err
	}
	d := f.Edges.Version.NormalizedVersion
	w.Header().Set(digestHeader, d)
	byDigest := isDigest(reference)
	return protocols.ServeFile(w, r.Request, f, protocols.FileOptions{
		ContentType: f.MediaType, Inline: true, ETag: d, Immutable: byDigest, Undated: !byDigest,
	})
}

// manifestKey is the manifest that a path names.
func manifestKey(r *protocols.Request) (registry.FilePath, bool) {
	image, reference := r.Params["image"], r.Params["reference"]
	key := registry.FilePath{Package: image, Name: manifestFile}
	var err error
	if isDigest(reference) {
		key.Version = reference
		_, err = parseDigest(reference)
	} else {
		key.Tag = reference
		err = checkTag(reference)
	}
	return key, err == nil && checkName(r.Host, r.OwnerName, image) == nil
}

// lookUpManifest finds the manifest that a digest or a tag names.
func (r *request) lookUpManifest(p *ent.Pkg, reference string) (f *ent.PackageFile, err error) {
	if isDigest(reference) {
		d, err := parseDigest(reference)
		if err != nil {
			return nil, err
		}
		f, err = r.Space.File(r.Context(), p, d.String(), manifestFile, "")
		return f, r.orNoManifest(err, reference)
	}
	f, err = r.Space.TaggedFile(r.Context(), p, reference, manifestFile, "")
	return f, r.orNoManifest(err, reference)
}

// orNoManifest says in the clients' words that there is no such manifest.
func (r *request) orNoManifest(err error, reference string) error {
	if registry.CodeOf(err) == registry.NotFound {
		return r.noManifest(reference)
	}
	return err
}

func (r *request) noManifest(reference string) error {
	return fault(http.StatusNotFound, manifestUnknown, "the repository has no manifest %q", reference)
}

// putManifest stores a manifest and points tags at it
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests).
func putManifest(w http.ResponseWriter, r *request) error {
	if err := r.mayPush(); err != nil {
		return err
	}
	want, tags, err := r.pushedAs()
	if err != nil {
		return err
	}
	body, err := readManifest(r.Request.Request)
	if err != nil {
		return err
	}
	m, err := parseManifest(body, r.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	content, err := r.Registry.Store(r.Context(), bytes.NewReader(body), int64(len(body)), algorithm(want))
	if err != nil {
		return err
	}
	d := sumOf(content.Sums, want)
	if want != "" && d != want {
		r.Registry.Discard(r.Context(), content)
		return fault(http.StatusBadRequest, digestInvalid, "the manifest is %s, not %s", d, want)
	}
	p, err := r.publication(m, d, content, tags)
	if err != nil {
		r.Registry.Discard(r.Context(), content)
		return err
	}
	if _, err := r.Space.Publish(r.Context(), p); err != nil {
		return err
	}
	if m.Subject != nil {
		w.Header().Set("OCI-Subject", m.Subject.Digest)
	}
	for _, tag := range tags {
		if isDigest(r.Params["reference"]) {
			w.Header().Add("OCI-Tag", tag)
		}
	}
	return created(w, r, "manifests", d)
}

// pushedAs is the digest, if the path is one, and the tags of the path or of
// the query.
func (r *request) pushedAs() (want digest.Digest, tags []string, err error) {
	reference, parameters := r.Params["reference"], r.URL.Query()["tag"]
	if !isDigest(reference) {
		if len(parameters) > 0 {
			return "", nil, fault(http.StatusBadRequest, manifestInvalid, "tag parameters go with a digest in the path")
		}
		tags = []string{reference}
	} else {
		if want, err = parseDigest(reference); err != nil {
			return "", nil, err
		}
		if len(parameters) > maxTagParameters {
			return "", nil, fault(http.StatusRequestURITooLong, manifestInvalid, "at most %d tags are set at once", maxTagParameters)
		}
		slices.Sort(parameters)
		tags = slices.Compact(parameters)
	}
	for _, tag := range tags {
		if err := checkTag(tag); err != nil {
			return "", nil, fault(http.StatusBadRequest, manifestInvalid, "%v", err)
		}
	}
	return want, tags, nil
}

// readManifest reads the body, which is bounded.
func readManifest(r *http.Request) ([]byte, error) {
	tooLarge := fault(http.StatusRequestEntityTooLarge, sizeInvalid, "a manifest has at most %d bytes", maxManifest)
	if r.ContentLength > maxManifest {
		return nil, tooLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxManifest+1))
	switch {
	case err != nil:
		return nil, fault(http.StatusBadRequest, manifestInvalid, "the body broke off: %v", err)
	case len(body) > maxManifest:
		return nil, tooLarge
	}
	return body, nil
}

// publication is the manifest as the registry takes it.
func (r *request) publication(m *manifest, d digest.Digest, content *registry.Stored, tags []string) (registry.Publication, error) {
	about, known, err := r.describe(m, d, content.Size)
	if err != nil {
		return registry.Publication{}, err
	}
	f := registry.File{
		Name: manifestFile, NormalizedName: manifestFile, MediaType: m.MediaType, Lead: true, Content: content,
	}
	if m.Subject != nil {
		f.Fragment = referrer(m, d, content.Size)
	}
	return registry.Publication{
		Name: r.image, NormalizedName: r.image,
		Version: d.String(), NormalizedVersion: d.String(),
		SortKey: registry.TimeKey(time.Now()),
		// What is about another manifest is nobody's latest image.
		Prerelease: m.Subject != nil || signatureTag(tags),
		Facts:      known, Metadata: about,
		Files:      []registry.File{f},
		Properties: properties(m),
		Tags:       tags,
		TagGuard:   r.guardTag(d),
		Check:      func(ctx context.Context, have registry.Holdings) error { return r.complete(ctx, m, have) },
		Policy:     registry.CreateOrAdd, Overwrite: registry.OverwriteIdentical,
	}, nil
}

// properties are what the version can be found by.
func properties(m *manifest) []registry.Property {
	var all []registry.Property
	for _, d := range m.blobs() {
		all = append(all, registry.Property{Name: blobProperty, Value: d.Digest})
	}
	for _, d := range m.Manifests {
		all = append(all, registry.Property{Name: childProperty, Value: d.Digest})
	}
	if m.Subject != nil {
		all = append(all, registry.Property{Name: subjectProperty, Value: m.Subject.Digest})
		if typ := artifactTypeOf(m); typ != "" {
			all = append(all, registry.Property{Name: artifactTypeProperty, Value: text(typ, maxText)})
		}
	}
	return all
}

// signatureTag tells whether a tag is one under which cosign, before the
// registry could tell what refers to what, kept what belongs to an image.
func signatureTag(tags []string) bool {
	return len(tags) == 1 && strings.HasPrefix(tags[0], "sha256-") &&
		slices.Contains([]string{".sig", ".att", ".sbom"}, path.Ext(tags[0]))
}

// missing is the detail of a manifest whose parts are not there.
type missing struct {
	Digest string `json:"digest"`
}

// complete refuses a manifest whose parts are not all in the repository.
func (r *request) complete(ctx context.Context, m *manifest, have registry.Holdings) error {
	var names []string
	for _, d := range m.blobs() {
		names = append(names, d.Digest)
	}
	for _, d := range m.Manifests {
		names = append(names, d.Digest)
	}
	sizes, err := have.Sizes(ctx, blobsVersion, names)
	if err != nil {
		return err
	}
	var absent []missing
	for _, d := range m.blobs() {
		size, ok := sizes[d.Digest]
		switch {
		case !ok:
			absent = append(absent, missing{d.Digest})
		case size != d.Size:
			return fault(http.StatusBadRequest, sizeInvalid, "the blob %s has %d bytes, not %d", d.Digest, size, d.Size)
		}
	}
	if len(m.Manifests) > 0 && !r.Space.Owner.Settings.ContainerSparseIndex {
		versions, err := have.Versions(ctx, names)
		if err != nil {
			return err
		}
		for _, d := range m.Manifests {
			// Build caches are indexes of blobs.
			if _, blob := sizes[d.Digest]; !blob && versions[d.Digest] == nil {
				absent = append(absent, missing{d.Digest})
			}
		}
	}
	if len(absent) == 0 {
		return nil
	}
	return withDetail(fault(http.StatusNotFound, manifestBlobUnknown, "the manifest needs %d blobs or manifests that the repository does not have", len(absent)), absent)
}

// guardTag holds a tag that is to be set against the request's conditions
// (RFC 9110, section 13.1) and against the owner's immutable tags.
func (r *request) guardTag(d digest.Digest) func(tag, current string) error {
	etag := func(version string) string { return `"` + version + `"` }
	match, noneMatch := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	return func(tag, current string) error {
		switch {
		case noneMatch != "" && current != "" && protocols.ETagListed(noneMatch, etag(current)):
			return registry.Errorf(registry.Precondition, "the tag %s is there already", tag)
		case match != "" && (current == "" || !protocols.ETagListed(match, etag(current))):
			return registry.Errorf(registry.Precondition, "the tag %s names another manifest", tag)
		case current != "" && current != d.String() && r.immutable(tag):
			return fault(http.StatusForbidden, denied, "the tag %s is immutable and names %s", tag, current)
		}
		return nil
	}
}

// immutable tells whether the owner has forbidden that the tag moves.
func (r *request) immutable(tag string) bool {
	stays := immutableTags(r.Space.Owner.Settings)
	return stays != nil && stays(r.image, tag)
}

// immutableTags is the test for the tags that the owner has forbidden to move,
// or nil when there are none.
func immutableTags(settings schema.OwnerSettings) func(image, tag string) bool {
	if len(settings.ContainerImmutableTags) == 0 {
		return nil
	}
	return func(image, tag string) bool {
		return slices.ContainsFunc(settings.ContainerImmutableTags, func(pattern string) bool {
			images, tags, _ := strings.Cut(pattern, ":")
			imageFits, err1 := path.Match(images, image)
			tagFits, err2 := path.Match(tags, tag)
			return errors.Join(err1, err2) == nil && imageFits && tagFits
		})
	}
}

// deleteManifest takes a tag away, or a manifest with all its tags
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#content-management).
func deleteManifest(w http.ResponseWriter, r *request) error {
	reference := r.Params["reference"]
	p, err := r.Space.Package(r.Context(), r.image, access.Delete)
	if err != nil {
		return err
	}
	if isDigest(reference) {
		d, err := parseDigest(reference)
		if err != nil {
			return err
		}
		return deleted(w, r.Space.DeleteVersions(r.Context(), p, []string{d.String()}, nil), manifestUnknown)
	}
	found, err := r.Space.RemoveTag(r.Context(), p, reference)
	if err == nil && !found {
		err = r.noManifest(reference)
	}
	return deleted(w, err, manifestUnknown)
}

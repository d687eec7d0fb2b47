package cran

import (
	"context"
	"net/http"

	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/storage"
)

// digests are those an index names.
const digests = storage.MD5 | storage.SHA256

// uploadSource publishes a source package. The name in the path, if there is
// one, does not matter: the file is called as its DESCRIPTION says.
func uploadSource(w http.ResponseWriter, r *protocols.Request) error {
	return upload(w, r, kind{})
}

// uploadBinary publishes a binary package for the platform and the version of
// R that the query names, or the path.
func uploadBinary(w http.ResponseWriter, r *protocols.Request) error {
	platform, rversion := r.Params["platform"], r.Params["rversion"]
	if platform == "" {
		q := r.URL.Query()
		platform, rversion = q.Get("platform"), q.Get("rversion")
	}
	k, err := newKind(platform, rversion)
	if err != nil {
		return err
	}
	return upload(w, r, k)
}

func upload(w http.ResponseWriter, r *protocols.Request, k kind) error {
	if err := r.Registry.CheckSize(r.ContentLength); err != nil {
		return err
	}
	// The body is the package, whatever type curl says it has.
	content, err := r.Registry.Store(r.Context(), r.Body, r.ContentLength, digests)
	if err != nil {
		return err
	}
	d, c, err := inspect(r, content, k)
	if err != nil {
		r.Registry.Discard(r.Context(), content)
		return err
	}
	if _, err := r.Space.Publish(r.Context(), publication(d, c, k, content)); err != nil {
		return err
	}
	w.Header().Set("Location", r.Root()+protocols.JoinPath(k.folder(), k.fileName(d.name, d.version)))
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}

// inspect reads a stored package.
func inspect(r *protocols.Request, content *registry.Stored, k kind) (*description, *contents, error) {
	f, err := r.Registry.OpenStored(r.Context(), content)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	return readPackage(f, content.Size, k)
}

// publication is what the registry takes of a package. The source speaks for
// its version, also when it comes after a binary.
func publication(d *description, c *contents, k kind, content *registry.Stored) registry.Publication {
	file := registry.File{
		Name: k.fileName(d.name, d.version), NormalizedName: k.fileName(d.name, d.version), CompositeKey: k.key(),
		MediaType: k.mediaType(), Lead: k.isSource(), Content: content, Fragment: d.entry(content.Sums.MD5),
		Properties: []registry.Property{{Name: "cran.type", Value: "source"}},
	}
	if !k.isSource() {
		file.Properties = []registry.Property{
			{Name: "cran.type", Value: "binary"}, {Name: "cran.platform", Value: k.platform}, {Name: "cran.rversion", Value: k.rversion},
		}
	}
	p := registry.Publication{
		Name: d.name, NormalizedName: fold(d.name), Version: d.version, NormalizedVersion: normalize(d.version),
		SortKey: sortKey(d.version), Facts: liftFacts(d, c), Metadata: newMetadata(d, c),
		Redescribe: k.isSource(), Policy: registry.CreateOrAdd, Overwrite: registry.OverwriteNever,
		Duplicate: file.Name + " is in " + k.folder() + " already",
		Check:     sameSpelling(d),
		Files:     []registry.File{file},
	}
	for _, relation := range relations {
		for _, n := range needs(d.line(relation.field)) {
			p.Properties = append(p.Properties, registry.Property{Name: dependsOn, Value: fold(n.name)})
		}
	}
	return p
}

// sameSpelling refuses, within the transaction, a name or a version that is
// there in another spelling.
func sameSpelling(d *description) func(context.Context, registry.Holdings) error {
	return func(ctx context.Context, h registry.Holdings) error {
		if h.Name() != d.name {
			return registry.Errorf(registry.Conflict, "there is a package %s already; libraries on some systems cannot hold two names that differ in case alone", h.Name())
		}
		normalized := normalize(d.version)
		there, err := h.Versions(ctx, []string{normalized})
		if err != nil {
			return err
		}
		if v := there[normalized]; v != nil && v.Version != d.version {
			return registry.Errorf(registry.Conflict, "there is a version %s of %s already, which to R is the same as %s", v.Version, d.name, d.version)
		}
		return nil
	}
}

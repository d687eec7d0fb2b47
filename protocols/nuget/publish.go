package nuget

import (
	"bytes"
	"context"
	"net/http"

	"entrepot/ent/schema"
	"entrepot/protocols"
	"entrepot/registry"
)

// The properties of a version: the types of the package, in lower case, and a
// mark on versions that clients from before SemVer 2.0.0 cannot read.
const (
	propertyType    = "nuget.type"
	propertySemVer2 = "nuget.semver2"
)

// push takes a package.
//
// https://learn.microsoft.com/nuget/api/package-publish-resource#push-a-package
func push(w http.ResponseWriter, r *protocols.Request) error {
	content, err := receive(r)
	if err != nil {
		return err
	}
	p, err := publication(r, content)
	if err != nil {
		r.Registry.Discard(r.Context(), content)
		return err
	}
	// From here on the contents are the registry's.
	if _, err := r.Space.Publish(r.Context(), *p); err != nil {
		return err
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

// publication makes of a stored package what the registry takes. The content
// stays the caller's in case of an error.
func publication(r *protocols.Request, content *registry.Stored) (*registry.Publication, error) {
	file, err := r.Registry.OpenStored(r.Context(), content)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	a, err := openArchive(file, content.Size)
	if err != nil {
		return nil, err
	}
	m := a.manifest
	if m.is(symbolsType) {
		return nil, badPackage("it is a package of symbols, which are pushed to %s/symbolpackage", rootURL(r))
	}
	a.settle()
	readme, err := a.readme()
	if err != nil {
		return nil, err
	}
	id, v := fold(m.ID), m.version.identity()
	nuspec, err := r.Registry.Store(r.Context(), bytes.NewReader(a.raw), int64(len(a.raw)), 0)
	if err != nil {
		return nil, err
	}
	return &registry.Publication{
		Name: m.ID, NormalizedName: id,
		Version: m.Version, NormalizedVersion: v,
		SortKey: m.version.sortKey(), Prerelease: m.version.prerelease(),
		Facts:      liftFacts(m, readme),
		Metadata:   m,
		Properties: m.properties(),
		Policy:     registry.CreateVersion,
		Duplicate:  m.ID + " " + m.version.String() + " is there already; a version is published once",
		Files: []registry.File{
			{
				Name: packageFile(id, v), NormalizedName: packageFile(id, v), Lead: true,
				MediaType: "application/zip", Content: content, Fragment: render(m),
			},
			{Name: nuspecFile(id), NormalizedName: nuspecFile(id), MediaType: "application/xml", Content: nuspec},
		},
	}, nil
}

// properties are those by which searches find versions.
func (m *manifest) properties() []registry.Property {
	var all []registry.Property
	for _, t := range m.PackageTypes {
		all = append(all, registry.Property{Name: propertyType, Value: fold(t)})
	}
	if m.semVer2() {
		all = append(all, registry.Property{Name: propertySemVer2, Value: "true"})
	}
	return all
}

// summaryLength is how long a summary made of a description is, in bytes.
const summaryLength = 300

// liftFacts takes what all package types have in common out of a manifest.
func liftFacts(m *manifest, readme string) registry.Facts {
	f := registry.Facts{
		Summary: protocols.OneLine(m.Summary), Readme: readme, License: m.LicenseExpression,
		Homepage: m.ProjectURL, RepositoryURL: protocols.WebURL(m.Repository.URL),
		Authors: m.Authors, Keywords: m.Tags,
	}
	if f.Summary == "" {
		f.Summary = protocols.CutText(protocols.OneLine(m.Description), summaryLength)
	}
	for _, g := range m.Groups {
		framework := g.TargetFramework
		if framework == "" {
			framework = anyFramework
		}
		for _, d := range g.Dependencies {
			f.Dependencies = append(f.Dependencies, registry.Dependency{Group: framework, Name: d.ID, Requirement: d.Range})
		}
	}
	return f
}

// anyFramework is the name, for people, of a group without a framework.
const anyFramework = "any"

// searchWords are the texts searches look through beside those that all types
// have.
func searchWords(metadata []byte) []string {
	m, err := decodeManifest(metadata)
	if err != nil {
		return nil
	}
	return []string{m.Title, m.Description}
}

// remove deletes a version, or, where the owner wants that, unlists it: lock
// files that name it go on working.
//
// https://learn.microsoft.com/nuget/api/package-publish-resource#delete-a-package
func remove(w http.ResponseWriter, r *protocols.Request) error {
	if r.Space.Owner.Settings.NuGetDelete == schema.NuGetUnlists {
		return setListed(w, r, false)
	}
	p, v, err := findVersion(r)
	if err != nil {
		return err
	}
	if err := r.Space.DeleteVersions(r.Context(), p, []string{v}, nil); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// relist takes a deletion that only unlisted back.
//
// https://learn.microsoft.com/nuget/api/package-publish-resource#relist-a-package
func relist(w http.ResponseWriter, r *protocols.Request) error { return setListed(w, r, true) }

func setListed(w http.ResponseWriter, r *protocols.Request, listed bool) error {
	p, version, err := findVersion(r)
	if err != nil {
		return err
	}
	v, err := r.Space.Version(r.Context(), p, version)
	if err != nil {
		return err
	}
	if v.Yanked == listed {
		status := registry.Status{Deprecated: v.Deprecated, Yanked: !listed}
		if v.Deprecated {
			status.Reason = v.StatusReason
		}
		if err := r.Space.SetStatus(r.Context(), p, map[string]registry.Status{version: status}); err != nil {
			return err
		}
	}
	if listed {
		w.WriteHeader(http.StatusOK)
	} else {
		w.WriteHeader(http.StatusNoContent)
	}
	return nil
}

// discard gives up contents that were not published.
func discard(ctx context.Context, r *protocols.Request, files []registry.File) {
	for _, f := range files {
		r.Registry.Discard(ctx, f.Content)
	}
}

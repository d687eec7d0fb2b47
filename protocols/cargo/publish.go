package cargo

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// warnings is the answer to a publish; cargo prints what is in the lists.
type warnings struct {
	InvalidCategories []string `json:"invalid_categories"`
	InvalidBadges     []string `json:"invalid_badges"`
	Other             []string `json:"other"`
}

// publish takes a version of a crate.
// https://doc.rust-lang.org/cargo/reference/registry-web-api.html#publish
func publish(w http.ResponseWriter, r *protocols.Request) error {
	body := frames{r.Body}
	raw, err := body.metadata()
	if err != nil {
		return err
	}
	u, err := parseUpload(raw)
	if err != nil {
		return err
	}
	size, err := body.length("crate")
	if err != nil {
		return err
	}
	want := wanted{name: u.Name, version: u.Vers}
	if u.Readme == nil {
		want.readme = u.ReadmeFile
	}
	content, archive, err := want.store(r, r.Body, size)
	if err != nil {
		return err
	}
	p, err := publication(r, u, content, archive)
	if err == nil {
		err = body.end()
	}
	if err != nil {
		r.Registry.Discard(r.Context(), content)
		return err
	}
	// From here on the content is the registry's.
	if _, err := r.Space.Publish(r.Context(), *p); err != nil {
		return err
	}
	protocols.WriteJSON(w, r.Request, http.StatusOK, struct {
		OK       bool     `json:"ok"`
		Warnings warnings `json:"warnings"`
	}{true, warnings{[]string{}, []string{}, []string{}}})
	return nil
}

// publication is what the registry takes of a checked upload.
func publication(r *protocols.Request, u *upload, content *registry.Stored, a archive) (*registry.Publication, error) {
	if u.RustVersion == "" {
		u.RustVersion = a.manifest.rust()
	}
	if u.Readme == nil {
		u.Readme = &a.readme
	}
	fragment, err := render(u, content.Sums.SHA256, isOwnIndex(r))
	if err != nil {
		return nil, err
	}
	p := &registry.Publication{
		Name: u.Name, NormalizedName: fold(u.Name),
		Version: u.Vers, NormalizedVersion: identity(u.Vers),
		SortKey: registry.SemVerKey(u.version), Prerelease: u.version.Prerelease() != "",
		Facts:    liftFacts(u),
		Metadata: newMetadata(u, content.Size, a),
		Policy:   registry.CreateVersion,
		Duplicate: fmt.Sprintf("%s %s is published already; a version is published once, whatever its build metadata",
			u.Name, identity(u.Vers)),
		// Inside the transaction, so that two first publishes at once cannot
		// both be right.
		Check: func(_ context.Context, h registry.Holdings) error {
			if h.Name() != u.Name {
				return registry.Errorf(registry.Conflict, "there is a crate %s already; names that differ in case, or in - and _, alone are the same name", h.Name())
			}
			return nil
		},
		Files: []registry.File{{
			Name: fileName(u.Name, u.Vers), NormalizedName: fileKey(u.Name, u.Vers), Lead: true,
			MediaType: "application/gzip", Content: content, Fragment: fragment,
		}},
	}
	own := isOwnIndex(r)
	for _, d := range u.Deps {
		if d.Registry == nil || *d.Registry == "" || own(*d.Registry) {
			p.Properties = append(p.Properties, registry.Property{Name: dependsOn, Value: fold(d.Name)})
		}
	}
	return p, nil
}

// dependsOn is the property with the folded name of a crate of the same
// registry that the version needs.
const dependsOn = "cargo.depends-on"

// liftFacts takes what all package types have in common out of an upload.
func liftFacts(u *upload) registry.Facts {
	f := registry.Facts{
		Summary: u.Description, Readme: *u.Readme, License: u.License,
		Homepage: u.Homepage, RepositoryURL: strings.TrimSuffix(u.Repository, ".git"),
		Authors: names(u.Authors), Keywords: u.Keywords,
	}
	for _, kind := range kinds {
		for _, d := range u.Deps {
			if d.Kind == kind {
				f.Dependencies = append(f.Dependencies, registry.Dependency{
					Group: groups[kind], Name: d.Name, Requirement: strings.TrimSpace(d.Req), Optional: d.Optional,
				})
			}
		}
	}
	return f
}

// groups are the tables of Cargo.toml in which dependencies of a kind stand.
var groups = map[string]string{
	"normal": "dependencies", "dev": "dev-dependencies", "build": "build-dependencies",
}

// names are people without their mail addresses, which are left where they
// are.
func names(people []string) []string {
	for i, person := range people {
		name, _, _ := strings.Cut(person, "<")
		people[i] = name
	}
	return lines(people)
}

package npm

import (
	"net/http"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// unpublish answers PUT on a revision of a package: the versions that the body
// lacks are removed, and its dist-tags are taken over, in one transaction.
//
// `npm unpublish` would remove the tarball in a request of its own, whose URL
// it gets wrong when only a scope's registry is configured; so this one does
// all there is to do.
func unpublish(w http.ResponseWriter, r *protocols.Request) error {
	name, err := packageName(r)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), name, access.Delete)
	if err != nil {
		return err
	}
	// Clients write "undefined" for a packument that had no _rev.
	if rev := r.Params["rev"]; rev != revision(p) && rev != "undefined" {
		return registry.Errorf(registry.Conflict, "the package has changed since revision %.60q: its revision is %s", rev, revision(p))
	}
	b, err := readBody(r, passOver)
	if err != nil {
		return err
	}
	if b.versions == nil && b.maintainers {
		// `npm owner` changes a list that is not kept here: who may publish
		// is the organization's to say.
		return ok(w, r)
	}
	missing, err := missingVersions(r, p, b)
	if err != nil {
		return err
	}
	tags, err := tagChanges(r, p, b, missing)
	if err != nil {
		return err
	}
	if r.Params["rev"] != "undefined" {
		tags.IfGeneration = p.Generation
	}
	removed := make([]string, 0, len(missing))
	for version := range missing {
		removed = append(removed, version)
	}
	if err := r.Space.DeleteVersions(r.Context(), p, removed, tags); err != nil {
		return err
	}
	return ok(w, r)
}

// missingVersions are the normalized versions that the package has and the
// body lacks.
func missingVersions(r *protocols.Request, p *ent.Pkg, b *body) (map[string]bool, error) {
	if len(b.versions) == 0 {
		return nil, registry.FieldErrorf("versions", "the body keeps no version: to remove the whole package, delete it")
	}
	states, err := r.Space.VersionStates(r.Context(), p)
	if err != nil {
		return nil, err
	}
	missing := map[string]bool{}
	kept := 0
	for _, state := range states {
		if _, keep := b.versions[state.Version]; keep {
			kept++
		} else {
			missing[state.NormalizedVersion] = true
		}
	}
	if kept != len(b.versions) {
		return nil, registry.FieldErrorf("versions", "the body names versions that the package does not have")
	}
	return missing, nil
}

// tagChanges are the changes that bring the package's dist-tags to what the
// body says, when the missing versions go. Those of missing versions go along
// by themselves; "latest" then moves by the registry's own rule, because npm
// would move it to the highest version even if that is a prerelease.
func tagChanges(r *protocols.Request, p *ent.Pkg, b *body, missing map[string]bool) (*registry.TagChanges, error) {
	changes := &registry.TagChanges{Set: map[string]string{}}
	if b.tags == nil {
		return changes, nil
	}
	current, err := r.Space.Tags(r.Context(), p, "", 0)
	if err != nil {
		return nil, err
	}
	now := map[string]string{}
	for _, t := range current {
		now[t.Name] = identity(t.Edges.Version.Version)
		if _, stays := b.tags[t.Name]; !stays && t.Name != registry.Latest && !missing[now[t.Name]] {
			changes.Remove = append(changes.Remove, t.Name)
		}
	}
	for tag, version := range b.tags {
		version = identity(version)
		if version == now[tag] || tag == registry.Latest && missing[now[tag]] {
			continue
		}
		if err := checkTag(tag); err != nil {
			return nil, err
		}
		if _, err := r.Space.Version(r.Context(), p, version); err != nil || missing[version] {
			return nil, registry.FieldErrorf("dist-tags", "the dist-tag %q names the version %.300q, which is not there", tag, version)
		}
		changes.Set[tag] = version
	}
	return changes, nil
}

// deletePackage answers DELETE on a revision of a package: all of it goes.
func deletePackage(w http.ResponseWriter, r *protocols.Request) error {
	name, err := packageName(r)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), name, access.Delete)
	if err != nil {
		return err
	}
	if err := r.Space.DeletePackage(r.Context(), p); err != nil {
		return err
	}
	return ok(w, r)
}

// deleteFile answers DELETE on a tarball: its version goes, and with the last
// one the package.
func deleteFile(w http.ResponseWriter, r *protocols.Request) error {
	found, err := findFile(r, access.Delete)
	if err != nil {
		return err
	}
	if found.file.Lead {
		err = r.Space.DeleteVersions(r.Context(), found.pkg, []string{found.version}, nil)
	} else {
		err = r.Space.DeleteFile(r.Context(), found.pkg, found.file)
	}
	if err != nil {
		return err
	}
	return ok(w, r)
}

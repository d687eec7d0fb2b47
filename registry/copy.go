package registry

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/predicate"
	"entrepot/ent/property"
	"entrepot/ent/tag"
)

// A copy is what a client would do that pulls a version and pushes it
// elsewhere, without a byte being read or written: the target's files name the
// blobs that are stored. It goes in the order of a push, each version after
// what it needs, and the version asked for last, in one transaction with its
// tags. What is there already stays as it is, so a copy that broke off is
// completed by the next.

const (
	// maxCopied is how many versions one copy takes along.
	maxCopied = 2000
	// maxCopyTags is how many tags one copy sets.
	maxCopyTags = 100
)

// CopyRequest says what becomes of a copy.
type CopyRequest struct {
	// Package is the name of the package that is to have the version. It is
	// made if it is not there.
	Package string
	// Tags are set to the version, wherever they pointed before.
	Tags []string
	// Referrers takes along what refers to the version, or to what it needs
	// (Type.Referrals). Tags that name them by convention are set where they
	// are free: another signature under one of them stays.
	Referrers bool
}

// Copy puts a version of a package, which the caller got from the space, with
// everything it needs into a package of another space of the same type, or of
// the same space. The viewer must be allowed to read the one and to write to
// the other. Errors: Invalid when versions of the type are not copied, or for
// names and tags that cannot be; NotFound when there is no such version;
// Forbidden for rights, and for tags that stay where they are; TooLarge when
// more than 2,000 versions would come along; Conflict when something was
// deleted meanwhile.
func (s *Space) Copy(ctx context.Context, p *ent.Pkg, normalizedVersion string, to *Space, req CopyRequest) (*Published, error) {
	if err := s.check(access.Read, p.Visibility); err != nil {
		return nil, err
	}
	t := &copyTarget{Space: to, req: req}
	if err := t.admit(ctx); err != nil {
		return nil, err
	}
	src := &copySource{typ: s.Type, pkg: p, referrers: req.Referrers, found: map[string]*copiedVersion{}}
	err := s.reg.db.Snapshot(access.SystemContext(ctx), func(ctx context.Context, client *ent.Client) error {
		return src.read(ctx, client, normalizedVersion)
	})
	if err != nil {
		return nil, err
	}
	return t.write(ctx, src, normalizedVersion)
}

// copiedVersion is a version with all that is copied of it.
type copiedVersion struct {
	row        *ent.PackageVersion
	properties []Property
	// needs are the names of versions and files it refers to.
	needs []string
	// tags name it by a convention of its type (Referrals.Tags).
	tags []string
}

// copySource gathers what is to be copied.
type copySource struct {
	typ       Type
	pkg       *ent.Pkg
	referrers bool

	found map[string]*copiedVersion
	// internal are the files that versions need, by the internal version they
	// belong to, and where each is.
	internal   map[string][]*ent.PackageFile
	internalOf map[string]string
	// properties are those of files.
	properties map[int64][]Property
}

// read follows the references from the version on.
func (c *copySource) read(ctx context.Context, client *ent.Client, normalizedVersion string) error {
	asked := map[string]bool{normalizedVersion: true}
	needs := map[string]bool{}
	for level := []string{normalizedVersion}; len(level) > 0; {
		versions, err := c.readVersions(ctx, client, level)
		if err != nil {
			return err
		}
		if len(c.found) == 0 {
			return Errorf(NotFound, "version not found")
		}
		var next []string
		add := func(names ...string) {
			for _, name := range names {
				if !asked[name] {
					asked[name], next = true, append(next, name)
				}
			}
		}
		for _, v := range versions {
			for _, name := range v.needs {
				needs[name] = true
			}
			add(v.needs...)
		}
		if c.referrers && c.typ.Referrals != nil {
			names, err := c.readReferrers(ctx, client, versions)
			if err != nil {
				return err
			}
			add(names...)
		}
		if len(c.found) > maxCopied {
			return Errorf(TooLarge, "more than %d versions would be copied", maxCopied)
		}
		level = next
	}
	if err := c.readTags(ctx, client); err != nil {
		return err
	}
	return c.readFiles(ctx, client, needs)
}

// readVersions reads those of the names that are published versions.
func (c *copySource) readVersions(ctx context.Context, client *ent.Client, names []string) ([]*copiedVersion, error) {
	byID := map[int64]*copiedVersion{}
	var all []*copiedVersion
	for chunk := range slices.Chunk(names, lookUpAtOnce) {
		rows, err := client.PackageVersion.Query().
			Where(packageversion.PackageID(c.pkg.ID), packageversion.NormalizedVersionIn(chunk...), published).
			WithFiles(func(q *ent.PackageFileQuery) { q.WithBlob() }).
			All(ctx)
		if err != nil {
			return nil, fmt.Errorf("read versions: %w", err)
		}
		for _, row := range rows {
			v := &copiedVersion{row: row}
			c.found[row.NormalizedVersion], byID[row.ID] = v, v
			all = append(all, v)
		}
	}
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(byID)), lookUpAtOnce) {
		rows, err := client.Property.Query().
			Where(property.RefTypeEQ(property.RefTypeVersion), property.RefIDIn(chunk...)).
			Order(ent.Asc(property.FieldID)).
			All(ctx)
		if err != nil {
			return nil, fmt.Errorf("read properties: %w", err)
		}
		for _, row := range rows {
			v := byID[row.RefID]
			v.properties = append(v.properties, Property{row.Name, row.Value})
			if slices.Contains(c.typ.References, row.Name) {
				v.needs = append(v.needs, row.Value)
			}
		}
	}
	return all, nil
}

// readReferrers names what refers to the versions, by property or by tag.
func (c *copySource) readReferrers(ctx context.Context, client *ent.Client, versions []*copiedVersion) ([]string, error) {
	var names []string
	for _, v := range versions {
		var some []string
		err := client.PackageVersion.Query().
			Where(c.typ.Referrals.Of(c.pkg.ID, v.row.NormalizedVersion, "")).
			Order(ent.Asc(packageversion.FieldID)).
			Limit(maxCopied+1).
			Select(packageversion.FieldNormalizedVersion).
			Scan(ctx, &some)
		if err != nil {
			return nil, fmt.Errorf("read referrers: %w", err)
		}
		names = append(names, some...)
	}
	return names, nil
}

// readTags notes the tags by which versions that are copied name others.
func (c *copySource) readTags(ctx context.Context, client *ent.Client) error {
	if !c.referrers || c.typ.Referrals == nil || c.typ.Referrals.Tags == nil {
		return nil
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(c.found)) {
		names = append(names, c.typ.Referrals.Tags(name)...)
	}
	for chunk := range slices.Chunk(names, lookUpAtOnce) {
		rows, err := client.Tag.Query().
			Where(tag.PackageID(c.pkg.ID), tagsNamed(chunk)).
			WithVersion(func(q *ent.PackageVersionQuery) {
				q.Select(packageversion.FieldID, packageversion.FieldNormalizedVersion)
			}).
			All(ctx)
		if err != nil {
			return fmt.Errorf("read tags: %w", err)
		}
		for _, row := range rows {
			if v := c.found[row.Edges.Version.NormalizedVersion]; v != nil {
				v.tags = append(v.tags, row.Name)
			}
		}
	}
	return nil
}

// readFiles reads those of the names that are files of internal versions, and
// the properties of all files.
func (c *copySource) readFiles(ctx context.Context, client *ent.Client, needs map[string]bool) error {
	c.internal, c.internalOf, c.properties = map[string][]*ent.PackageFile{}, map[string]string{}, map[int64][]Property{}
	internal := in(packagefile.FieldVersionID, packageversion.Table, packageversion.FieldID,
		packageversion.PackageID(c.pkg.ID), predicate.PackageVersion(is(packageversion.FieldInternal, true)))
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(needs)), lookUpAtOnce) {
		rows, err := client.PackageFile.Query().
			Where(packagefile.NormalizedNameIn(chunk...), internal).
			WithBlob().
			WithVersion().
			All(ctx)
		if err != nil {
			return fmt.Errorf("read files: %w", err)
		}
		for _, row := range rows {
			v := row.Edges.Version.NormalizedVersion
			c.internal[v] = append(c.internal[v], row)
			c.internalOf[row.NormalizedName] = v
		}
	}
	var ids []int64
	for _, v := range c.found {
		for _, f := range v.row.Edges.Files {
			ids = append(ids, f.ID)
		}
	}
	for chunk := range slices.Chunk(ids, lookUpAtOnce) {
		rows, err := client.Property.Query().
			Where(property.RefTypeEQ(property.RefTypeFile), property.RefIDIn(chunk...)).
			Order(ent.Asc(property.FieldID)).
			All(ctx)
		if err != nil {
			return fmt.Errorf("read properties: %w", err)
		}
		for _, row := range rows {
			c.properties[row.RefID] = append(c.properties[row.RefID], Property{row.Name, row.Value})
		}
	}
	return nil
}

// inOrder lists the versions, each after those it needs, that of the name
// last.
func (c *copySource) inOrder(last string) []*copiedVersion {
	var order []*copiedVersion
	listed := map[string]bool{}
	var list func(name string)
	list = func(name string) {
		v := c.found[name]
		if v == nil || listed[name] {
			return
		}
		listed[name] = true
		for _, need := range v.needs {
			list(need)
		}
		order = append(order, v)
	}
	root := c.found[last]
	for _, need := range root.needs {
		list(need)
	}
	listed[last] = true
	byAge := slices.SortedFunc(maps.Values(c.found), func(a, b *copiedVersion) int { return cmp.Compare(a.row.ID, b.row.ID) })
	for _, v := range byAge {
		list(v.row.NormalizedVersion)
	}
	return append(order, root)
}

// copyTarget is where a copy goes.
type copyTarget struct {
	*Space
	req  CopyRequest
	name string // normalized
}

// admit refuses what cannot be before anything is written.
func (t *copyTarget) admit(ctx context.Context) error {
	if t.Type.CopyName == nil {
		return FieldErrorf("version", "versions of %s packages are not copied", t.Type.Title)
	}
	if err := t.check(access.Write, ""); err != nil {
		return err
	}
	var err error
	if t.name, err = t.Type.CopyName(t.Owner.Name, t.req.Package); err != nil {
		return FieldErrorf("package", "%v", err)
	}
	if len(t.req.Tags) > maxCopyTags {
		return FieldErrorf("tags", "at most %d tags are set at once", maxCopyTags)
	}
	for _, name := range t.req.Tags {
		if t.Type.CheckTag == nil {
			return FieldErrorf("tags", "versions of %s packages have no tags", t.Type.Title)
		}
		if err := t.Type.CheckTag(name); err != nil {
			return FieldErrorf("tags", "%v", err)
		}
	}
	p, err := t.AnyPackage(ctx, t.name)
	if err != nil || p == nil || t.Can(access.Write, p) {
		return err
	}
	_, err = t.Package(ctx, t.name, access.Write)
	return err
}

// write publishes what was gathered.
func (t *copyTarget) write(ctx context.Context, src *copySource, normalizedVersion string) (*Published, error) {
	if err := t.keepStaying(ctx, normalizedVersion); err != nil {
		return nil, err
	}
	for _, internal := range slices.Sorted(maps.Keys(src.internal)) {
		row := src.internal[internal][0].Edges.Version
		pub := Publication{
			Version: row.Version, NormalizedVersion: row.NormalizedVersion, SortKey: row.SortKey, Internal: true,
			Files: t.files(src, src.internal[internal]),
		}
		if _, err := t.publish(ctx, pub); err != nil {
			return nil, err
		}
	}
	order := src.inOrder(normalizedVersion)
	for _, v := range order[:len(order)-1] {
		free, err := t.freeTags(ctx, v.tags)
		if err != nil {
			return nil, err
		}
		if _, err := t.publish(ctx, t.publication(src, v, free)); err != nil {
			return nil, err
		}
	}
	return t.publish(ctx, t.publication(src, order[len(order)-1], t.req.Tags))
}

// publication is a version as it is published into the target.
func (t *copyTarget) publication(src *copySource, v *copiedVersion, tags []string) Publication {
	row := v.row
	pub := Publication{
		Version: row.Version, NormalizedVersion: row.NormalizedVersion, SortKey: row.SortKey, Prerelease: row.Prerelease,
		Facts: Facts{
			Summary: row.Summary, Readme: row.Readme, License: row.License, Homepage: row.Homepage,
			RepositoryURL: row.RepositoryURL, Authors: row.Authors, Keywords: row.Keywords, Dependencies: row.Dependencies,
		},
		Status:     Status{Deprecated: row.Deprecated, Yanked: row.Yanked, Reason: row.StatusReason},
		Files:      t.files(src, row.Edges.Files),
		Properties: v.properties,
		Tags:       tags,
		TagGuard:   t.guard(row.NormalizedVersion),
		Check:      func(ctx context.Context, have Holdings) error { return src.complete(ctx, v, have) },
	}
	if t.Type.OrderedByTime {
		pub.SortKey = TimeKey(now())
	}
	if len(row.Metadata) > 0 {
		pub.Metadata = row.Metadata
	}
	return pub
}

func (t *copyTarget) files(src *copySource, rows []*ent.PackageFile) []File {
	files := make([]File, len(rows))
	for i, f := range rows {
		files[i] = File{
			Name: f.Name, NormalizedName: f.NormalizedName, CompositeKey: f.CompositeKey, MediaType: f.MediaType,
			Lead: f.Lead, Fragment: f.Fragment, Blob: f.Edges.Blob, Properties: src.properties[f.ID],
		}
	}
	return files
}

// publish publishes into the target package what is not there yet.
func (t *copyTarget) publish(ctx context.Context, pub Publication) (*Published, error) {
	pub.Name, pub.NormalizedName = t.req.Package, t.name
	pub.Policy, pub.Overwrite = CreateOrAdd, OverwriteIdentical
	return t.Publish(ctx, pub)
}

// complete refuses a version when something it needs, and had in the source,
// was deleted from the target since it was copied there.
func (c *copySource) complete(ctx context.Context, v *copiedVersion, have Holdings) error {
	var versions []string
	files := map[string][]string{}
	for _, name := range v.needs {
		if c.found[name] != nil {
			versions = append(versions, name)
		}
		if internal, ok := c.internalOf[name]; ok {
			files[internal] = append(files[internal], name)
		}
	}
	gone := Errorf(Conflict, "a part of %s was deleted meanwhile, try again", v.row.Version)
	held, err := have.Versions(ctx, versions)
	if err != nil {
		return err
	}
	for _, name := range versions {
		if held[name] == nil {
			return gone
		}
	}
	for internal, names := range files {
		sizes, err := have.Sizes(ctx, internal, names)
		if err != nil {
			return err
		}
		for _, name := range names {
			if _, ok := sizes[name]; !ok {
				return gone
			}
		}
	}
	return nil
}

// guard refuses to move tags that stay where they are.
func (t *copyTarget) guard(normalizedVersion string) func(tag, current string) error {
	var stays func(normalizedName, tag string) bool
	if t.Type.TagStays != nil {
		stays = t.Type.TagStays(t.Owner.Settings)
	}
	return func(tag, current string) error {
		if stays != nil && current != "" && current != normalizedVersion && stays(t.name, tag) {
			return &Error{Code: Forbidden, Field: "tags", Message: fmt.Sprintf("the tag %s is immutable and names %s", tag, current)}
		}
		return nil
	}
}

// keepStaying asks the guard before anything is copied.
func (t *copyTarget) keepStaying(ctx context.Context, normalizedVersion string) error {
	guard := t.guard(normalizedVersion)
	standing, err := t.standing(ctx, t.req.Tags)
	if err != nil {
		return err
	}
	for _, name := range t.req.Tags {
		if err := guard(name, standing[name]); err != nil {
			return err
		}
	}
	return nil
}

// freeTags are those of the tags that name nothing in the target.
func (t *copyTarget) freeTags(ctx context.Context, names []string) ([]string, error) {
	standing, err := t.standing(ctx, names)
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return standing[name] != "" }), err
}

// standing are the normalized versions that tags of the target name.
func (t *copyTarget) standing(ctx context.Context, names []string) (map[string]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	p, err := t.AnyPackage(ctx, t.name)
	if err != nil || p == nil {
		return nil, err
	}
	rows, err := t.reg.db.Tag.Query().
		Where(tag.PackageID(p.ID), tagsNamed(names)).
		WithVersion(func(q *ent.PackageVersionQuery) {
			q.Select(packageversion.FieldID, packageversion.FieldNormalizedVersion)
		}).
		All(access.SystemContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("look up tags: %w", err)
	}
	versions := make(map[string]string, len(rows))
	for _, row := range rows {
		versions[row.Name] = row.Edges.Version.NormalizedVersion
	}
	return versions, nil
}

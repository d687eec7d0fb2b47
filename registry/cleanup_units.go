package registry

import (
	"context"
	"fmt"
	"time"

	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/predicate"
	"entrepot/ent/tag"
	"entrepot/registry/retention"
)

// Counted is what retention rules count and remove.
type Counted int

// What is counted.
const (
	// CountVersions: versions, with all their files.
	CountVersions Counted = iota
	// CountTags: tags; versions that nothing leads to any more go by another
	// rule (see untagged.go).
	CountTags
	// CountFiles: lead files, apart by their composite keys, with all that
	// follows them; the version goes with its last.
	CountFiles
)

// unitReader reads what rules decide about, below one package. It is used
// with a transaction's client as well.
type unitReader struct {
	client *ent.Client
	space  *Space
}

// cleanable is a package with what rules decide about.
type cleanable struct {
	pkg   *ent.Pkg
	units []retention.Unit
	// rows tell, for each unit, where it is.
	rows []unitRow
}

// unitRow is where a unit is.
type unitRow struct {
	versionID         int64
	normalizedVersion string
	// name is the tag's or the file's.
	name string
}

// read lists the units of a package as of one generation.
func (r unitReader) read(ctx context.Context, p *ent.Pkg) (*cleanable, error) {
	c := &cleanable{pkg: p}
	var err error
	switch r.space.Type.Counts {
	case CountTags:
		err = r.tags(ctx, c)
	case CountFiles:
		err = r.files(ctx, c)
	default:
		err = r.versions(ctx, c)
	}
	if err != nil {
		return nil, fmt.Errorf("list what rules decide about: %w", err)
	}
	return c, nil
}

func (c *cleanable) add(u retention.Unit, v *ent.PackageVersion, name string) {
	c.units = append(c.units, u)
	c.rows = append(c.rows, unitRow{v.ID, v.NormalizedVersion, name})
}

// about are the columns of a version that rules look at.
var about = []string{
	packageversion.FieldID, packageversion.FieldVersion, packageversion.FieldNormalizedVersion, packageversion.FieldSortKey,
	packageversion.FieldPrerelease, packageversion.FieldDownloads, packageversion.FieldDownloadedAt, packageversion.FieldYanked,
	packageversion.FieldPinned, packageversion.FieldCreatedAt, packageversion.FieldUpdatedAt,
}

// unitOf is a version as rules see it.
func unitOf(v *ent.PackageVersion) retention.Unit {
	u := retention.Unit{
		ID: v.ID, Version: v.Version, SortKey: v.SortKey, Prerelease: v.Prerelease, Published: v.CreatedAt,
		Downloads: v.Downloads, Yanked: v.Yanked, StatusSince: v.UpdatedAt,
	}
	if v.DownloadedAt != nil {
		u.Downloaded = *v.DownloadedAt
	}
	if v.Pinned {
		u.Stays = "it is pinned"
	}
	return u
}

func (r unitReader) versions(ctx context.Context, c *cleanable) error {
	tags, err := r.tagsByVersion(ctx, c.pkg)
	if err != nil {
		return err
	}
	return r.eachVersion(ctx, c.pkg, func(v *ent.PackageVersion) {
		u := unitOf(v)
		u.Tags = tags[v.ID]
		c.add(u, v, "")
	})
}

// eachVersion calls f for the published versions of a package, in the order of
// their ids.
func (r unitReader) eachVersion(ctx context.Context, p *ent.Pkg, f func(*ent.PackageVersion)) error {
	const page = 5000
	for last := int64(0); ; {
		versions, err := r.client.PackageVersion.Query().
			Where(ofPackage(p.ID), published, packageversion.IDGT(last)).
			Order(ent.Asc(packageversion.FieldID)).
			Limit(page).
			Select(about...).
			All(ctx)
		if err != nil {
			return err
		}
		for _, v := range versions {
			last = v.ID
			f(v)
		}
		if len(versions) < page {
			return nil
		}
	}
}

// tagsByVersion are the names of a package's tags by the versions they name.
func (r unitReader) tagsByVersion(ctx context.Context, p *ent.Pkg) (map[int64][]string, error) {
	tags, err := r.client.Tag.Query().Where(tag.PackageID(p.ID)).Select(tag.FieldName, tag.FieldVersionID).All(ctx)
	if err != nil {
		return nil, err
	}
	names := make(map[int64][]string, len(tags))
	for _, t := range tags {
		names[t.VersionID] = append(names[t.VersionID], t.Name)
	}
	return names, nil
}

// tags lists tags as units, those excepted that by convention name what
// belongs to a version: they go with it.
func (r unitReader) tags(ctx context.Context, c *cleanable) error {
	versions := map[int64]*ent.PackageVersion{}
	err := r.eachVersion(ctx, c.pkg, func(v *ent.PackageVersion) { versions[v.ID] = v })
	if err != nil {
		return err
	}
	tags, err := r.client.Tag.Query().Where(tag.PackageID(c.pkg.ID)).
		Select(tag.FieldID, tag.FieldName, tag.FieldVersionID, tag.FieldUpdatedAt).All(ctx)
	if err != nil {
		return err
	}
	var stays func(normalizedName, tag string) bool
	if r.space.Type.TagStays != nil {
		stays = r.space.Type.TagStays(r.space.Owner.Settings)
	}
	for _, t := range tags {
		v := versions[t.VersionID]
		if v == nil || r.space.Type.subject(t.Name) != "" {
			continue
		}
		u := unitOf(v)
		u.ID, u.Version, u.Tags = t.ID, t.Name, []string{t.Name}
		u.Published, u.SortKey = t.UpdatedAt, TimeKey(t.UpdatedAt)
		if u.Stays == "" && stays != nil && stays(c.pkg.NormalizedName, t.Name) {
			u.Stays = "the tag is immutable"
		}
		c.add(u, v, t.Name)
	}
	return nil
}

// subject is the version that what a tag names belongs to, by the type's
// convention, or "".
func (t Type) subject(tag string) string {
	if t.Referrals == nil || t.Referrals.Subject == nil {
		return ""
	}
	return t.Referrals.Subject(tag)
}

// files lists lead files as units.
func (r unitReader) files(ctx context.Context, c *cleanable) error {
	const page = 5000
	for last := int64(0); ; {
		files, err := r.client.PackageFile.Query().
			Where(packagefile.IDGT(last), packagefile.Lead(true), in(packagefile.FieldVersionID, packageversion.Table, packageversion.FieldID,
				packageversion.PackageID(c.pkg.ID), predicate.PackageVersion(published))).
			Order(ent.Asc(packagefile.FieldID)).
			Limit(page).
			Select(packagefile.FieldID, packagefile.FieldVersionID, packagefile.FieldName, packagefile.FieldCompositeKey, packagefile.FieldDownloads, packagefile.FieldCreatedAt).
			WithVersion(func(q *ent.PackageVersionQuery) { q.Select(about...) }).
			All(ctx)
		if err != nil {
			return err
		}
		for _, f := range files {
			last = f.ID
			u := unitOf(f.Edges.Version)
			u.ID, u.Group, u.Downloads, u.Published = f.ID, f.CompositeKey, f.Downloads, f.CreatedAt
			c.add(u, f.Edges.Version, f.Name)
		}
		if len(files) < page {
			return nil
		}
	}
}

// downloadedSince picks those of the versions, by number, that were downloaded
// after an instant.
func (r unitReader) downloadedSince(ctx context.Context, versionIDs []int64, at time.Time) (map[int64]bool, error) {
	ids, err := r.client.PackageVersion.Query().
		Where(packageversion.IDIn(versionIDs...), packageversion.DownloadedAtGT(at)).
		IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("look up downloads: %w", err)
	}
	since := make(map[int64]bool, len(ids))
	for _, id := range ids {
		since[id] = true
	}
	return since, nil
}

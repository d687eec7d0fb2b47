package registry

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"entrepot/ent"
	"entrepot/ent/packageblob"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/predicate"
)

// yield finds out what an owner gets back when files go: the sizes of those
// contents that no other file of the owner names. What other owners have does
// not count: nobody is to learn of it.
type yield struct {
	reg   *Registry
	owner *ent.Owner
	// going counts, by content, the files that go; waiting those that no version
	// will need any more, and that the collector removes later.
	going, waiting map[int64]int
}

func newYield(r *Registry, o *ent.Owner) *yield {
	return &yield{r, o, map[int64]int{}, map[int64]int{}}
}

// add counts what goes of a package in. It is asked before anything goes.
func (y *yield) add(ctx context.Context, client *ent.Client, of *packagePlan) error {
	going := of.going(false)
	var versions, files []int64
	switch of.counts {
	case CountVersions:
		for _, i := range going {
			versions = append(versions, of.units[i].ID)
		}
	case CountFiles:
		for _, i := range going {
			files = append(files, of.units[i].ID)
		}
		followers, err := y.followers(ctx, client, of, going)
		if err != nil {
			return err
		}
		files = append(files, followers...)
	}
	for _, row := range of.untagged {
		versions = append(versions, row.versionID)
	}
	if err := y.count(ctx, client, y.going, versions, func(ids []int64) predicate.PackageFile { return packagefile.VersionIDIn(ids...) }); err != nil {
		return err
	}
	if err := y.count(ctx, client, y.going, files, func(ids []int64) predicate.PackageFile { return packagefile.IDIn(ids...) }); err != nil {
		return err
	}
	return y.addNeeded(ctx, client, of.pkg, versions)
}

// followers are the files that go with the last of the lead files they belong
// to (Type.FollowsLead).
func (y *yield) followers(ctx context.Context, client *ent.Client, of *packagePlan, going []int) ([]int64, error) {
	if !y.reg.types[of.pkg.Type].FollowsLead {
		return nil, nil
	}
	type place struct {
		versionID    int64
		compositeKey string
	}
	leads := map[place]int{}
	for i, u := range of.units {
		leads[place{of.rows[i].versionID, u.Group}]++
	}
	var versions []int64
	for _, i := range going {
		at := place{of.rows[i].versionID, of.units[i].Group}
		if leads[at]--; leads[at] == 0 {
			versions = append(versions, at.versionID)
		}
	}
	slices.Sort(versions)
	var ids []int64
	for chunk := range slices.Chunk(slices.Compact(versions), lookUpAtOnce) {
		files, err := client.PackageFile.Query().
			Where(packagefile.VersionIDIn(chunk...), packagefile.Lead(false)).
			Select(packagefile.FieldID, packagefile.FieldVersionID, packagefile.FieldCompositeKey).
			All(ctx)
		if err != nil {
			return nil, fmt.Errorf("list what follows: %w", err)
		}
		for _, f := range files {
			if leads[place{f.VersionID, f.CompositeKey}] == 0 {
				ids = append(ids, f.ID)
			}
		}
	}
	return ids, nil
}

// count adds the files that match to the counts of their contents.
func (y *yield) count(ctx context.Context, client *ent.Client, to map[int64]int, ids []int64, match func(ids []int64) predicate.PackageFile) error {
	for chunk := range slices.Chunk(ids, lookUpAtOnce) {
		var rows []blobCount
		err := client.PackageFile.Query().Where(match(chunk)).
			GroupBy(packagefile.FieldBlobID).Aggregate(ent.Count()).Scan(ctx, &rows)
		if err != nil {
			return fmt.Errorf("count what goes: %w", err)
		}
		for _, row := range rows {
			to[row.BlobID] += row.Count
		}
	}
	return nil
}

type blobCount struct {
	BlobID int64 `json:"blob_id"`
	Count  int   `json:"count"`
}

// addNeeded counts the files of internal versions in that only the versions
// which go have needed.
func (y *yield) addNeeded(ctx context.Context, client *ent.Client, p *ent.Pkg, versions []int64) error {
	references := y.reg.types[p.Type].References
	if len(references) == 0 || len(versions) == 0 {
		return nil
	}
	goes := make(map[int64]bool, len(versions))
	for _, id := range versions {
		goes[id] = true
	}
	// What each name is needed by, of the whole package: one pass, and no
	// question for each layer.
	needed, stays := map[string]bool{}, map[string]bool{}
	err := links(ctx, client, p, references, func(_, value string, id int64) {
		if goes[id] {
			needed[value] = true
		} else {
			stays[value] = true
		}
	})
	if err != nil {
		return fmt.Errorf("list what is needed: %w", err)
	}
	maps.DeleteFunc(needed, func(name string, _ bool) bool { return stays[name] })
	internal := in(packagefile.FieldVersionID, packageversion.Table, packageversion.FieldID,
		packageversion.PackageID(p.ID), predicate.PackageVersion(is(packageversion.FieldInternal, true)))
	for chunk := range slices.Chunk(slices.Collect(maps.Keys(needed)), lookUpAtOnce) {
		ids, err := client.PackageFile.Query().Where(packagefile.NormalizedNameIn(chunk...), internal).IDs(ctx)
		if err != nil {
			return fmt.Errorf("list what is needed: %w", err)
		}
		if err := y.count(ctx, client, y.waiting, ids, func(ids []int64) predicate.PackageFile { return packagefile.IDIn(ids...) }); err != nil {
			return err
		}
	}
	return nil
}

// bytes is what the owner gets back; gone tells that the files that go have
// gone by now.
func (y *yield) bytes(ctx context.Context, gone bool) (int64, error) {
	candidates := maps.Clone(y.going)
	for id, n := range y.waiting {
		candidates[id] += n
	}
	ofOwner := in(packagefile.FieldVersionID, packageversion.Table, packageversion.FieldID,
		predicate.PackageVersion(in(packageversion.FieldPackageID, pkg.Table, pkg.FieldID, pkg.OwnerID(y.owner.ID))))
	total := int64(0)
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(candidates)), lookUpAtOnce) {
		var rows []blobCount
		err := y.reg.db.PackageFile.Query().Where(packagefile.BlobIDIn(chunk...), ofOwner).
			GroupBy(packagefile.FieldBlobID).Aggregate(ent.Count()).Scan(ctx, &rows)
		if err != nil {
			return 0, fmt.Errorf("count what stays: %w", err)
		}
		left := make(map[int64]int, len(rows))
		for _, row := range rows {
			left[row.BlobID] = row.Count
		}
		var free []int64
		for _, id := range chunk {
			expected := y.waiting[id]
			if !gone {
				expected = candidates[id]
			}
			if left[id] <= expected {
				free = append(free, id)
			}
		}
		blobs, err := y.reg.db.PackageBlob.Query().Where(packageblob.IDIn(free...)).Select(packageblob.FieldSize).All(ctx)
		if err != nil {
			return 0, fmt.Errorf("add up what goes: %w", err)
		}
		for _, b := range blobs {
			total += b.Size
		}
	}
	return total, nil
}

package conan

import (
	"context"
	"slices"
	"strings"
	"time"

	"entrepot/ent/schema"
	"entrepot/registry"
)

// overwrite says what a second upload of a file does. Revisions are named by
// what is in them, so that other bytes are rarely meant; the owner may forbid
// them. Metadata can be added to and changed without a new revision.
func overwrite(settings schema.OwnerSettings, name string) registry.Overwrite {
	if settings.ConanImmutableRevisions && !strings.HasPrefix(name, metadataFolder) {
		return registry.OverwriteIdentical
	}
	return registry.OverwriteAlways
}

// checkArchives refuses another form of an archive that is there, where
// revisions do not change. Error: Conflict.
func checkArchives(ctx context.Context, h registry.Holdings, at place, mode registry.Overwrite, f *registry.File) error {
	if mode == registry.OverwriteAlways || len(f.Displaces) == 0 {
		return nil
	}
	files, err := h.Listed(ctx, filesList(h.PackageID(), at), 0)
	if err != nil {
		return err
	}
	for _, other := range files {
		if slices.Contains(f.Displaces, other.NormalizedName) {
			return registry.Errorf(registry.Conflict, "%s has %s already, and the revisions of this owner do not change", at, other.NormalizedName)
		}
	}
	return nil
}

// checkReferenceSize refuses a file with which all revisions of the reference
// would have more bytes than the owner allows. Error: TooLarge.
func checkReferenceSize(ctx context.Context, h registry.Holdings, at place, settings schema.OwnerSettings, f *registry.File) error {
	if settings.ConanReferenceSize <= 0 {
		return nil
	}
	others, err := h.StoredSize(ctx, at.version, func(other registry.FileKey) bool {
		replaced := other.CompositeKey == f.CompositeKey &&
			(other.NormalizedName == f.NormalizedName || slices.Contains(f.Displaces, other.NormalizedName))
		return within(other.CompositeKey, at.scope()) && !replaced
	})
	if err == nil && others+f.Content.Size > settings.ConanReferenceSize {
		err = registry.Errorf(registry.TooLarge, "with this file %s would have more than the %d bytes that this owner allows: remove revisions first", at, settings.ConanReferenceSize)
	}
	return err
}

// abandonedAfter is how old a file is of a revision that was never completed
// when the rule for old revisions takes it.
const abandonedAfter = 24 * time.Hour

// expiry is the owner's rule for old revisions.
func expiry(settings schema.OwnerSettings) *registry.Expiry {
	if settings.ConanKeepRecipes <= 0 && settings.ConanKeepPackages <= 0 {
		return nil
	}
	return &registry.Expiry{
		Concerns: func(string) bool { return true },
		Files: func(files []registry.FileState, at time.Time) []registry.FileState {
			return oldRevisions(settings, files, at)
		},
	}
}

// oldRevisions picks the files of complete revisions that are not among the
// newest, of all that belongs to them, and of binaries without a recipe. What
// is being uploaded has a day to be completed.
func oldRevisions(settings schema.OwnerSettings, files []registry.FileState, now time.Time) []registry.FileState {
	recipes, binaries := map[string][]datedKey{}, map[string][]datedKey{}
	for _, f := range files {
		if !strings.HasSuffix(f.Name, "/"+manifestName) || f.Name != f.CompositeKey+"/"+manifestName {
			continue
		}
		at := placeOf(reference{}, f.CompositeKey)
		dated := datedKey{f.CompositeKey, instant(string(f.Fragment))}
		if at.packageID == "" {
			recipes[at.scope()] = append(recipes[at.scope()], dated)
		} else {
			line := at.recipeKey() + "/" + at.packageID
			binaries[line] = append(binaries[line], dated)
		}
	}
	old, whole := map[string]bool{}, map[string]bool{}
	thin(recipes, settings.ConanKeepRecipes, old, whole)
	thin(binaries, settings.ConanKeepPackages, old, whole)
	var gone []registry.FileState
	for _, f := range files {
		recipe := placeOf(reference{}, f.CompositeKey).recipeKey()
		abandoned := (!whole[f.CompositeKey] || !whole[recipe]) && now.Sub(f.CreatedAt) > abandonedAfter
		if old[f.CompositeKey] || old[recipe] || abandoned {
			gone = append(gone, f)
		}
	}
	return gone
}

type datedKey struct {
	key string
	at  time.Time
}

// thin notes the complete revisions of some lines as whole, and as old those
// that are not among the newest of their line; keep 0 keeps all.
func thin(lines map[string][]datedKey, keep int, old, whole map[string]bool) {
	for _, line := range lines {
		slices.SortFunc(line, func(a, b datedKey) int { return b.at.Compare(a.at) })
		for i, revision := range line {
			whole[revision.key] = true
			old[revision.key] = keep > 0 && i >= keep
		}
	}
}

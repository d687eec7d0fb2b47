package conan

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// The most rows that a version's page shows, newest first.
const (
	shownRevisions = 100
	shownPackages  = 200
)

// facts are what a version's page shows of its recipe beside the facts all
// types share.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	md, err := protocols.Metadata[metadata](v)
	if err != nil {
		return nil, err
	}
	var all []registry.Fact
	if md.PackageType != "" {
		all = append(all, registry.Fact{Name: "package-type", Title: "Package type", Value: md.PackageType})
	}
	if len(md.Settings) > 0 {
		all = append(all, registry.Fact{Name: "settings", Title: "Settings", Value: strings.Join(md.Settings, ", ")})
	}
	if len(md.Options) > 0 {
		f := registry.Fact{Name: "options", Title: "Options", Columns: []string{"Option", "Values"}}
		for _, o := range md.Options {
			f.Rows = append(f.Rows, []string{o.Name, o.Values})
		}
		all = append(all, f)
	}
	return all, nil
}

// storedFacts are the revisions that are here, and the binaries of the newest
// of each recipe with what they were built for.
func storedFacts(ctx context.Context, h registry.Holdings, v *ent.PackageVersion) ([]registry.Fact, error) {
	all, err := complete(ctx, h, v.NormalizedVersion, func(place) bool { return true })
	if err != nil {
		return nil, err
	}
	binaries := map[string]int{} // by the recipe's key
	newest := map[string]string{}
	for _, at := range all { // newest first
		switch {
		case at.packageID != "":
			binaries[at.recipeKey()]++
		case newest[at.scope()] == "":
			newest[at.scope()] = at.rrev
		}
	}
	revisions := registry.Fact{Name: "revisions", Title: "Recipe revisions", Columns: []string{"Recipe", "Published", "Packages", "Download"}}
	var shown []place
	seen := map[string]bool{}
	for _, at := range all {
		if at.packageID == "" && len(revisions.Rows) < shownRevisions {
			full := at.String() + "#" + at.rrev
			revisions.Rows = append(revisions.Rows, []string{full, at.at.Format(time.DateTime), fmt.Sprint(binaries[at.recipeKey()]), "conan download " + full + ":* -r ent"})
		}
		if line := at.recipeKey() + at.packageID; at.packageID != "" && at.rrev == newest[at.scope()] && !seen[line] && len(shown) < shownPackages {
			seen[line] = true
			shown = append(shown, at.place)
		}
	}
	packages, err := packageTable(ctx, h, v.NormalizedVersion, shown)
	if err != nil {
		return nil, err
	}
	var found []registry.Fact
	for _, f := range []registry.Fact{revisions, packages} {
		if len(f.Rows) > 0 {
			found = append(found, f)
		}
	}
	return found, nil
}

// packageTable lists binaries by what they were built for.
func packageTable(ctx context.Context, h registry.Holdings, version string, all []place) (registry.Fact, error) {
	keys := make([]string, len(all))
	for i, at := range all {
		keys[i] = at.key()
	}
	table := registry.Fact{Name: "packages", Title: "Packages", Columns: []string{"Recipe", "Package", "Settings", "Options", "Requires"}}
	fragments, err := h.Fragments(ctx, version, conaninfoName, keys)
	if err != nil {
		return table, err
	}
	for _, at := range all {
		var info packageInfo
		if raw := fragments[at.key()]; len(raw) > 0 {
			if err := json.Unmarshal(raw, &info); err != nil {
				return table, fmt.Errorf("decode package: %w", err)
			}
		}
		table.Rows = append(table.Rows, []string{at.String(), at.packageID, pairs(info.Settings), pairs(info.Options), strings.Join(info.Requires, " ")})
	}
	slices.SortStableFunc(table.Rows, func(a, b []string) int { return slices.Compare(a[:1], b[:1]) })
	return table, nil
}

// pairs writes settings or options in a line.
func pairs(m map[string]string) string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		all = append(all, key+"="+m[key])
	}
	return strings.Join(all, " ")
}

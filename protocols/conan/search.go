package conan

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"entrepot/protocols"
	"entrepot/registry"
)

// noDescription is what is said of a binary of which nothing else is asked or
// known.
var noDescription = json.RawMessage(`{"content":""}`)

// searchPackages lists the binaries of a recipe's revision, or of its newest,
// each as its newest revision describes it. With list_only=True the client
// wants their ids alone.
func searchPackages(w http.ResponseWriter, r *protocols.Request) error {
	kind, listOnly := "search", r.URL.Query().Get("list_only") == "True"
	if listOnly {
		kind = "list"
	}
	return serve(w, r, kind, func(ctx context.Context, h registry.Holdings, at place) (any, error) {
		at, err := completeRecipe(ctx, h, at)
		if err != nil {
			return nil, err
		}
		files, err := h.Listed(ctx, packagesList(h.PackageID(), at), 0)
		if err != nil {
			return nil, err
		}
		var all []place
		seen := map[string]bool{}
		for _, f := range files { // newest first
			if binary := placeOf(at.reference, f.CompositeKey); !seen[binary.packageID] {
				seen[binary.packageID] = true
				all = append(all, binary)
			}
		}
		return describe(ctx, h, all, listOnly)
	})
}

// completeRecipe is the place if it names a complete revision of a recipe, and
// that of the newest revision if it names none. Error: NotFound.
func completeRecipe(ctx context.Context, h registry.Holdings, at place) (place, error) {
	if at.rrev == "" {
		newest, err := latest(ctx, h, recipeList(h.PackageID(), at.reference), at)
		at.rrev = newest.Revision
		return at, err
	}
	manifests, err := h.Fragments(ctx, at.version, manifestName, []string{at.recipeKey()})
	if err == nil && len(manifests) == 0 {
		err = missing(at)
	}
	return at, err
}

// describe says of each binary what its conaninfo.txt does.
func describe(ctx context.Context, h registry.Holdings, all []place, listOnly bool) (map[string]json.RawMessage, error) {
	described := make(map[string]json.RawMessage, len(all))
	keys := make([]string, len(all))
	for i, binary := range all {
		keys[i] = binary.key()
		described[binary.packageID] = noDescription
	}
	if listOnly || len(all) == 0 {
		return described, nil
	}
	fragments, err := h.Fragments(ctx, all[0].version, conaninfoName, keys)
	if err != nil {
		return nil, err
	}
	for _, binary := range all {
		if fragment := fragments[binary.key()]; len(fragment) > 0 {
			described[binary.packageID] = fragment
		}
	}
	return described, nil
}

// searchAllPackages is searchPackages in version 1, which knows no revisions:
// of all of the recipe's. A query in q is for the client to apply.
func searchAllPackages(w http.ResponseWriter, r *protocols.Request) error {
	return serve(w, r, "all", func(ctx context.Context, h registry.Holdings, at place) (any, error) {
		newest, err := latest(ctx, h, recipeList(h.PackageID(), at.reference), at)
		if err != nil {
			return nil, err
		}
		all, err := newestPackages(ctx, h, at.reference, newest.Revision)
		if err != nil {
			return nil, err
		}
		return describe(ctx, h, all, false)
	})
}

// newestPackages returns a recipe's binaries, each once: the newest of the
// preferred recipe's revision if that has one, else the newest of all.
func newestPackages(ctx context.Context, h registry.Holdings, ref reference, preferred string) ([]place, error) {
	all, err := completePackages(ctx, h, ref)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b datedPlace) int {
		rank := func(d datedPlace) int {
			if d.rrev == preferred {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.packageID, b.packageID), cmp.Compare(rank(a), rank(b)), b.at.Compare(a.at))
	})
	all = slices.CompactFunc(all, func(a, b datedPlace) bool { return a.packageID == b.packageID })
	places := make([]place, len(all))
	for i, d := range all {
		places[i] = d.place
	}
	return places, nil
}

// datedPlace is a complete revision and the instant at which it became so.
type datedPlace struct {
	place
	at time.Time
}

// completePackages returns the complete revisions of all binaries of a recipe,
// whatever its revision.
func completePackages(ctx context.Context, h registry.Holdings, ref reference) ([]datedPlace, error) {
	all, err := complete(ctx, h, ref.version, func(at place) bool { return at.packageID != "" && at.scope() == ref.scope() })
	for i := range all {
		all[i].reference = ref
	}
	return all, err
}

// complete returns the complete revisions in a version that pick chooses, the
// newest first.
func complete(ctx context.Context, h registry.Holdings, version string, pick func(place) bool) ([]datedPlace, error) {
	files, err := h.FileKeys(ctx, version)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, f := range files {
		if f.NormalizedName == manifestName && pick(placeOf(reference{version: version}, f.CompositeKey)) {
			keys = append(keys, f.CompositeKey)
		}
	}
	instants, err := h.Fragments(ctx, version, manifestName, keys)
	if err != nil {
		return nil, err
	}
	var all []datedPlace
	for _, key := range keys {
		if at, there := instants[key]; there { // else it has gone meanwhile
			all = append(all, datedPlace{placeOf(reference{name: h.Name(), version: version}, key), instant(string(at))})
		}
	}
	slices.SortStableFunc(all, func(a, b datedPlace) int { return b.at.Compare(a.at) })
	return all, nil
}

package conan

import (
	"context"
	"net/http"
	"slices"

	"entrepot/protocols"
	"entrepot/registry"
)

// onlyRevision is what version 1 writes: it has no revisions.
const onlyRevision = "0"

// newest is the complete revision that version 1 reads: of the recipe, or of
// the binary that the path names. Error: NotFound.
func newest(ctx context.Context, h registry.Holdings, at place) (place, error) {
	recipe, err := latest(ctx, h, recipeList(h.PackageID(), at.reference), at)
	if err != nil {
		return at, err
	}
	if at.packageID == "" {
		at.rrev = recipe.Revision
		return at, nil
	}
	all, err := newestPackages(ctx, h, at.reference, recipe.Revision)
	if err != nil {
		return at, err
	}
	i := slices.IndexFunc(all, func(binary place) bool { return binary.packageID == at.packageID })
	if i < 0 {
		return at, missing(at)
	}
	return all[i], nil
}

// snapshot answers with the MD5 of each file of the newest revision.
func snapshot(w http.ResponseWriter, r *protocols.Request) error {
	return serve(w, r, "snapshot", func(ctx context.Context, h registry.Holdings, at place) (any, error) {
		at, err := newest(ctx, h, at)
		if err != nil {
			return nil, err
		}
		blobs, err := h.ListedBlobs(ctx, filesList(h.PackageID(), at))
		if err != nil {
			return nil, err
		}
		sums := make(map[string]string, len(blobs))
		for name, blob := range blobs {
			if sums[name], err = r.Checksum(blob, "md5"); err != nil {
				return nil, err
			}
		}
		return sums, nil
	})
}

// digest answers with where the manifest of the newest revision is.
func digest(w http.ResponseWriter, r *protocols.Request) error {
	return serve(w, r, "digest "+r.Root(), func(ctx context.Context, h registry.Holdings, at place) (any, error) {
		at, err := newest(ctx, h, at)
		if err != nil {
			return nil, err
		}
		return map[string]string{manifestName: fileURL(r, at, manifestName)}, nil
	})
}

// downloadURLs answers with where the files of the newest revision are.
func downloadURLs(w http.ResponseWriter, r *protocols.Request) error {
	return serve(w, r, "urls "+r.Root(), func(ctx context.Context, h registry.Holdings, at place) (any, error) {
		at, err := newest(ctx, h, at)
		if err != nil {
			return nil, err
		}
		files, err := h.Listed(ctx, filesList(h.PackageID(), at), 0)
		if err != nil {
			return nil, err
		}
		urls := make(map[string]string, len(files))
		for _, f := range files {
			urls[f.NormalizedName] = fileURL(r, at, f.NormalizedName)
		}
		return urls, nil
	})
}

// fileURL is where version 1 finds a file. It is not signed, so that clients
// send their token along.
func fileURL(r *protocols.Request, at place, name string) string {
	segments := []string{"v1", "files", at.name, at.version, orNone(at.user), orNone(at.channel), at.rrev}
	if at.packageID == "" {
		segments = append(segments, "recipe")
	} else {
		segments = append(segments, "package", at.packageID, at.prev)
	}
	path, ok := protocols.SplitPath(name) // names of metadata have slashes
	if !ok {
		path = []string{name}
	}
	return r.Root() + protocols.JoinPath(append(segments, path...)...)
}

// uploadURLs answers with where the files that a client is about to upload are
// to be put. What will not be taken is refused here, before anything is sent.
func uploadURLs(w http.ResponseWriter, r *protocols.Request) error {
	at, err := parsePlace(r.Params)
	if err != nil {
		return err
	}
	var sizes map[string]int64
	if err := readJSON(r, &sizes); err != nil {
		return err
	}
	at.rrev = onlyRevision
	if at.packageID != "" {
		at.prev = onlyRevision
	}
	urls := make(map[string]string, len(sizes))
	for name, size := range sizes {
		if err := at.checkPath(name); err != nil {
			return err
		}
		if size < 0 {
			return registry.FieldErrorf("size", "%s cannot have %d bytes", name, size)
		}
		if err := r.Registry.CheckSize(size); err != nil {
			return err
		}
		urls[name] = fileURL(r, at, name)
	}
	w.Header().Set("Cache-Control", "no-store")
	protocols.WriteJSON(w, r.Request, http.StatusOK, urls)
	return nil
}

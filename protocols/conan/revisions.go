package conan

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// jsonType is the media type of documents, exactly as the client compares it.
const jsonType = "application/json"

// revisionItem is a revision as documents name it.
type revisionItem struct {
	Revision string `json:"revision"`
	Time     string `json:"time"`
}

type revisionList struct {
	Revisions []revisionItem `json:"revisions"`
}

// latestRecipe answers with the newest revision of a recipe.
func latestRecipe(w http.ResponseWriter, r *protocols.Request) error {
	return serve(w, r, "latest", func(ctx context.Context, h registry.Holdings, at place) (any, error) {
		return latest(ctx, h, recipeList(h.PackageID(), at.reference), at)
	})
}

// latestPackage answers with the newest revision of a binary.
func latestPackage(w http.ResponseWriter, r *protocols.Request) error {
	return serve(w, r, "latest", func(ctx context.Context, h registry.Holdings, at place) (any, error) {
		return latest(ctx, h, packageList(h.PackageID(), at), at)
	})
}

// recipeRevisions lists the revisions of a recipe, newest first.
func recipeRevisions(w http.ResponseWriter, r *protocols.Request) error {
	return serve(w, r, "revisions", func(ctx context.Context, h registry.Holdings, at place) (any, error) {
		return revisions(ctx, h, recipeList(h.PackageID(), at.reference), at, 0)
	})
}

// packageRevisions lists the revisions of a binary, newest first.
func packageRevisions(w http.ResponseWriter, r *protocols.Request) error {
	return serve(w, r, "revisions", func(ctx context.Context, h registry.Holdings, at place) (any, error) {
		return revisions(ctx, h, packageList(h.PackageID(), at), at, 0)
	})
}

// revisions reads a list of manifests, from the newest on. Error: NotFound when
// it is empty: of what was never completed there is nothing to tell.
func revisions(ctx context.Context, h registry.Holdings, list string, at place, limit int) (revisionList, error) {
	files, err := h.Listed(ctx, list, limit)
	if err != nil {
		return revisionList{}, err
	}
	if len(files) == 0 {
		return revisionList{}, missing(at)
	}
	all := make([]revisionItem, len(files))
	for i, f := range files {
		key := f.CompositeKey
		all[i] = revisionItem{key[strings.LastIndexByte(key, '/')+1:], instant(f.Place).Format(timeLayout)}
	}
	return revisionList{all}, nil
}

func latest(ctx context.Context, h registry.Holdings, list string, at place) (revisionItem, error) {
	all, err := revisions(ctx, h, list, at, 1)
	if err != nil {
		return revisionItem{}, err
	}
	return all.Revisions[0], nil
}

// missing is the answer for a thing that has no complete revision.
func missing(at place) error {
	what := at.String()
	if at.rrev != "" {
		what += "#" + at.rrev
	}
	if at.packageID != "" {
		what += ":" + at.packageID
	}
	return registry.Errorf(registry.NotFound, "there is no %s", what)
}

// fileList is a revision's files, by their paths. There is nothing to say of
// each: clients look at the keys.
type fileList struct {
	Files map[string]struct{} `json:"files"`
}

// listFiles lists the files of a revision, complete or not.
func listFiles(w http.ResponseWriter, r *protocols.Request) error {
	return serve(w, r, "files", func(ctx context.Context, h registry.Holdings, at place) (any, error) {
		files, err := h.Listed(ctx, filesList(h.PackageID(), at), 0)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, missing(at)
		}
		list := fileList{make(map[string]struct{}, len(files))}
		for _, f := range files {
			list.Files[f.NormalizedName] = struct{}{}
		}
		return list, nil
	})
}

// composer makes the value of a JSON document of what a package holds.
type composer func(ctx context.Context, h registry.Holdings, at place) (any, error)

// serve answers with a JSON document about what the path names. kind tells the
// documents of one thing apart.
func serve(w http.ResponseWriter, r *protocols.Request, kind string, compose composer) error {
	at, err := parsePlace(r.Params)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), at.name, access.Read)
	if err != nil {
		return err
	}
	return serveOf(w, r, p, at, kind, compose)
}

func serveOf(w http.ResponseWriter, r *protocols.Request, p *ent.Pkg, at place, kind string, compose composer) error {
	// Revisions that the path does not name are empty in the key.
	key := registry.DocumentKey{Package: p, Name: "conan " + kind + " " + at.version + "/" + at.key()}
	h := r.Space.Holdings(p)
	return protocols.ServeDocument(w, r, key, jsonType, func(ctx context.Context, w io.Writer) error {
		v, err := compose(ctx, h, at)
		if err != nil {
			return err
		}
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return e.Encode(v)
	})
}

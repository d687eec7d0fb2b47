package cargo

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// What the public registry's web API tells of crates, as far as renovate,
// badges and the like read it. It is put
// together from the lines of the index and the rows of the versions.
type (
	shownCrate struct {
		ID               string    `json:"id"`
		Name             string    `json:"name"`
		Description      string    `json:"description"`
		Homepage         *string   `json:"homepage"`
		Documentation    *string   `json:"documentation"`
		Repository       *string   `json:"repository"`
		Keywords         []string  `json:"keywords"`
		Categories       []string  `json:"categories"`
		MaxVersion       string    `json:"max_version"`
		MaxStableVersion *string   `json:"max_stable_version"`
		NewestVersion    string    `json:"newest_version"`
		CreatedAt        time.Time `json:"created_at"`
		UpdatedAt        time.Time `json:"updated_at"`
		Versions         []int64   `json:"versions"`
	}
	shownVersion struct {
		ID          int64               `json:"id"`
		Crate       string              `json:"crate"`
		Num         string              `json:"num"`
		DLPath      string              `json:"dl_path"`
		ReadmePath  string              `json:"readme_path"`
		CreatedAt   time.Time           `json:"created_at"`
		Yanked      bool                `json:"yanked"`
		YankMessage *string             `json:"yank_message"`
		License     *string             `json:"license"`
		CrateSize   int64               `json:"crate_size"`
		Checksum    string              `json:"checksum"`
		RustVersion *string             `json:"rust_version"`
		Edition     *string             `json:"edition"`
		Links       *string             `json:"links"`
		Features    map[string][]string `json:"features"`
	}
	shownDependency struct {
		ID              int      `json:"id"`
		VersionID       int64    `json:"version_id"`
		CrateID         string   `json:"crate_id"`
		Req             string   `json:"req"`
		Optional        bool     `json:"optional"`
		DefaultFeatures bool     `json:"default_features"`
		Features        []string `json:"features"`
		Target          *string  `json:"target"`
		Kind            string   `json:"kind"`
	}
)

// showCrate tells of a crate and all its versions.
func showCrate(w http.ResponseWriter, r *protocols.Request) error {
	return serveVersions(w, r, "cargo crate", func(c *registry.Contents, all []shownVersion) any {
		return map[string]any{
			"crate": newShownCrate(c, all), "versions": all,
			"keywords": []string{}, "categories": []string{},
		}
	})
}

// listVersions tells of the versions alone.
func listVersions(w http.ResponseWriter, r *protocols.Request) error {
	return serveVersions(w, r, "cargo versions", func(_ *registry.Contents, all []shownVersion) any {
		return map[string]any{"versions": all, "meta": map[string]int{"total": len(all)}}
	})
}

// serveVersions answers with a document about all versions of the crate that
// the path names, from the highest to the lowest.
func serveVersions(w http.ResponseWriter, r *protocols.Request, document string, answer func(*registry.Contents, []shownVersion) any) error {
	p, err := findCrate(r, access.Read)
	if err != nil {
		return err
	}
	key := registry.DocumentKey{Package: p, Name: document}
	return protocols.ServeDocument(w, r, key, "application/json", func(ctx context.Context, w io.Writer) error {
		contents, err := r.Space.Contents(ctx, p)
		if err != nil {
			return err
		}
		all, err := showVersions(ctx, r, p, contents)
		if err != nil {
			return err
		}
		body, err := encode(answer(contents, all))
		if err != nil {
			return err
		}
		_, err = w.Write(append(body, '\n'))
		return err
	})
}

func showVersions(ctx context.Context, r *protocols.Request, p *ent.Pkg, c *registry.Contents) ([]shownVersion, error) {
	sorted, err := bySemVer(c.Versions)
	if err != nil {
		return nil, err
	}
	slices.Reverse(sorted)
	ids := make([]string, len(sorted))
	for i, v := range sorted {
		ids[i] = v.NormalizedVersion
	}
	rows, err := r.Space.Holdings(p).Versions(ctx, ids)
	if err != nil {
		return nil, err
	}
	all := make([]shownVersion, 0, len(sorted))
	for _, v := range sorted {
		row := rows[v.NormalizedVersion]
		if row == nil {
			continue // deleted between the two look-ups
		}
		head, tail, err := decodeLine(v.Fragment)
		if err != nil {
			return nil, err
		}
		row.Yanked, row.StatusReason, row.CreatedAt = v.Yanked, v.StatusReason, v.CreatedAt
		all = append(all, newShownVersion(r.Space.Owner.Name, p.Name, row, head, tail))
	}
	return all, nil
}

func newShownVersion(owner, name string, v *ent.PackageVersion, head lineHead, tail lineTail) shownVersion {
	var md metadata
	_ = json.Unmarshal(v.Metadata, &md) // what is not there is not shown
	path := protocols.JoinPath("api", "packages", owner, typeName, "api", "v1", "crates", name, v.Version)
	shown := shownVersion{
		ID: v.ID, Crate: name, Num: v.Version, DLPath: path + "/download", ReadmePath: path + "/readme",
		CreatedAt: v.CreatedAt.UTC(), Yanked: v.Yanked, License: orNull(v.License),
		CrateSize: md.Size, Checksum: head.Cksum, RustVersion: orNull(tail.RustVersion), Edition: orNull(md.Edition), Links: tail.Links,
		Features: head.Features,
	}
	if v.Yanked {
		shown.YankMessage = orNull(v.StatusReason)
	}
	for feature, values := range tail.Features2 {
		shown.Features[feature] = values
	}
	return shown
}

func newShownCrate(c *registry.Contents, all []shownVersion) shownCrate {
	p, latest := c.Package, c.Latest
	var md metadata
	_ = json.Unmarshal(latest.Metadata, &md) // what is not there is not shown
	crate := shownCrate{
		ID: p.Name, Name: p.Name, Description: latest.Summary,
		Homepage: orNull(latest.Homepage), Documentation: orNull(md.Documentation), Repository: orNull(latest.RepositoryURL),
		Keywords: append([]string{}, latest.Keywords...), Categories: append([]string{}, md.Categories...),
		MaxVersion: latest.Version, NewestVersion: c.Versions[len(c.Versions)-1].Version,
		CreatedAt: p.CreatedAt.UTC(), UpdatedAt: p.UpdatedAt.UTC(),
	}
	if !latest.Prerelease && !latest.Yanked {
		crate.MaxStableVersion = &latest.Version
	}
	for _, v := range all {
		crate.Versions = append(crate.Versions, v.ID)
	}
	return crate
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// lineOf returns a version's line of the index.
func lineOf(r *protocols.Request, p *ent.Pkg, v *ent.PackageVersion) (lineHead, lineTail, error) {
	f, err := r.Space.File(r.Context(), p, v.NormalizedVersion, fileKey(p.Name, v.Version), "")
	if err != nil {
		return lineHead{}, lineTail{}, err
	}
	return decodeLine(f.Fragment)
}

// showVersion tells of one version.
func showVersion(w http.ResponseWriter, r *protocols.Request) error {
	p, v, err := findVersion(r, access.Read)
	if err != nil {
		return err
	}
	head, tail, err := lineOf(r, p, v)
	if err != nil {
		return err
	}
	protocols.WriteJSON(w, r.Request, http.StatusOK, map[string]shownVersion{
		"version": newShownVersion(r.Space.Owner.Name, p.Name, v, head, tail),
	})
	return nil
}

// readme sends a version's readme as it was published.
func readme(w http.ResponseWriter, r *protocols.Request) error {
	_, v, err := findVersion(r, access.Read)
	if err != nil {
		return err
	}
	if v.Readme == "" {
		return notFound("readme")
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(v.Readme)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		io.WriteString(w, v.Readme) // the client has it or is gone
	}
	return nil
}

// listDependencies tells what a version needs.
func listDependencies(w http.ResponseWriter, r *protocols.Request) error {
	p, v, err := findVersion(r, access.Read)
	if err != nil {
		return err
	}
	head, _, err := lineOf(r, p, v)
	if err != nil {
		return err
	}
	all := make([]shownDependency, len(head.Deps))
	for i, d := range head.Deps {
		all[i] = newShownDependency(i, v, d)
	}
	protocols.WriteJSON(w, r.Request, http.StatusOK, map[string][]shownDependency{"dependencies": all})
	return nil
}

func newShownDependency(i int, v *ent.PackageVersion, d lineDep) shownDependency {
	shown := shownDependency{
		ID: i + 1, VersionID: v.ID, CrateID: d.Name, Req: d.Req, Optional: d.Optional, DefaultFeatures: d.DefaultFeatures,
		Features: d.Features, Target: d.Target, Kind: d.Kind,
	}
	if d.Package != nil {
		shown.CrateID = *d.Package
	}
	return shown
}

// listDependents tells which crates of the registry need one: those whose
// latest version does. Needed crates need not be here themselves.
func listDependents(w http.ResponseWriter, r *protocols.Request) error {
	name := r.Params["crate"]
	if !validName(name) {
		return notFound("crate")
	}
	query := r.URL.Query()
	size := number(query.Get("per_page"), defaultResults, maxResults)
	page := max(number(query.Get("page"), 1, maxPage), 1)
	packages, total, err := r.Space.Dependents(r.Context(), registry.Property{Name: dependsOn, Value: fold(name)}, (page-1)*size, size)
	if err != nil {
		return err
	}
	dependencies, versions := []shownDependency{}, []shownVersion{}
	for _, p := range packages {
		v := p.Edges.Latest
		if v == nil {
			continue
		}
		head, tail, err := lineOf(r, p, v)
		if registry.CodeOf(err) == registry.NotFound {
			continue // deleted meanwhile
		}
		if err != nil {
			return err
		}
		versions = append(versions, newShownVersion(r.Space.Owner.Name, p.Name, v, head, tail))
		for i, d := range head.Deps {
			if shown := newShownDependency(i, v, d); d.Registry == nil && fold(shown.CrateID) == fold(name) {
				dependencies = append(dependencies, shown)
			}
		}
	}
	protocols.WriteJSON(w, r.Request, http.StatusOK, map[string]any{
		"dependencies": dependencies, "versions": versions, "meta": map[string]int{"total": total},
	})
	return nil
}

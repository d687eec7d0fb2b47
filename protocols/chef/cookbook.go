package chef

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// timeFormat is a time in the documents.
const timeFormat = "2006-01-02T15:04:05.000Z"

func when(t time.Time) string { return t.UTC().Format(timeFormat) }

// orNull is a text, or null for none.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// showCookbook tells of a cookbook.
// https://docs.chef.io/supermarket/supermarket_api/#get-cookbooks-cookbook
func showCookbook(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findPackage(r, access.Read)
	if err != nil {
		return err
	}
	root, secret, err := base(r, p)
	if err != nil {
		return err
	}
	// Downloads are counted without a change of the generation.
	key := registry.DocumentKey{Package: p, Name: fmt.Sprint("chef cookbook ", p.Downloads, " ", r.Root())}
	return serve(w, r, key, root, secret, func(ctx context.Context, w io.Writer) error {
		c, err := r.Space.Contents(ctx, p)
		if err != nil {
			return err
		}
		return writeCookbook(w, urls{r.Root()}, c)
	})
}

// cookbook is the document of a cookbook.
type cookbook struct {
	Name          string   `json:"name"`
	Maintainer    string   `json:"maintainer"`
	Description   string   `json:"description"`
	Category      string   `json:"category"`
	LatestVersion string   `json:"latest_version"`
	ExternalURL   *string  `json:"external_url"`
	SourceURL     *string  `json:"source_url"`
	IssuesURL     *string  `json:"issues_url"`
	Rating        *float64 `json:"average_rating"`
	CreatedAt     string   `json:"created_at"`
	UpdatedAt     string   `json:"updated_at"`
	ForAdoption   bool     `json:"up_for_adoption"`
	Deprecated    bool     `json:"deprecated"`
	Replacement   string   `json:"replacement,omitempty"`
	Versions      []string `json:"versions"`
	Metrics       struct {
		Downloads struct {
			Total    int64            `json:"total"`
			Versions map[string]int64 `json:"versions"`
		} `json:"downloads"`
		Followers int `json:"followers"`
	} `json:"metrics"`
}

func writeCookbook(w io.Writer, u urls, c *registry.Contents) error {
	name := c.Package.Name
	rec := &record{}
	versions := slices.Clone(c.Versions)
	slices.SortFunc(versions, func(a, b registry.VersionFragment) int { return compareVersions(b.Version, a.Version) })
	doc := cookbook{
		Name: name, LatestVersion: u.version(name, c.Latest.Version), Versions: []string{},
		CreatedAt: when(c.Package.CreatedAt), UpdatedAt: when(c.Package.UpdatedAt), Deprecated: c.State.State == deprecated,
	}
	doc.Metrics.Downloads.Total, doc.Metrics.Downloads.Versions = c.Package.Downloads, map[string]int64{}
	for _, v := range versions {
		if v.ID == c.Latest.ID {
			var err error
			if rec, err = parseRecord(v.Fragment); err != nil {
				return err
			}
		}
		doc.Metrics.Downloads.Versions[v.Version] = v.Downloads
		if !v.Yanked {
			doc.Versions = append(doc.Versions, u.version(name, v.Version))
		}
	}
	doc.Maintainer, doc.Description, doc.Category = rec.Maintainer, rec.Description, rec.Category
	doc.ExternalURL, doc.SourceURL, doc.IssuesURL = orNull(rec.SourceURL), orNull(rec.SourceURL), orNull(rec.IssuesURL)
	if reason := strings.TrimSpace(c.State.Reason); doc.Deprecated {
		doc.Replacement = protocols.WebURL(reason)
		if validName(reason) {
			doc.Replacement = u.cookbook(reason)
		}
	}
	return json.NewEncoder(w).Encode(doc)
}

// compareVersions compares versions by their numbers.
func compareVersions(a, b string) int {
	left, _ := parseVersion(a)
	right, _ := parseVersion(b)
	return cmp.Or(slices.Compare(left.numbers[:], right.numbers[:]), strings.Compare(a, b))
}

// showVersion tells of a version.
// https://docs.chef.io/supermarket/supermarket_api/#get-cookbooks-cookbook-versions-version
func showVersion(w http.ResponseWriter, r *protocols.Request) error {
	p, f, err := findFile(r)
	if err != nil {
		return err
	}
	root, secret, err := base(r, p)
	if err != nil {
		return err
	}
	key := registry.DocumentKey{Package: p, Name: fmt.Sprint("chef version ", f.ID, " ", r.Root())}
	return serve(w, r, key, root, secret, func(_ context.Context, w io.Writer) error {
		rec, err := parseRecord(f.Fragment)
		if err != nil {
			return err
		}
		u := urls{r.Root()}
		return json.NewEncoder(w).Encode(struct {
			License      string            `json:"license"`
			Size         int64             `json:"tarball_file_size"`
			Version      string            `json:"version"`
			PublishedAt  string            `json:"published_at"`
			Rating       *float64          `json:"average_rating"`
			Cookbook     string            `json:"cookbook"`
			File         string            `json:"file"`
			Dependencies map[string]string `json:"dependencies"`
			Platforms    map[string]string `json:"platforms"`
			Supports     map[string]string `json:"supports"`
		}{rec.License, f.Edges.Blob.Size, rec.Version, when(f.CreatedAt), nil, u.cookbook(p.Name), u.download(p.Name, rec.Version), rec.Dependencies, rec.Platforms, rec.Platforms})
	})
}

// download sends the archive of a version.
func download(w http.ResponseWriter, r *protocols.Request) error {
	_, f, err := findFile(r)
	if err != nil {
		return err
	}
	// A deleted version may come back with other bytes: the path is checked
	// again each time.
	return protocols.ServeFile(w, r, f, protocols.FileOptions{ContentType: archiveType, Undated: true, Redirect: http.StatusFound})
}

// maxContingents is how many cookbooks that need one are listed.
const maxContingents = 1000

// contingent tells which cookbooks need one: those whose latest version does.
func contingent(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findPackage(r, access.Read)
	if err != nil {
		return err
	}
	found, _, err := r.Space.Dependents(r.Context(), registry.Property{Name: dependencyProperty, Value: p.NormalizedName}, 0, maxContingents)
	if err != nil {
		return err
	}
	type dependent struct {
		Name         string            `json:"name"`
		Version      string            `json:"version"`
		Dependencies map[string]string `json:"dependencies"`
	}
	all := []dependent{}
	for _, d := range found {
		latest := d.Edges.Latest
		if latest == nil {
			continue
		}
		needs := map[string]string{}
		for _, n := range latest.Dependencies {
			needs[n.Name] = n.Requirement
		}
		all = append(all, dependent{d.Name, latest.Version, needs})
	}
	w.Header().Set("Cache-Control", "no-cache")
	protocols.WriteJSON(w, r.Request, http.StatusOK, map[string][]dependent{"contingents": all})
	return nil
}

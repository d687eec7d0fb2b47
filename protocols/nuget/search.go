package nuget

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// The sizes of a page of results.
const (
	defaultResults = 20
	maxResults     = 1000
	maxSkip        = 1 << 30
	maxWords       = 16
)

// searchQuery is what a search asks for.
type searchQuery struct {
	selection  registry.Selection
	skip, take int
}

// parseSearch reads the query that V3's searches share. Error: Invalid.
//
// https://learn.microsoft.com/nuget/api/search-query-service-resource#request-parameters
func parseSearch(q url.Values) (s searchQuery, err error) {
	number := func(name string, otherwise, most int) int {
		value := q.Get(name)
		if value == "" || err != nil {
			return otherwise
		}
		n, e := strconv.Atoi(value)
		if e != nil || n < 0 {
			err = registry.FieldErrorf(name, "%s is a number from 0 on, not %.100q", name, value)
		}
		return min(n, most)
	}
	s.skip = number("skip", 0, maxSkip)
	if s.take = number("take", defaultResults, maxResults); s.take == 0 {
		s.take = defaultResults
	}
	prerelease := false
	if value := q.Get("prerelease"); value != "" && err == nil {
		if prerelease, err = strconv.ParseBool(strings.ToLower(value)); err != nil {
			err = registry.FieldErrorf("prerelease", "prerelease is true or false, not %.100q", value)
		}
	}
	s.selection = registry.Selection{Listed: true, Stable: !prerelease, Without: withoutSemVer2(q.Get("semVerLevel"))}
	if t := q.Get("packageType"); t != "" {
		s.selection.With = registry.Property{Name: propertyType, Value: fold(t)}
	}
	return s, err
}

// withoutSemVer2 is the property that versions for a client of the level must
// not have: without a level it is one from before SemVer 2.0.0.
func withoutSemVer2(level string) string {
	if v, ok := parseVersion(level); ok && v.compare(version{numbers: [4]int32{2}}) >= 0 {
		return ""
	}
	return propertySemVer2
}

// found is a result of a search.
//
// https://learn.microsoft.com/nuget/api/search-query-service-resource#search-result
type found struct {
	ID             string         `json:"@id"`
	Type           string         `json:"@type"`
	Registration   string         `json:"registration"`
	Name           string         `json:"id"`
	Version        string         `json:"version"`
	Description    string         `json:"description"`
	Summary        string         `json:"summary"`
	Title          string         `json:"title"`
	IconURL        string         `json:"iconUrl,omitempty"`
	LicenseURL     string         `json:"licenseUrl,omitempty"`
	ProjectURL     string         `json:"projectUrl,omitempty"`
	Tags           []string       `json:"tags"` // PSResourceGet refuses a result without
	Authors        []string       `json:"authors"`
	Owners         []string       `json:"owners"`
	TotalDownloads int64          `json:"totalDownloads"`
	Verified       bool           `json:"verified"`
	PackageTypes   []foundType    `json:"packageTypes"`
	Versions       []foundVersion `json:"versions"`
}

type foundType struct {
	Name string `json:"name"`
}

type foundVersion struct {
	ID        string `json:"@id"`
	Version   string `json:"version"`
	Downloads int64  `json:"downloads"`
}

// search finds packages by words of their ids, titles, tags and descriptions.
func search(w http.ResponseWriter, r *protocols.Request) error {
	query := r.URL.Query()
	s, err := parseSearch(query)
	if err != nil {
		return err
	}
	words := strings.Fields(query.Get("q"))
	s.selection.Words = words[:min(len(words), maxWords)]
	if len(words) > 0 {
		s.selection.First = fold(words[0]) // an id has no spaces; the words after it narrow down
	}
	packages, total, err := r.Space.SelectPackages(r.Context(), s.selection, s.skip, s.take)
	if err != nil {
		return err
	}
	data, err := results(r, packages, s.selection)
	if err != nil {
		return err
	}
	return serveBytes(w, r, jsonType, append(jsonOf(struct {
		TotalHits int     `json:"totalHits"`
		Data      []found `json:"data"`
	}{total, data}), '\n'))
}

// results describe packages by their highest version that was wanted.
func results(r *protocols.Request, packages []*ent.Pkg, sel registry.Selection) ([]found, error) {
	data := []found{}
	if len(packages) == 0 {
		return data, nil
	}
	byPackage, err := versionsOf(r, packages, sel)
	if err != nil {
		return nil, err
	}
	var best []int64
	for _, versions := range byPackage {
		best = append(best, versions[len(versions)-1].ID)
	}
	described, err := r.Space.Described(r.Context(), best)
	if err != nil {
		return nil, err
	}
	u := urls{rootURL(r)}
	for _, p := range packages {
		versions := byPackage[p.ID]
		if len(versions) == 0 {
			continue // it changed between the statements
		}
		v := described[versions[len(versions)-1].ID]
		if v == nil {
			continue
		}
		m, err := decodeManifest(v.Metadata)
		if err != nil {
			return nil, fmt.Errorf("version %d: %w", v.ID, err)
		}
		f := found{
			ID: u.registration(p.Name), Type: "Package", Registration: u.registration(p.Name),
			Name: p.Name, Version: m.Version, Description: m.Description, Summary: m.Summary, Title: m.Title,
			IconURL: u.icon(m), LicenseURL: u.license(m), ProjectURL: m.ProjectURL,
			Tags: append([]string{}, m.Tags...), Authors: append([]string{}, m.Authors...), Owners: []string{r.Space.Owner.Name},
			TotalDownloads: p.Downloads, PackageTypes: []foundType{}, Versions: []foundVersion{},
		}
		for _, t := range m.PackageTypes {
			f.PackageTypes = append(f.PackageTypes, foundType{t})
		}
		for _, v := range versions {
			f.Versions = append(f.Versions, foundVersion{u.leaf(p.Name, v.NormalizedVersion), v.Version, v.Downloads})
		}
		data = append(data, f)
	}
	return data, nil
}

// versionsOf lists the wanted versions of packages, lowest first, by the
// packages' ids.
func versionsOf(r *protocols.Request, packages []*ent.Pkg, sel registry.Selection) (map[int64][]row, error) {
	// The packages are found; what is left are conditions on versions.
	of := registry.Selection{Names: make([]string, len(packages)), Stable: sel.Stable, Listed: sel.Listed, With: sel.With, Without: sel.Without}
	for i, p := range packages {
		of.Names[i] = p.NormalizedName
	}
	rows, err := selectRows(r, of, false)
	if err != nil {
		return nil, err
	}
	byPackage := make(map[int64][]row, len(packages))
	for _, v := range rows {
		byPackage[v.PackageID] = append(byPackage[v.PackageID], v)
	}
	return byPackage, nil
}

// row is a version in lists of many packages.
type row struct {
	registry.VersionRow
	version  version
	manifest *manifest // if it was asked for
}

// selectRows lists versions, by id and in NuGet's order.
func selectRows(r *protocols.Request, sel registry.Selection, manifests bool) ([]row, error) {
	versions, err := r.Space.SelectVersions(r.Context(), sel, manifests)
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(versions))
	for i, v := range versions {
		parsed, ok := parseVersion(v.Version)
		if !ok {
			return nil, fmt.Errorf("version %q of %s is none", v.Version, v.Name)
		}
		rows[i] = row{VersionRow: v, version: parsed}
		if manifests {
			if rows[i].manifest, err = decodeManifest(v.Metadata); err != nil {
				return nil, fmt.Errorf("version %d: %w", v.ID, err)
			}
		}
	}
	// Packages are in order; versions are, but for keys that were cut off.
	for start := 0; start < len(rows); {
		end := start
		for end < len(rows) && rows[end].PackageID == rows[start].PackageID {
			end++
		}
		slices.SortStableFunc(rows[start:end], func(a, b row) int { return a.version.compare(b.version) })
		start = end
	}
	return rows, nil
}

// autocomplete completes the id of a package or, of a given one, lists the
// versions.
//
// https://learn.microsoft.com/nuget/api/search-autocomplete-service-resource
func autocomplete(w http.ResponseWriter, r *protocols.Request) error {
	query := r.URL.Query()
	s, err := parseSearch(query)
	if err != nil {
		return err
	}
	data := []string{}
	if id := query.Get("id"); id != "" {
		s.selection.Names = []string{fold(id)}
		rows, err := selectRows(r, s.selection, false)
		if err != nil {
			return err
		}
		for _, v := range rows {
			data = append(data, v.version.String())
		}
		return serveBytes(w, r, jsonType, append(jsonOf(struct {
			Data []string `json:"data"`
		}{data}), '\n'))
	}
	s.selection.InName = fold(strings.TrimSpace(query.Get("q")))
	s.selection.First = s.selection.InName
	packages, total, err := r.Space.SelectPackages(r.Context(), s.selection, s.skip, s.take)
	if err != nil {
		return err
	}
	for _, p := range packages {
		data = append(data, p.Name)
	}
	return serveBytes(w, r, jsonType, append(jsonOf(struct {
		TotalHits int      `json:"totalHits"`
		Data      []string `json:"data"`
	}{total, data}), '\n'))
}

// listVersions answers with the versions a package can be downloaded in,
// unlisted ones too.
//
// https://learn.microsoft.com/nuget/api/package-base-address-resource#enumerate-package-versions
func listVersions(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findPackage(r)
	if err != nil {
		return err
	}
	return serveVersions(w, r, p)
}

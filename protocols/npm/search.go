package npm

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"entrepot/ent"
	"entrepot/protocols"
)

// The sizes of a page of results.
const (
	defaultResults = 20
	maxResults     = 250
	maxWords       = 16
)

// The result of a search,
// https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md#get-v1search.
type (
	results struct {
		Objects []result `json:"objects"`
		Total   int      `json:"total"`
		Time    string   `json:"time"`
	}
	result struct {
		Package     found   `json:"package"`
		Score       score   `json:"score"`
		SearchScore float64 `json:"searchScore"`
	}
	found struct {
		Name        string   `json:"name"`
		Scope       string   `json:"scope"`
		Version     string   `json:"version"`
		Description string   `json:"description"`
		Keywords    []string `json:"keywords"`
		Date        string   `json:"date"`
		Links       links    `json:"links"`
		Author      *person  `json:"author,omitempty"`
		Publisher   user     `json:"publisher"`
		Maintainers []user   `json:"maintainers"` // npm crashes without
		License     string   `json:"license,omitempty"`
	}
	links struct {
		NPM        string `json:"npm"`
		Homepage   string `json:"homepage,omitempty"`
		Repository string `json:"repository,omitempty"`
		Bugs       string `json:"bugs,omitempty"`
	}
	person struct {
		Name string `json:"name"`
	}
	user struct {
		Username string `json:"username"`
	}
	score struct {
		Final  float64     `json:"final"`
		Detail scoreDetail `json:"detail"`
	}
	scoreDetail struct {
		Quality     float64 `json:"quality"`
		Popularity  float64 `json:"popularity"`
		Maintenance float64 `json:"maintenance"`
	}
)

// search finds packages by the words of their name, description and keywords.
func search(w http.ResponseWriter, r *protocols.Request) error {
	query := r.URL.Query()
	words := strings.Fields(query.Get("text"))
	packages, total, err := r.Space.Search(r.Context(), words[:min(len(words), maxWords)],
		number(query.Get("from"), 0, 1<<30), number(query.Get("size"), defaultResults, maxResults))
	if err != nil {
		return err
	}
	list := results{Objects: []result{}, Total: total, Time: instant(time.Now())}
	for _, p := range packages {
		if p.Edges.Latest != nil {
			list.Objects = append(list.Objects, newResult(r, p, p.Edges.Latest))
		}
	}
	w.Header().Set("Cache-Control", "no-cache")
	protocols.WriteJSON(w, r.Request, http.StatusOK, list)
	return nil
}

func newResult(r *protocols.Request, p *ent.Pkg, latest *ent.PackageVersion) result {
	scope, _, scoped := strings.Cut(strings.TrimPrefix(p.Name, "@"), "/")
	if !scoped {
		scope = "unscoped"
	}
	owner := r.Space.Owner.Name
	f := found{
		Name: p.Name, Scope: scope, Version: latest.Version,
		Description: latest.Summary, Keywords: append([]string{}, latest.Keywords...),
		Date: instant(latest.CreatedAt), License: latest.License,
		Links: links{
			NPM:      r.BaseURL + protocols.JoinPath(append([]string{owner, typeName}, strings.Split(p.Name, "/")...)...),
			Homepage: latest.Homepage, Repository: latest.RepositoryURL,
		},
		Publisher:   user{owner},
		Maintainers: []user{{owner}},
	}
	if creator := latest.Edges.Creator; creator != nil {
		f.Publisher.Username = creator.Login
	}
	if len(latest.Authors) > 0 {
		f.Author = &person{latest.Authors[0]}
	}
	var md metadata
	if json.Unmarshal(latest.Metadata, &md) == nil {
		f.Links.Bugs = md.Bugs
	}
	return result{Package: f, Score: score{1, scoreDetail{1, 1, 1}}, SearchScore: 1}
}

// number reads a count from a query; what is none is the default.
func number(text string, otherwise, most int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return otherwise
	}
	return min(n, most)
}

package cargo

import (
	"net/http"
	"strconv"
	"strings"

	"entrepot/protocols"
)

// The sizes of a page of results.
const (
	defaultResults = 10
	maxResults     = 100
	maxPage        = 1 << 20
	maxSearchWords = 16
)

// search finds crates by the words of their name, description and keywords.
// https://doc.rust-lang.org/cargo/reference/registry-web-api.html#search
func search(w http.ResponseWriter, r *protocols.Request) error {
	type found struct {
		Name        string `json:"name"`
		MaxVersion  string `json:"max_version"`
		Description string `json:"description"`
	}
	type meta struct {
		Total int `json:"total"`
	}
	query := r.URL.Query()
	words := strings.Fields(query.Get("q"))
	size := number(query.Get("per_page"), defaultResults, maxResults)
	page := max(number(query.Get("page"), 1, maxPage), 1)
	packages, total, err := r.Space.Search(r.Context(), words[:min(len(words), maxSearchWords)], (page-1)*size, size)
	if err != nil {
		return err
	}
	crates := []found{}
	for _, p := range packages {
		if latest := p.Edges.Latest; latest != nil {
			crates = append(crates, found{p.Name, latest.Version, latest.Summary})
		}
	}
	w.Header().Set("Cache-Control", "no-cache")
	protocols.WriteJSON(w, r.Request, http.StatusOK, struct {
		Crates []found `json:"crates"`
		Meta   meta    `json:"meta"`
	}{crates, meta{total}})
	return nil
}

// number reads a count from a query; what is none is the default.
func number(text string, otherwise, most int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return otherwise
	}
	return min(n, most)
}

package web

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"entrepot/web/queries"
	"entrepot/web/route"
	"entrepot/web/ui"
)

// pageSize is how many entries a page of a list has.
const pageSize = 25

// maxSearch is the longest text that is searched for, in bytes; what follows is left away.
const maxSearch = 200

// search shows the packages that match, with the types and owners to narrow the search to.
func (s *site) search(w http.ResponseWriter, r *http.Request, _ route.Target) error {
	q := r.URL.Query()
	f := searchFilter{Text: searchText(q.Get("q")), Type: q.Get("type"), Owner: q.Get("owner"), Sort: q.Get("sort")}
	p := pagingOf(r, pageSize)
	res, err := queries.Search(r.Context(), s.GraphQL, f.Text, oneOrAll(f.Type), oneOrAll(f.Owner), f.order(),
		p.after, p.before, p.first, p.last)
	if err != nil {
		return err
	}
	found := res.Search.Packages
	v := searchView{
		Page:   s.page(r, "Search", res.Viewer),
		Filter: f,
		Total:  int64(found.TotalCount),
		Pager:  pager(r.URL, found.PageInfo, len(found.Edges), found.TotalCount, "package"),
	}
	v.Page.Search = ui.Search{Query: f.Text, Results: "results"}
	for key, values := range f.values() {
		if key != "q" {
			v.Page.Search.Filters = append(v.Page.Search.Filters, ui.Option{Label: key, Value: values[0]})
		}
	}
	for _, edge := range found.Edges {
		v.Items = append(v.Items, packageItem(edge.Node, true))
	}
	for _, t := range res.Search.Types {
		v.Types = append(v.Types, typeCount{t.Type, int64(t.Count)})
	}
	for _, o := range res.Search.Owners {
		v.Owners = append(v.Owners, ownerCount{o.Owner.Name, int64(o.Count)})
	}
	// What the search is narrowed to is listed also when nothing is found there: one click must lead out of it.
	if f.Type != "" && !slices.ContainsFunc(v.Types, func(t typeCount) bool { return t.Type == f.Type }) {
		v.Types = append(v.Types, typeCount{Type: f.Type})
	}
	if f.Owner != "" && !slices.ContainsFunc(v.Owners, func(o ownerCount) bool { return o.Name == f.Owner }) {
		v.Owners = append(v.Owners, ownerCount{Name: f.Owner})
	}
	return s.show(w, r, searchPage(v))
}

// searchText makes what was typed fit for a search.
func searchText(text string) string {
	text = strings.TrimSpace(strings.ToValidUTF8(text, ""))
	for len(text) > maxSearch {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return strings.ReplaceAll(text, "\x00", "")
}

// oneOrAll is a filter by one value, or none.
func oneOrAll(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// sorting is the order the results are in.
func (f searchFilter) sorting() string {
	switch {
	case f.Sort == sortUpdated, f.Sort == sortDownloads, f.Sort == sortName:
		return f.Sort
	case f.Text == "":
		return sortUpdated
	}
	return sortDownloads
}

func (f searchFilter) order() []queries.PackageOrder {
	switch f.sorting() {
	case sortDownloads:
		return []queries.PackageOrder{{Field: queries.PackageOrderFieldDownloads, Direction: queries.OrderDirectionDesc}}
	case sortName:
		return []queries.PackageOrder{{Field: queries.PackageOrderFieldName, Direction: queries.OrderDirectionAsc}}
	}
	return []queries.PackageOrder{{Field: queries.PackageOrderFieldUpdatedAt, Direction: queries.OrderDirectionDesc}}
}

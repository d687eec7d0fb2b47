package chef

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// The sizes of a page of a list.
const (
	defaultItems   = 10
	maxItems       = 100
	maxStart       = 1 << 30
	maxSearchWords = 16
)

// orders are what lists can be ordered by, other than their names. Nothing here
// has followers.
var orders = map[string]registry.PackageOrder{
	"recently_updated": registry.ByUpdate,
	"recently_added":   registry.ByCreation,
	"most_downloaded":  registry.ByDownloads,
}

// list lists the cookbooks.
// https://docs.chef.io/supermarket/supermarket_api/#get-cookbooks
func list(w http.ResponseWriter, r *protocols.Request) error {
	query := r.URL.Query()
	start, items, err := page(query)
	if err != nil {
		return err
	}
	if user := query.Get("user"); user != "" && !strings.EqualFold(user, r.Space.Owner.Name) {
		return sendList(w, r, start, 0, nil) // all here are the owner's
	}
	found, total, err := r.Space.Listed(r.Context(), orders[query.Get("order")], start, items)
	if err != nil {
		return err
	}
	return sendList(w, r, start, total, found)
}

// search finds cookbooks by words.
// https://docs.chef.io/supermarket/supermarket_api/#get-search
func search(w http.ResponseWriter, r *protocols.Request) error {
	query := r.URL.Query()
	start, items, err := page(query)
	if err != nil {
		return err
	}
	words := strings.Fields(query.Get("q"))
	found, total, err := r.Space.Search(r.Context(), words[:min(len(words), maxSearchWords)], start, items)
	if err != nil {
		return err
	}
	return sendList(w, r, start, total, found)
}

// page reads which part of a list is wanted.
func page(query url.Values) (start, items int, err error) {
	if start, err = number(query, "start", maxStart); err != nil {
		return 0, 0, err
	}
	if items, err = number(query, "items", maxStart); err != nil {
		return 0, 0, err
	}
	if items == 0 {
		items = defaultItems
	}
	return start, min(items, maxItems), nil
}

func number(query url.Values, name string, most int) (int, error) {
	text := query.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		return 0, registry.FieldErrorf(name, "%s is %.100q and should be a number from 0 on", name, text)
	}
	return n, nil
}

// sendList sends a part of a list. knife goes on until it has the total.
func sendList(w http.ResponseWriter, r *protocols.Request, start, total int, found []*ent.Pkg) error {
	root, secret, err := base(r, found...)
	if err != nil {
		return err
	}
	type item struct {
		Name        string `json:"cookbook_name"`
		Maintainer  string `json:"cookbook_maintainer"`
		Description string `json:"cookbook_description"`
		URL         string `json:"cookbook"`
	}
	body := struct {
		Start int    `json:"start"`
		Total int    `json:"total"`
		Items []item `json:"items"`
	}{start, total, []item{}}
	for _, p := range found {
		i := item{Name: p.Name, Description: p.Summary, URL: urls{root}.cookbook(p.Name)}
		if latest := p.Edges.Latest; latest != nil {
			i.Maintainer = strings.Join(latest.Authors, ", ")
		}
		body.Items = append(body.Items, i)
	}
	if !secret {
		w.Header().Set("Cache-Control", "no-cache")
		protocols.WriteJSON(w, r.Request, http.StatusOK, body)
		return nil
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return sendPrivate(w, r, raw)
}

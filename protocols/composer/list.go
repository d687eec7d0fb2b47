package composer

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// maxAvailable is the most packages that packages.json names.
const maxAvailable = 1000

// root answers with packages.json, where a client begins. As long as there are
// not too many, it names the packages that the viewer may read, and Composer
// asks for no other; an empty list would mean that they are not known.
//
// https://getcomposer.org/doc/05-repositories.md#packages
func root(w http.ResponseWriter, r *protocols.Request) error {
	names, err := r.Space.Names(r.Context())
	if err != nil {
		return err
	}
	if len(names) > maxAvailable {
		names = nil
	}
	return serveList(w, r, struct {
		Packages    []string `json:"packages"`
		MetadataURL string   `json:"metadata-url"`
		Search      string   `json:"search"`
		List        string   `json:"list"`
		Available   []string `json:"available-packages,omitempty"`
	}{
		Packages:    []string{},
		MetadataURL: r.Root() + "/p2/%package%.json",
		Search:      r.Root() + "/search.json?q=%query%&type=%type%",
		List:        r.Root() + "/list.json",
		Available:   names,
	})
}

// list answers with the names of all packages that the viewer may read; with
// ?filter= those that fit it, * for any letters, with ?vendor= those of one.
func list(w http.ResponseWriter, r *protocols.Request) error {
	names, err := r.Space.Names(r.Context())
	if err != nil {
		return err
	}
	query := r.URL.Query()
	vendor := strings.ToLower(query.Get("vendor"))
	fits, err := wildcard(query.Get("filter"))
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return !fits.MatchString(name) || vendor != "" && !strings.HasPrefix(name, vendor+"/")
	})
	return serveList(w, r, map[string][]string{"packageNames": append([]string{}, names...)})
}

// wildcard is a pattern with * for any letters; all fits the empty one. Error:
// Invalid for one longer than any name.
func wildcard(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		pattern = "*"
	}
	if len(pattern) > maxName {
		return nil, registry.FieldErrorf("filter", "the filter is longer than %d bytes", maxName)
	}
	quoted := strings.ReplaceAll(regexp.QuoteMeta(strings.ToLower(strings.ToValidUTF8(pattern, "\ufffd"))), `\*`, ".*")
	return regexp.MustCompile("^" + quoted + "$"), nil
}

// serveList sends what depends on who asks, and so has neither a generation
// nor a date: tag and date are made of its bytes. A date is only compared for
// being the same, so any will do that others do not get.
func serveList(w http.ResponseWriter, r *protocols.Request, document any) error {
	body := append(encode(document), '\n')
	sum := fnv.New64a()
	sum.Write(body)
	const years = 20 * 365 * 24 * 3600
	date := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(sum.Sum64()%years) * time.Second)
	gzipped := protocols.AcceptsGzip(r.Header.Get("Accept-Encoding"))
	etag := fmt.Sprintf("\"%x-%x\"", len(body), sum.Sum64())
	if gzipped {
		etag = strings.TrimSuffix(etag, `"`) + `-gz"`
	}
	h := w.Header()
	h.Set("Vary", "Accept, Accept-Encoding, Authorization")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", etag)
	if unchanged(w, r, date) {
		return nil
	}
	if protocols.ETagListed(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if gzipped {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		z.Write(body) // a bytes.Buffer takes everything
		if err := z.Close(); err != nil {
			return err
		}
		body = packed.Bytes()
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(body) // the client has it or is gone
	}
	return nil
}

// The sizes of a page of results.
const (
	defaultResults = 15
	maxResults     = 100
	maxPage        = 1 << 20
	maxWords       = 16
)

// result is a package that a search has found.
type result struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	URL         string `json:"url"`
	Repository  string `json:"repository"`
	Downloads   int64  `json:"downloads"`
	Abandoned   any    `json:"abandoned,omitempty"`
}

// search finds packages by the words of their name, description and keywords,
// and by their type.
//
// https://getcomposer.org/doc/05-repositories.md#search
func search(w http.ResponseWriter, r *protocols.Request) error {
	query := r.URL.Query()
	size := max(number(query.Get("per_page"), defaultResults, maxResults), 1)
	page := max(number(query.Get("page"), 1, maxPage), 1)
	var with []registry.Property
	if kind := query.Get("type"); kind != "" {
		with = append(with, registry.Property{Name: kindProperty, Value: kind})
	}
	words := strings.Fields(query.Get("q"))
	packages, total, err := r.Space.Search(r.Context(), words[:min(len(words), maxWords)], (page-1)*size, size, with...)
	if err != nil {
		return err
	}
	states, err := r.Space.States(r.Context(), packages)
	if err != nil {
		return err
	}
	answer := struct {
		Results []result `json:"results"`
		Total   int      `json:"total"`
		Next    string   `json:"next,omitempty"`
	}{Results: []result{}, Total: total}
	for _, p := range packages {
		answer.Results = append(answer.Results, newResult(r, p, states[p.ID]))
	}
	if page*size < total {
		next := url.Values{"q": {query.Get("q")}, "page": {strconv.Itoa(page + 1)}, "per_page": {strconv.Itoa(size)}}
		if kind := query.Get("type"); kind != "" {
			next.Set("type", kind)
		}
		answer.Next = r.Root() + "/search.json?" + next.Encode()
	}
	w.Header().Set("Cache-Control", "no-cache")
	protocols.WriteJSON(w, r.Request, http.StatusOK, answer)
	return nil
}

func newResult(r *protocols.Request, p *ent.Pkg, state registry.PackageState) result {
	vendor, project, _ := strings.Cut(p.Name, "/")
	found := result{
		Name: p.Name, Description: p.Summary, Repository: p.RepositoryURL, Downloads: p.Downloads,
		URL: r.BaseURL + protocols.JoinPath(r.Space.Owner.Name, typeName, vendor, project),
	}
	switch {
	case state.State != abandoned:
	case validName(state.Reason):
		found.Abandoned = state.Reason
	default:
		found.Abandoned = true
	}
	return found
}

// number reads a count from a query; what is none is the default.
func number(text string, otherwise, most int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return otherwise
	}
	return min(n, most)
}

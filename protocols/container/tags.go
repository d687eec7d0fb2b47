package container

import (
	"net/http"
	"net/url"
	"strconv"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

const (
	// maxTags is how many tags one answer lists.
	maxTags = 10_000
	// maxCatalog is how many repositories one answer lists.
	maxCatalog = 1000
)

type tagList struct {
	Name string   `json:"name"`
	Tags []string `json:"tags"`
}

// listTags lists tags in byte order
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags).
func listTags(w http.ResponseWriter, r *request) error {
	n, last, err := page(r.URL.Query(), maxTags)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), r.image, access.Read)
	if err != nil {
		return err
	}
	list := tagList{Name: r.OwnerName + "/" + r.image, Tags: []string{}}
	if n > 0 {
		names, err := r.Space.TagNames(r.Context(), p, last, n+1)
		if err != nil {
			return err
		}
		list.Tags = append(list.Tags, names...)
	}
	list.Tags = cutPage(w, r.location("tags", "list"), list.Tags, n)
	protocols.WriteJSON(w, r.Request.Request, http.StatusOK, list)
	return nil
}

type repositoryList struct {
	Repositories []string `json:"repositories"`
}

// listCatalog lists the repositories that the caller may read and that hold a
// manifest (https://distribution.github.io/distribution/spec/api/#catalog).
func listCatalog(w http.ResponseWriter, r *protocols.Request) error {
	c := callerOf(r.Context())
	switch {
	case c.bearer && !c.grants.Allow("registry", "catalog", "*"):
		return c.insufficient()
	case !r.Viewer.SignedIn() && !(c.bearer && c.anonymousRead):
		return registry.Errorf(registry.Unauthenticated, "authentication required")
	}
	n, last, err := page(r.URL.Query(), maxCatalog)
	if err != nil {
		return err
	}
	list := repositoryList{Repositories: []string{}}
	if n > 0 {
		names, err := r.Registry.Catalog(r.Context(), typeName, last, n+1)
		if err != nil {
			return err
		}
		list.Repositories = append(list.Repositories, names...)
	}
	list.Repositories = cutPage(w, "/v2/_catalog", list.Repositories, n)
	protocols.WriteJSON(w, r.Request, http.StatusOK, list)
	return nil
}

// page reads how many names the client wants, and from after which.
func page(query url.Values, most int) (n int, last string, err error) {
	n, last = most, query.Get("last")
	if query.Has("n") {
		n, err = strconv.Atoi(query.Get("n"))
		if err != nil || n < 0 {
			return 0, "", fault(http.StatusBadRequest, paginationInvalid, "n is not a number from 0 on")
		}
	}
	return min(n, most), last, nil
}

// cutPage removes the name that was read only to know whether there are more,
// and then links them (RFC 8288): by path alone, since clients refuse to be
// led to another host or scheme.
func cutPage(w http.ResponseWriter, path string, names []string, n int) []string {
	if len(names) <= n {
		return names
	}
	query := url.Values{"last": {names[n-1]}, "n": {strconv.Itoa(n)}}
	w.Header().Set("Link", "<"+path+"?"+query.Encode()+`>; rel="next"`)
	return names[:n]
}

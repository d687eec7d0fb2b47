package generic

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// The page sizes of the lists.
const (
	defaultLimit = 50
	maxLimit     = 500
)

type versionItem struct {
	Version   string    `json:"version"`
	CreatedAt time.Time `json:"created_at"`
	Files     int       `json:"files"`
	Size      int64     `json:"size"`
	URL       string    `json:"url"`
}

type packageList struct {
	Name     string        `json:"name"`
	Owner    string        `json:"owner"`
	Latest   string        `json:"latest"`
	Versions []versionItem `json:"versions"`
}

// listVersions lists the versions of a package as JSON, newest first.
func listVersions(w http.ResponseWriter, r *protocols.Request) error {
	c, err := parse(r.Params)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), c.nameKey, access.Read)
	if err != nil {
		return err
	}
	page, limit, err := paging(r.URL.Query())
	if err != nil {
		return err
	}
	plain, _ := registry.DocumentKey{Package: p, Name: fmt.Sprint("versions ", r.BaseURL, page, limit)}.ETags()
	if unchanged(w, r, plain) {
		return nil
	}
	versions, err := r.Space.Versions(r.Context(), p, (page-1)*limit, limit+1)
	if err != nil {
		return err
	}
	list := packageList{Name: p.Name, Owner: r.Space.Owner.Name, Versions: []versionItem{}}
	if v, err := r.Space.Latest(r.Context(), p); err == nil {
		list.Latest = v.Version
	}
	versions = cutPage(w, r, versions, page, limit)
	for _, v := range versions {
		item := versionItem{Version: v.Version, CreatedAt: v.CreatedAt, URL: r.Root() + protocols.JoinPath(p.Name, v.Version)}
		for _, f := range v.Edges.Files {
			item.Files++
			item.Size += f.Edges.Blob.Size
		}
		list.Versions = append(list.Versions, item)
	}
	protocols.WriteJSON(w, r.Request, http.StatusOK, list)
	return nil
}

type fileItem struct {
	Name      string    `json:"name"`
	Size      int64     `json:"size"`
	SHA256    string    `json:"sha256"`
	SHA512    string    `json:"sha512,omitempty"`
	MD5       string    `json:"md5,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	URL       string    `json:"url"`
}

type versionList struct {
	Name      string     `json:"name"`
	Version   string     `json:"version"`
	CreatedAt time.Time  `json:"created_at"`
	Creator   string     `json:"creator,omitempty"`
	Files     []fileItem `json:"files"`
}

// listFiles lists the files of a version as JSON, by name.
func listFiles(w http.ResponseWriter, r *protocols.Request) error {
	c, err := parse(r.Params)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), c.nameKey, access.Read)
	if err != nil {
		return err
	}
	page, limit, err := paging(r.URL.Query())
	if err != nil {
		return err
	}
	v, err := r.Space.Version(r.Context(), p, c.versionKey)
	if err != nil && c.versionKey == latestAlias {
		v, err = r.Space.Latest(r.Context(), p)
	}
	if err != nil {
		return err
	}
	plain, _ := registry.DocumentKey{Package: p, Name: fmt.Sprint("files ", v.ID, r.BaseURL, page, limit)}.ETags()
	if unchanged(w, r, plain) {
		return nil
	}
	files, err := r.Space.Files(r.Context(), v, (page-1)*limit, limit+1)
	if err != nil {
		return err
	}
	creator, err := r.Space.Creator(r.Context(), v)
	if err != nil {
		return err
	}
	list := versionList{Name: p.Name, Version: v.Version, CreatedAt: v.CreatedAt, Creator: creator, Files: []fileItem{}}
	for _, f := range cutPage(w, r, files, page, limit) {
		b := f.Edges.Blob
		list.Files = append(list.Files, fileItem{
			Name: f.Name, Size: b.Size, SHA256: b.Sha256, SHA512: b.Sha512, MD5: b.Md5,
			CreatedAt: f.CreatedAt, URL: fileURL(r, p.Name, v.Version, f.Name),
		})
	}
	protocols.WriteJSON(w, r.Request, http.StatusOK, list)
	return nil
}

func paging(q url.Values) (page, limit int, err error) {
	page, limit = 1, defaultLimit
	for name, target := range map[string]*int{"page": &page, "limit": &limit} {
		text := q.Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1<<30/maxLimit {
			return 0, 0, registry.FieldErrorf(name, "%s is not a number from 1 on", name)
		}
		*target = n
	}
	return page, min(limit, maxLimit), nil
}

// cutPage removes the item that was read only to know whether there is a next
// page, and links that page (RFC 8288).
func cutPage[T any](w http.ResponseWriter, r *protocols.Request, items []T, page, limit int) []T {
	if len(items) <= limit {
		return items
	}
	next := r.BaseURL + r.URL.EscapedPath() + "?" + url.Values{"page": {strconv.Itoa(page + 1)}, "limit": {strconv.Itoa(limit)}}.Encode()
	w.Header().Set("Link", "<"+next+`>; rel="next"`)
	return items[:limit]
}

// unchanged answers 304 when the client has this already.
func unchanged(w http.ResponseWriter, r *protocols.Request, etag string) bool {
	w.Header().Set("ETag", etag)
	w.Header().Set("Cache-Control", "no-cache")
	if !protocols.ETagListed(r.Header.Get("If-None-Match"), etag) {
		return false
	}
	w.WriteHeader(http.StatusNotModified)
	return true
}

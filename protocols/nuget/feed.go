package nuget

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// The feeds of V2.
const (
	packagesFeed = "Packages"
	searchFeed   = "Search"
	findFeed     = "FindPackagesById"
)

// feed answers the requests of V2, all of which are of one segment: a list of
// versions, or one as in Packages(Id='A',Version='1.0').
func feed(w http.ResponseWriter, r *protocols.Request) error {
	resource := r.Params["resource"]
	if id, v, ok := parseKey(resource); ok {
		return serveEntry(w, r, id, v)
	}
	list, err := newListing(r, resource)
	if err != nil {
		return err
	}
	page, total, err := list.page()
	if err != nil {
		return err
	}
	described, err := list.describe(page)
	if err != nil {
		return err
	}
	next := ""
	if len(page) > 0 && list.skip+len(page) < total {
		query := r.URL.Query()
		query.Set("$skip", strconv.Itoa(list.skip+len(page)))
		next = rootURL(r) + "/" + list.name + "()?" + query.Encode()
	}
	a := newAtom(rootURL(r))
	if err := a.feed(list.name, total, page, described, next); err != nil {
		return err
	}
	return serveBytes(w, r, atomType, a.Bytes())
}

// countFeed answers with how many versions a list has.
func countFeed(w http.ResponseWriter, r *protocols.Request) error {
	list, err := newListing(r, r.Params["resource"])
	if err != nil {
		return err
	}
	_, total, err := list.page()
	if err != nil {
		return err
	}
	return serveBytes(w, r, "text/plain; charset=utf-8", strconv.AppendInt(nil, int64(total), 10))
}

// downloadEntry sends the package of a version.
func downloadEntry(w http.ResponseWriter, r *protocols.Request) error {
	id, v, ok := parseKey(r.Params["resource"])
	if !ok {
		return registry.Errorf(registry.NotFound, "there is nothing at this path")
	}
	r.Params["id"], r.Params["version"] = id, v
	return download(w, r)
}

// serveEntry answers with one version.
func serveEntry(w http.ResponseWriter, r *protocols.Request, id, v string) error {
	r.Params["id"], r.Params["version"] = id, v
	p, identity, err := findVersion(r)
	if err != nil {
		return err
	}
	list := listing{Request: r}
	list.selection.Names = []string{p.NormalizedName}
	all, err := list.entities()
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(e *entity) bool { return e.NormalizedVersion == identity })
	if at < 0 {
		return registry.Errorf(registry.NotFound, "version not found")
	}
	described, err := list.describe(all[at : at+1])
	if err != nil {
		return err
	}
	a := newAtom(rootURL(r))
	if err := a.entry(all[at], described, true); err != nil {
		return err
	}
	return serveBytes(w, r, atomType, a.Bytes())
}

// parseKey reads Packages(Id='A',Version='1.0'), in either order.
func parseKey(resource string) (id, v string, ok bool) {
	rest, ok := strings.CutPrefix(resource, packagesFeed+"(")
	if !ok {
		return "", "", false
	}
	if rest, ok = strings.CutSuffix(rest, ")"); !ok || rest == "" {
		return "", "", false
	}
	found := map[string]string{}
	for {
		name, after, ok := strings.Cut(rest, "=")
		if !ok {
			return "", "", false
		}
		content, after, ok := cutText(strings.TrimSpace(after))
		if !ok {
			return "", "", false
		}
		found[strings.TrimSpace(name)] = content
		if after = strings.TrimSpace(after); after == "" {
			break
		}
		if rest, ok = strings.CutPrefix(after, ","); !ok {
			return "", "", false
		}
	}
	id, hasID := found["Id"]
	v, hasVersion := found["Version"]
	return id, v, hasID && hasVersion && len(found) == 2
}

// listing is a list of versions that a request asks for.
type listing struct {
	*protocols.Request
	options
	name      string
	selection registry.Selection
	// perPackage leaves of each package the highest listed version, a
	// prerelease only if prereleases are wanted.
	perPackage, prereleases bool
}

// newListing reads what a request asks for. Errors: Invalid, NotFound for what
// is no feed.
func newListing(r *protocols.Request, resource string) (*listing, error) {
	l := &listing{Request: r, name: strings.TrimSuffix(resource, "()")}
	query := r.URL.Query()
	level := withoutSemVer2(query.Get("semVerLevel"))
	switch l.name {
	case packagesFeed:
		l.selection.Without = level
	case searchFeed:
		words := strings.Fields(textParameter(query, "searchTerm"))
		l.selection = registry.Selection{Words: words[:min(len(words), maxWords)], Listed: true, Without: level}
		l.perPackage = true
		l.prereleases = isTrue(query.Get("includePrerelease"))
	case findFeed:
		id := textParameter(query, "id")
		if id == "" {
			return nil, registry.FieldErrorf("id", "FindPackagesById needs the id of a package")
		}
		// All versions: what installs has to choose among them.
		l.selection.Names = []string{fold(id)}
	default:
		return nil, registry.Errorf(registry.NotFound, "there is nothing at this path")
	}
	var err error
	l.options, err = parseOptions(query)
	return l, err
}

// page lists the versions of the page and counts all.
func (l *listing) page() (page []*entity, total int, err error) {
	if f := l.filter; f != nil && f.names != nil && l.selection.Names == nil {
		l.selection.Names = f.names
	}
	all, err := l.entities()
	if err != nil {
		return nil, 0, err
	}
	if l.perPackage {
		all = highest(all, l.prereleases)
	}
	if l.filter != nil {
		all = slices.DeleteFunc(all, func(e *entity) bool { return !l.filter.holds(e) })
	}
	if l.order != nil {
		slices.SortStableFunc(all, l.order)
	}
	start := min(l.skip, len(all))
	return all[start:min(start+l.top, len(all))], len(all), nil
}

// entities lists the selected versions, by id and in NuGet's order.
func (l *listing) entities() ([]*entity, error) {
	rows, err := selectRows(l.Request, l.selection, l.filter != nil && l.filter.manifests)
	if err != nil {
		return nil, err
	}
	all := make([]*entity, len(rows))
	for i := range rows {
		all[i] = &entity{row: rows[i]}
	}
	// From the highest down: the first listed one of each package is its
	// latest.
	var stable, any int64
	for _, e := range slices.Backward(all) {
		if e.Yanked {
			continue
		}
		if e.PackageID != any {
			e.absoluteLatest, any = true, e.PackageID
		}
		if !e.Prerelease && e.PackageID != stable {
			e.latest, stable = true, e.PackageID
		}
	}
	return all, nil
}

// highest leaves one version of each package.
func highest(all []*entity, prereleases bool) []*entity {
	var left []*entity
	for _, e := range all {
		if prereleases && e.absoluteLatest || !prereleases && e.latest {
			left = append(left, e)
		}
	}
	return left
}

// describe reads the rest of what is told of versions.
func (l *listing) describe(page []*entity) (map[int64]*ent.PackageVersion, error) {
	ids := make([]int64, len(page))
	for i, e := range page {
		ids[i] = e.ID
	}
	return l.Space.Described(l.Context(), ids)
}

// serviceDocument tells what feeds there are.
//
// https://www.odata.org/documentation/odata-version-2-0/atom-format/#RepresentingCollectionsofEntries
func serviceDocument(w http.ResponseWriter, r *protocols.Request) error {
	root, err := knownRoot(r)
	if err != nil {
		return err
	}
	var b strings.Builder
	io.WriteString(&b, xmlHead+`<service xml:base="`+escapeXML(root)+`/" xmlns="http://www.w3.org/2007/app" xmlns:atom="http://www.w3.org/2005/Atom">`+
		`<workspace><atom:title>Default</atom:title><collection href="Packages"><atom:title>Packages</atom:title></collection></workspace></service>`)
	return serveBytes(w, r, xmlType, []byte(b.String()))
}

// schemaDocument tells what a version's entry is made of and which functions
// there are.
func schemaDocument(w http.ResponseWriter, r *protocols.Request) error {
	if _, err := knownRoot(r); err != nil {
		return err
	}
	return serveBytes(w, r, xmlType, schemaXML)
}

// entryURL is where a version's entry is.
func entryURL(root, id, v string) string {
	quote := func(s string) string { return "'" + url.PathEscape(strings.ReplaceAll(s, "'", "''")) + "'" }
	return root + "/Packages(Id=" + quote(id) + ",Version=" + quote(v) + ")"
}

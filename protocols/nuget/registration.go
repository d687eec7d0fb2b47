package nuget

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// How a registration is cut into pages.
const (
	// maxInline is the most versions whose page stands in the index itself.
	maxInline = 128
	// pageSize is how many versions the pages of others have.
	pageSize = 64
)

const jsonType = "application/json; charset=utf-8"

// ordered is a version in its place among the others.
type ordered struct {
	*registry.VersionFragment
	version version
}

// inOrder sorts versions from the lowest to the highest.
func inOrder(versions []registry.VersionFragment) ([]ordered, error) {
	all := make([]ordered, len(versions))
	for i := range versions {
		v, ok := parseVersion(versions[i].Version)
		if !ok {
			return nil, fmt.Errorf("version %q is none", versions[i].Version)
		}
		all[i] = ordered{&versions[i], v}
	}
	slices.SortFunc(all, func(a, b ordered) int { return a.version.compare(b.version) })
	return all, nil
}

// registration answers with the index of a package's versions.
//
// https://learn.microsoft.com/nuget/api/registration-base-url-resource#registration-index
func registration(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findPackage(r)
	if err != nil {
		return err
	}
	d := registered{r: r, pkg: p, urls: urls{rootURL(r)}}
	return d.serve(w, "index", func(ctx context.Context, versions []ordered, w *bufio.Writer) error {
		return d.writeIndex(ctx, versions, w)
	})
}

// registrationPage answers with the versions between two, which are in order.
//
// https://learn.microsoft.com/nuget/api/registration-base-url-resource#registration-page
func registrationPage(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findPackage(r)
	if err != nil {
		return err
	}
	lower, ok := parseVersion(r.Params["lower"])
	upper, alsoOK := parseVersion(strings.TrimSuffix(r.Params["upper"], ".json"))
	if !ok || !alsoOK {
		return registry.Errorf(registry.NotFound, "page not found")
	}
	d := registered{r: r, pkg: p, urls: urls{rootURL(r)}}
	return d.serve(w, "page "+lower.identity()+" "+upper.identity(), func(ctx context.Context, versions []ordered, w *bufio.Writer) error {
		from, _ := slices.BinarySearchFunc(versions, lower, func(v ordered, t version) int { return v.version.compare(t) })
		to, found := slices.BinarySearchFunc(versions, upper, func(v ordered, t version) int { return v.version.compare(t) })
		if found {
			to++
		}
		// Pages of an index that was read before the last change may be of
		// another length.
		if from >= to || to-from > maxInline {
			return registry.Errorf(registry.NotFound, "page not found")
		}
		return d.writePage(ctx, versions[from:to], true, w)
	})
}

// registrationLeaf answers with one version. Old clients look for the catalog
// entry's members in it.
//
// https://learn.microsoft.com/nuget/api/registration-base-url-resource#registration-leaf
func registrationLeaf(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findPackage(r)
	if err != nil {
		return err
	}
	v, ok := parseVersion(strings.TrimSuffix(r.Params["version"], ".json"))
	if !ok {
		return registry.Errorf(registry.NotFound, "version not found")
	}
	d := registered{r: r, pkg: p, urls: urls{rootURL(r)}}
	return d.serve(w, "leaf "+v.identity(), func(ctx context.Context, versions []ordered, w *bufio.Writer) error {
		at, found := slices.BinarySearchFunc(versions, v, func(v ordered, t version) int { return v.version.compare(t) })
		if !found {
			return registry.Errorf(registry.NotFound, "version not found")
		}
		return d.writeLeaf(ctx, versions[at], w)
	})
}

// registered writes the documents about one package's versions.
type registered struct {
	r    *protocols.Request
	pkg  *ent.Pkg
	urls urls
}

func (d registered) serve(w http.ResponseWriter, name string, write func(context.Context, []ordered, *bufio.Writer) error) error {
	key := registry.DocumentKey{Package: d.pkg, Name: "nuget " + name + " " + d.urls.root}
	return protocols.ServeDocument(w, d.r, key, jsonType, func(ctx context.Context, w io.Writer) error {
		rows, err := d.r.Space.VersionStates(ctx, d.pkg)
		if err != nil {
			return err
		}
		versions, err := inOrder(rows)
		if err != nil {
			return err
		}
		out := bufio.NewWriterSize(w, 64<<10)
		if err := write(ctx, versions, out); err != nil {
			return err
		}
		return out.Flush()
	})
}

func (d registered) writeIndex(ctx context.Context, versions []ordered, w *bufio.Writer) error {
	self := d.urls.registration(d.pkg.Name)
	pages := slices.Collect(slices.Chunk(versions, pageSize))
	inline := len(versions) <= maxInline
	if inline {
		pages = [][]ordered{versions}
	}
	fmt.Fprintf(w, `{"@id":%s,"@type":["catalog:CatalogRoot","PackageRegistration","catalog:Permalink"],"count":%d,"items":[`,
		jsonOf(self), len(pages))
	for i, page := range pages {
		if i > 0 {
			w.WriteByte(',')
		}
		if err := d.writePage(ctx, page, inline, w); err != nil {
			return err
		}
	}
	_, err := w.WriteString("]}\n")
	return err
}

// writePage writes a page, with its versions or only saying which they are.
func (d registered) writePage(ctx context.Context, page []ordered, whole bool, w *bufio.Writer) error {
	if len(page) == 0 {
		return registry.Errorf(registry.NotFound, "package not found")
	}
	id := d.pkg.Name
	lower, upper := page[0].version, page[len(page)-1].version
	fmt.Fprintf(w, `{"@id":%s,"@type":"catalog:CatalogPage","count":%d,"lower":%s,"upper":%s,"parent":%s`,
		jsonOf(d.urls.page(id, lower.identity(), upper.identity())), len(page),
		jsonOf(lower.String()), jsonOf(upper.String()), jsonOf(d.urls.registration(id)))
	if !whole {
		return w.WriteByte('}')
	}
	ids := make([]int64, len(page))
	for i, v := range page {
		ids[i] = v.ID
	}
	fragments, err := d.r.Space.Fragments(ctx, ids)
	if err != nil {
		return err
	}
	root, registration := inJSON(d.urls.root), jsonOf(d.urls.registration(id))
	var buffer []byte
	for i, v := range page {
		separator := `,`
		if i == 0 {
			separator = `,"items":[`
		}
		leaf := strconv.Quote(inJSON(d.urls.leaf(id, v.version.identity())))
		content := strconv.Quote(inJSON(d.urls.content(id, v.version.identity())))
		buffer = append(buffer[:0], separator...)
		buffer = fmt.Appendf(buffer, `{"@id":%s,"@type":"Package","packageContent":%s,"registration":%s,"catalogEntry":{"@id":%s,"@type":"PackageDetails",`,
			leaf, content, registration, leaf)
		buffer = appendEntry(buffer, fragments[v.ID], root, v.VersionFragment)
		buffer = append(buffer, `}}`...)
		w.Write(buffer) // bufio's errors show at the end
	}
	_, err = w.WriteString("]}")
	return err
}

func (d registered) writeLeaf(ctx context.Context, v ordered, w *bufio.Writer) error {
	fragments, err := d.r.Space.Fragments(ctx, []int64{v.ID})
	if err != nil {
		return err
	}
	leaf := jsonOf(d.urls.leaf(d.pkg.Name, v.version.identity()))
	buffer := fmt.Appendf(nil, `{"@id":%s,"@type":["Package","http://schema.nuget.org/catalog#Permalink"],"registration":%s,"catalogEntry":%s,`,
		leaf, jsonOf(d.urls.registration(d.pkg.Name)), leaf)
	buffer = appendEntry(buffer, fragments[v.ID], inJSON(d.urls.root), v.VersionFragment)
	_, err = w.Write(append(buffer, "}\n"...))
	return err
}

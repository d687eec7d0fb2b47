package composer

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// devSuffix tells the document of a package's development versions from that
// of its releases.
const devSuffix = "~dev"

var notFound = registry.Errorf(registry.NotFound, "package not found")

// readPackage answers with the releases of a package, or with its development
// versions.
//
// https://getcomposer.org/doc/05-repositories.md#metadata-url-available-packages-and-available-package-patterns
func readPackage(w http.ResponseWriter, r *protocols.Request) error {
	project, isJSON := strings.CutSuffix(r.Params["document"], ".json")
	project, dev := strings.CutSuffix(project, devSuffix)
	if !isJSON {
		return registry.Errorf(registry.NotFound, "there is nothing at this path")
	}
	p, err := findPackage(r, r.Params["vendor"]+"/"+project, access.Read)
	if err != nil {
		return err
	}
	if unchanged(w, r, lastModified(p)) {
		return nil
	}
	root := r.Root()
	key := registry.DocumentKey{Package: p, Name: fmt.Sprintf("composer p2 %t %s", dev, root)}
	return protocols.ServeDocument(w, r, key, contentType, func(ctx context.Context, w io.Writer) error {
		contents, err := r.Space.Contents(ctx, p)
		if err != nil {
			return err
		}
		return writePackage(w, contents, root, dev)
	})
}

// findPackage finds a package by its name.
func findPackage(r *protocols.Request, name string, action access.Action) (*ent.Pkg, error) {
	if !validName(name) {
		return nil, notFound
	}
	p, err := r.Space.Package(r.Context(), name, action)
	if registry.CodeOf(err) == registry.NotFound {
		return nil, notFound
	}
	return p, err
}

// lastModified is the date of a package's documents. Dates have whole seconds,
// and are all that Composer compares: so it is not the instant of the last
// change, but a second later with each change, whatever that is.
func lastModified(p *ent.Pkg) time.Time {
	return p.CreatedAt.UTC().Truncate(time.Second).Add(time.Duration(p.Generation) * time.Second)
}

// unchanged sets the date of a document and answers with 304 who has it of
// that date: neither an older nor a newer one will do, for what is asked for
// may have been deleted and made again.
func unchanged(w http.ResponseWriter, r *protocols.Request, date time.Time) bool {
	h := w.Header()
	h.Set("Last-Modified", date.Format(http.TimeFormat))
	if r.Header.Get("If-None-Match") != "" {
		return false // entity tags know better (RFC 9110, section 13.2.2)
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	if err != nil || !since.Equal(date) {
		return false
	}
	h.Set("Vary", "Accept, Accept-Encoding, Authorization")
	h.Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusNotModified)
	return true
}

// writePackage writes the document, newest version first. There is no member
// "minified": with it Composer would fill in each version from the one before.
func writePackage(w io.Writer, c *registry.Contents, root string, dev bool) error {
	type line struct {
		entry
		version version
		key     string
	}
	var lines []line
	for _, stored := range c.Versions {
		e, err := decodeEntry(stored.Fragment)
		if err != nil {
			return fmt.Errorf("version %s: %w", stored.Version, err)
		}
		if e.Dev != dev {
			continue
		}
		v, ok := parseVersion(stored.Version)
		if !ok {
			return fmt.Errorf("the stored version %q is none", stored.Version)
		}
		lines = append(lines, line{e, v, v.sortKey()})
	}
	slices.SortFunc(lines, func(a, b line) int { return strings.Compare(b.key, a.key) })

	name := c.Package.NormalizedName
	out := bufio.NewWriter(w)
	out.WriteString(`{"packages":{`)
	out.Write(encode(name))
	out.WriteString(`:[`)
	for i, l := range lines {
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(l.open())
		out.WriteString(`,"dist":`)
		out.Write(encode(dist{l.Dist, distURL(root, name, l.version, l.entryHead), l.Reference, l.SHA1}))
		if value := abandonedValue(c.State, l.Abandoned); value != nil {
			out.WriteString(`,"abandoned":`)
			out.Write(value)
		}
		out.WriteByte('}')
	}
	out.WriteString("]}}\n")
	return out.Flush()
}

// dist says where a version's archive is.
type dist struct {
	Type      string `json:"type"`
	URL       string `json:"url"`
	Reference string `json:"reference"`
	SHA1      string `json:"shasum"`
}

// distURL is where an archive is. That of a development version names the
// state it is in, so that no cache takes it for the next one.
func distURL(root, name string, v version, e entryHead) string {
	vendor, project, _ := strings.Cut(name, "/")
	address := root + protocols.JoinPath("files", vendor, project, v.segment(), e.File)
	if e.Dev {
		address += "?ref=" + e.Reference // of letters that need no escape
	}
	return address
}

// abandonedValue is what the documents say of a package that is abandoned:
// the name of another, or just so; nil when it is not. said is what the
// composer.json says, and counts as long as the owners say nothing.
func abandonedValue(state registry.PackageState, said []byte) []byte {
	switch {
	case state.State != abandoned:
		return said
	case validName(state.Reason):
		return encode(state.Reason)
	}
	return []byte("true")
}

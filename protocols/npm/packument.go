package npm

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
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

// The media types of the two forms.
const (
	fullType        = "application/json"
	abbreviatedType = "application/vnd.npm.install-v1+json"
)

// read answers GET on a package, which is its packument, or on one of its
// versions or dist-tags.
func read(w http.ResponseWriter, r *protocols.Request) error {
	name, rest, err := packagePath(r)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), name, access.Read)
	if registry.CodeOf(err) == registry.NotFound {
		return registry.Errorf(registry.NotFound, "Not found")
	}
	if err != nil {
		return err
	}
	if rest != "" {
		return serveManifest(w, r, p, rest)
	}
	return servePackument(w, r, p)
}

// servePackument answers with the document of all versions, in the form the
// client prefers.
func servePackument(w http.ResponseWriter, r *protocols.Request, p *ent.Pkg) error {
	form, contentType := full, fullType
	if wantsAbbreviated(r.Header.Get("Accept")) {
		form, contentType = abbreviated, abbreviatedType
	}
	root := rootURL(r)
	key := registry.DocumentKey{Package: p, Name: fmt.Sprintf("npm packument %d %s", form, root)}
	return protocols.ServeDocument(w, r, key, contentType, func(ctx context.Context, w io.Writer) error {
		contents, err := r.Space.Contents(ctx, p)
		if err != nil {
			return err
		}
		return writePackument(w, contents, packumentOptions{form: form, folder: folderURL(root, p.Name), owner: r.Space.Owner.Name})
	})
}

// wantsAbbreviated tells whether Accept names the abbreviated form.
func wantsAbbreviated(accept string) bool {
	for item := range strings.SplitSeq(accept, ",") {
		mediaType, params, _ := strings.Cut(item, ";")
		if strings.TrimSpace(mediaType) == abbreviatedType {
			return strings.ReplaceAll(params, " ", "") != "q=0"
		}
	}
	return false
}

// rootURL is where the client found this registry, in its own spelling of the
// owner's name: clients send their token, and leave the host out of their lock
// files, only for URLs that begin as they were configured.
func rootURL(r *protocols.Request) string {
	return r.BaseURL + protocols.JoinPath("api", "packages", r.OwnerName, typeName)
}

// folderURL is where a package's tarballs are. The scope stands in it as it
// is: yarn and pnpm compute the URL for themselves, and compare.
func folderURL(root, name string) string { return root + "/" + name + "/-/" }

// packumentOptions say what a packument depends on beside the package.
type packumentOptions struct {
	form form
	// folder is the URL of the tarballs' folder.
	folder string
	// owner is the owner's name.
	owner string
}

// hoisted are the members that a package takes over from its latest version.
var hoisted = []string{"description", "readmeFilename", "author", "license", "homepage", "repository", "bugs", "keywords"}

// writePackument composes a packument. It decodes the latest version's
// manifest and no other.
func writePackument(w io.Writer, c *registry.Contents, o packumentOptions) error {
	out := packumentWriter{bufio.NewWriterSize(w, 64<<10), nil}
	p := c.Package
	if o.form == abbreviated {
		out.member("name", jsonOf(p.Name))
		out.member("modified", jsonOf(instant(p.UpdatedAt)))
		out.member("dist-tags", distTags(c.Tags))
		out.times(c)
		if err := out.versions(c, o); err != nil {
			return err
		}
		return out.end()
	}
	out.member("_id", jsonOf(p.Name))
	out.member("_rev", jsonOf(revision(p)))
	out.member("name", jsonOf(p.Name))
	out.member("dist-tags", distTags(c.Tags))
	if err := out.versions(c, o); err != nil {
		return err
	}
	out.times(c)
	if err := out.hoist(c); err != nil {
		return err
	}
	out.member("maintainers", jsonOf([]map[string]string{{"name": o.owner}}))
	out.member("readme", quote(nil, c.Latest.Readme))
	return out.end()
}

// packumentWriter writes the members of one object. Errors are bufio's: the
// first one shows at the end.
type packumentWriter struct {
	*bufio.Writer
	buffer []byte // for one member, used again
}

// key begins a member: after a brace the first one, after a comma the others.
func (w *packumentWriter) key(key string) {
	separator := byte(',')
	if w.buffer == nil {
		separator = '{'
	}
	w.buffer = append(quote(append(w.buffer[:0], separator), key), ':')
	w.Write(w.buffer)
}

func (w *packumentWriter) member(key string, value []byte) {
	w.key(key)
	w.Write(value)
}

func (w *packumentWriter) end() error {
	w.WriteString("}\n")
	return w.Flush()
}

func (w *packumentWriter) versions(c *registry.Contents, o packumentOptions) error {
	w.key("versions")
	folder := inJSON(o.folder)
	separator := byte('{')
	for i := range c.Versions {
		v := &c.Versions[i]
		f, err := decodeFragment(v.Fragment)
		if err != nil {
			return fmt.Errorf("version %s: %w", v.Version, err)
		}
		w.buffer = append(w.buffer[:0], separator, '"')
		w.buffer = append(w.buffer, v.Version...) // letters, digits, . - and + alone
		w.buffer = append(w.buffer, '"', ':')
		w.buffer = f.appendTo(w.buffer, o.form, folder, deprecation(v.Deprecated, v.StatusReason))
		w.Write(w.buffer)
		separator = ','
	}
	if separator == '{' {
		w.WriteByte('{')
	}
	return w.WriteByte('}')
}

// times writes when the package and each version were published. Clients that
// wait for a version to be some days old go by it.
func (w *packumentWriter) times(c *registry.Contents) {
	w.key("time")
	w.buffer = append(w.buffer[:0], `{"created":"`...)
	w.buffer = appendInstant(w.buffer, c.Package.CreatedAt)
	w.buffer = append(w.buffer, `","modified":"`...)
	w.buffer = append(appendInstant(w.buffer, c.Package.UpdatedAt), '"')
	for i := range c.Versions {
		w.buffer = append(w.buffer, ',', '"')
		w.buffer = append(w.buffer, c.Versions[i].Version...)
		w.buffer = append(w.buffer, `":"`...)
		w.buffer = append(appendInstant(w.buffer, c.Versions[i].CreatedAt), '"')
	}
	w.Write(append(w.buffer, '}'))
}

// hoist writes the members a package has from its latest version.
func (w *packumentWriter) hoist(c *registry.Contents) error {
	for i := range c.Versions {
		if c.Versions[i].ID != c.Latest.ID {
			continue
		}
		f, err := decodeFragment(c.Versions[i].Fragment)
		if err != nil {
			return err
		}
		m, err := parseManifest(f.appendTo(nil, full, "", ""))
		if err != nil {
			return fmt.Errorf("manifest of the latest version: %w", err)
		}
		for _, member := range m {
			if slices.Contains(hoisted, member.key) {
				w.member(member.key, member.value)
			}
		}
	}
	return nil
}

// distTags is the object of tags and versions.
func distTags(tags []*ent.Tag) json.RawMessage {
	versions := make(map[string]string, len(tags))
	for _, t := range tags {
		if t.Edges.Version != nil {
			versions[t.Name] = t.Edges.Version.Version
		}
	}
	return jsonOf(versions)
}

// deprecation is the message of a deprecated version, else "".
func deprecation(deprecated bool, reason string) string {
	if deprecated && reason == "" {
		return "this version is deprecated"
	}
	if !deprecated {
		return ""
	}
	return reason
}

// instantLayout is RFC 3339 with milliseconds, as JavaScript writes it.
const instantLayout = "2006-01-02T15:04:05.000Z"

func instant(t time.Time) string { return t.UTC().Format(instantLayout) }

func appendInstant(b []byte, t time.Time) []byte { return t.UTC().AppendFormat(b, instantLayout) }

// revision is a package's _rev, in the form CouchDB gives it: another one after
// every change, also for a package that was deleted and published anew.
func revision(p *ent.Pkg) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %d", p.ID, p.Generation)
	return fmt.Sprintf("%d-%016x", p.Generation, h.Sum64())
}

// serveManifest answers with the manifest of one version, or of the one a
// dist-tag names.
func serveManifest(w http.ResponseWriter, r *protocols.Request, p *ent.Pkg, versionOrTag string) error {
	root := rootURL(r)
	key := registry.DocumentKey{Package: p, Name: fmt.Sprintf("npm manifest %s %s", versionOrTag, root)}
	return protocols.ServeDocument(w, r, key, fullType, func(ctx context.Context, w io.Writer) error {
		v, err := findVersion(ctx, r.Space, p, versionOrTag)
		if err != nil {
			return err
		}
		file, err := r.Space.File(ctx, p, v.NormalizedVersion, fileKey(p.Name, v.Version), "")
		if err != nil {
			return err
		}
		f, err := decodeFragment(file.Fragment)
		if err != nil {
			return err
		}
		body := f.appendTo(nil, full, inJSON(folderURL(root, p.Name)), deprecation(v.Deprecated, v.StatusReason))
		if v.Readme != "" {
			body = append(body[:len(body)-1], `,"readme":`...)
			body = append(quote(body, v.Readme), '}')
		}
		_, err = w.Write(append(body, '\n'))
		return err
	})
}

// findVersion returns a version by its number or by a dist-tag.
func findVersion(ctx context.Context, s *registry.Space, p *ent.Pkg, versionOrTag string) (*ent.PackageVersion, error) {
	if _, ok := parseVersion(versionOrTag); ok {
		return s.Version(ctx, p, identity(versionOrTag))
	}
	return s.Tagged(ctx, p, versionOrTag)
}

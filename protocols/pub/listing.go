package pub

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// render makes a version's fragment: the members of its object that never
// change, without the end of the object.
func render(p *pubspec, sha256 string) ([]byte, error) {
	fragment, err := json.Marshal(struct {
		Version string          `json:"version"`
		SHA256  string          `json:"archive_sha256"`
		Pubspec json.RawMessage `json:"pubspec"`
	}{p.text, sha256, p.encoded})
	if err != nil {
		return nil, err
	}
	return fragment[:len(fragment)-1], nil
}

// shown is a version as a document tells of it.
type shown struct {
	version, key string
	fragment     []byte
	retracted    bool
	publishedAt  time.Time
}

// append appends the version's object; files is where archives are.
func (v shown) append(b []byte, files string) []byte {
	b = append(b, v.fragment...)
	if v.retracted {
		b = append(b, `,"retracted":true`...)
	}
	b = append(b, `,"archive_url":`...)
	b = appendString(b, files+escapeVersion(v.version)+archiveSuffix)
	b = append(b, `,"published":"`...)
	b = v.publishedAt.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	return append(b, `"}`...)
}

// escapeVersion escapes the one character of versions that is not the same in
// every reading of a URL.
func escapeVersion(version string) string { return strings.ReplaceAll(version, "+", "%2B") }

func appendString(b []byte, text string) []byte {
	quoted, _ := json.Marshal(text) // a string can be encoded
	return append(b, quoted...)
}

// filesOf is where the archives of a package are.
func filesOf(root, name string) string { return root + "/api/packages/" + name + "/files/" }

// listing tells of a package and all its versions.
func listing(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findPackage(r, access.Read)
	if err != nil {
		return err
	}
	root := root(r)
	key := registry.DocumentKey{Package: p, Name: "pub listing " + root}
	return protocols.ServeDocument(w, r, key, mediaType, func(ctx context.Context, w io.Writer) error {
		contents, err := r.Space.Contents(ctx, p)
		if err != nil {
			return err
		}
		return writeListing(w, contents, filesOf(root, p.Name))
	})
}

// writeListing composes the listing: versions from the lowest to the highest.
func writeListing(w io.Writer, c *registry.Contents, files string) error {
	versions := make([]shown, len(c.Versions))
	for i, v := range c.Versions {
		parsed, valid := parseVersion(v.Version)
		if !valid {
			return fmt.Errorf("version %q is none", v.Version)
		}
		versions[i] = shown{v.Version, parsed.sortKey(), v.Fragment, v.Yanked, v.CreatedAt}
	}
	slices.SortFunc(versions, func(a, b shown) int { return cmp.Compare(a.key, b.key) })
	latest := slices.IndexFunc(versions, func(v shown) bool { return v.version == c.Latest.Version })
	if latest < 0 {
		return fmt.Errorf("the latest version %q is not listed", c.Latest.Version)
	}
	b := appendString([]byte(`{"name":`), c.Package.Name)
	if c.State.State == discontinued {
		b = append(b, `,"isDiscontinued":true`...)
		if replacement := strings.TrimSpace(c.State.Reason); validName(replacement) {
			b = append(b, `,"replacedBy":`...)
			b = appendString(b, replacement)
		}
	}
	b = append(b, `,"latest":`...)
	b = versions[latest].append(b, files)
	b = append(b, `,"versions":[`...)
	for i, v := range versions {
		if i > 0 {
			b = append(b, ',')
		}
		b = v.append(b, files)
		if _, err := w.Write(b); err != nil {
			return err
		}
		b = b[:0]
	}
	_, err := io.WriteString(w, "]}")
	return err
}

// showVersion tells of one version.
func showVersion(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findPackage(r, access.Read)
	if err != nil {
		return err
	}
	version := r.Params["version"]
	if _, valid := parseVersion(version); !valid {
		return notFound("version")
	}
	v, err := r.Space.Version(r.Context(), p, version)
	if err != nil {
		return err
	}
	root := root(r)
	key := registry.DocumentKey{Package: p, Name: "pub version " + version + " " + root}
	return protocols.ServeDocument(w, r, key, mediaType, func(ctx context.Context, w io.Writer) error {
		f, err := r.Space.File(ctx, p, version, fileName(version), "")
		if err != nil {
			return err
		}
		one := shown{version: version, fragment: f.Fragment, retracted: v.Yanked, publishedAt: v.CreatedAt}
		_, err = w.Write(one.append(nil, filesOf(root, p.Name)))
		return err
	})
}

// download sends a version's archive, also of a retracted one. Never packed
// again: the client would unpack it, and its checksum fail.
func download(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findPackage(r, access.Read)
	if err != nil {
		return err
	}
	version, isArchive := strings.CutSuffix(r.Params["file"], archiveSuffix)
	if _, valid := parseVersion(version); !isArchive || !valid {
		return notFound("archive")
	}
	f, err := r.Space.File(r.Context(), p, version, fileName(version), "")
	if err != nil {
		return err
	}
	// A deleted version may come back with other bytes: the path is checked
	// again each time.
	return protocols.ServeFile(w, r, f, protocols.FileOptions{Undated: true, Redirect: http.StatusFound})
}

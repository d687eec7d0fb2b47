package vagrant

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// linkMark stands in a composed document where the query of a link belongs. No
// JSON has this byte.
const linkMark = '\x00'

// showMetadata sends the document of a box. It differs by where it was asked
// for: the client compares its name with the one it was given.
func showMetadata(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findBox(r, access.Read)
	if err != nil {
		return err
	}
	d := document{name: p.Name, box: p.Name, root: r.Root()}
	if short := shortName(r.Context()); short != "" {
		d.name = short
	}
	d.linked = !r.Anybody(p) && r.Viewer.Kind == access.User
	key := registry.DocumentKey{Package: p, Name: fmt.Sprint("vagrant metadata ", d.linked, " ", d.name, " ", d.root)}
	compose := func(ctx context.Context, w io.Writer) error {
		contents, err := r.Space.Contents(ctx, p)
		if err != nil {
			return err
		}
		return d.write(w, contents)
	}
	if !d.linked {
		return protocols.ServeDocument(w, r, key, "application/json", compose)
	}
	// With links in it the document is for this reader and this hour.
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "private, no-store")
	w.Header().Set("Vary", "Accept, Authorization")
	if r.Method == http.MethodHead {
		return nil
	}
	composed, err := r.Registry.Document(r.Context(), key, compose)
	if err != nil {
		return err
	}
	plain, err := composed.Plain()
	if err != nil {
		return err
	}
	template, err := io.ReadAll(plain)
	if err != nil {
		return err
	}
	linker, err := r.Auth.NewLinker(r.Context())
	if err != nil {
		return err
	}
	body := fillLinks(template, len(r.BaseURL), linker.AppendQuery)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body) // the client has it or is gone
	return nil
}

// fillLinks puts the query of a link wherever the document has the mark for
// one, right after a URL; its path begins after base bytes.
func fillLinks(template []byte, base int, appendQuery func(b, path []byte) []byte) []byte {
	const querySize = 100
	body := make([]byte, 0, len(template)+querySize*bytes.Count(template, []byte{linkMark}))
	for {
		i := bytes.IndexByte(template, linkMark)
		if i < 0 {
			return append(body, template...)
		}
		url := template[bytes.LastIndexByte(template[:i], '"')+1 : i]
		body = append(append(body, template[:i]...), '?')
		body = appendQuery(body, url[base:])
		template = template[i+1:]
	}
}

// document is the document of a box in one of its forms.
type document struct {
	// name is the box's as the client knows it, box as it is in URLs.
	name, box string
	root      string
	// linked marks the URLs, for links to be made of them.
	linked bool
}

// provider is an entry of the document.
type provider struct {
	fragment
	// named tells that architectures are told apart; preferred is the one for
	// clients that do not.
	named, preferred bool
}

// boxVersion is a version with its providers.
type boxVersion struct {
	text, key string
	providers []provider
}

// write composes the document.
func (d document) write(w io.Writer, c *registry.Contents) error {
	versions, err := groupVersions(c.Versions)
	if err != nil {
		return err
	}
	description := cmp.Or(c.Latest.Readme, c.Latest.Summary)
	b := append([]byte(nil), `{"name":`...)
	b = appendString(b, d.name)
	b = append(b, `,"description":`...)
	b = appendString(b, description)
	b = append(b, `,"short_description":`...)
	b = appendString(b, c.Latest.Summary)
	b = append(b, `,"versions":[`...)
	for i, v := range versions {
		if i > 0 {
			b = append(b, ',')
		}
		b = d.appendVersion(b, v)
		if _, err := w.Write(b); err != nil {
			return err
		}
		b = b[:0]
	}
	_, err = w.Write(append(b, "]}"...))
	return err
}

// groupVersions gathers the rows, one a file, to versions from the highest to
// the lowest. A version without a file is none to the client.
func groupVersions(rows []registry.VersionFragment) ([]boxVersion, error) {
	byID := make(map[int64]int, len(rows))
	var versions []boxVersion
	for _, row := range rows {
		if row.Fragment == nil {
			continue
		}
		i, known := byID[row.ID]
		if !known {
			parsed, err := parseVersion(row.Version)
			if err != nil {
				return nil, fmt.Errorf("version %q is none", row.Version)
			}
			i = len(versions)
			byID[row.ID] = i
			versions = append(versions, boxVersion{text: row.Version, key: parsed.sortKey()})
		}
		var p provider
		if err := json.Unmarshal(row.Fragment, &p.fragment); err != nil {
			return nil, fmt.Errorf("version %s: %w", row.Version, err)
		}
		versions[i].providers = append(versions[i].providers, p)
	}
	slices.SortFunc(versions, func(a, b boxVersion) int { return strings.Compare(b.key, a.key) })
	for _, v := range versions {
		arrange(v.providers)
	}
	return versions, nil
}

// arrange sorts the files of a version and decides which of a provider's is
// the default: the one that names no architecture, else amd64, else the first.
// Where none of them names one, the document is silent about it. The default
// comes last: clients before Vagrant 2.4 know no architectures, and of boxes of
// one provider take the last.
func arrange(providers []provider) {
	slices.SortFunc(providers, func(a, b provider) int {
		return cmp.Or(strings.Compare(fold(a.Provider), fold(b.Provider)), strings.Compare(a.Architecture, b.Architecture))
	})
	for start := 0; start < len(providers); {
		end := start + 1
		for end < len(providers) && fold(providers[end].Provider) == fold(providers[start].Provider) {
			end++
		}
		group := providers[start:end]
		start = end
		// The one without an architecture is the first.
		if group[0].Architecture == "" && len(group) == 1 {
			continue
		}
		preferred := 0
		if group[0].Architecture != "" {
			preferred = max(0, slices.IndexFunc(group, func(p provider) bool { return p.Architecture == "amd64" }))
		}
		for i := range group {
			group[i].named, group[i].preferred = true, i == preferred
		}
		last := group[preferred]
		copy(group[preferred:], group[preferred+1:])
		group[len(group)-1] = last
	}
}

func (d document) appendVersion(b []byte, v boxVersion) []byte {
	b = append(b, `{"version":`...)
	b = appendString(b, v.text)
	b = append(b, `,"status":"active","description_markdown":"","providers":[`...)
	for i, p := range v.providers {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"name":`...)
		b = appendString(b, p.Provider)
		b = append(b, `,"url":`...)
		b = appendString(b, d.root+boxPath(d.box, v.text, p.Provider, p.Architecture))
		if d.linked {
			b = append(b[:len(b)-1], linkMark, '"')
		}
		b = append(b, `,"checksum":`...)
		b = appendString(b, p.SHA512)
		b = append(b, `,"checksum_type":"sha512"`...)
		if p.named {
			b = append(b, `,"architecture":`...)
			b = appendString(b, cmp.Or(p.Architecture, unknown))
			b = append(b, `,"default_architecture":`...)
			b = strconv.AppendBool(b, p.preferred)
		}
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

func appendString(b []byte, text string) []byte {
	quoted, _ := json.Marshal(text) // a string can be encoded
	return append(b, quoted...)
}

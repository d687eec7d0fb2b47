package cargo

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"entrepot/protocols"
)

// A line of the index is one version of a crate in JSON,
// https://doc.rust-lang.org/cargo/reference/registry-index.html#json-schema.
// It is rendered at publish and kept with the archive as a fragment, cut where
// the one value stands that changes:
//
//	{"name":...,"features":{},"yanked": | ,"links":null,...
//
// The time of publishing and the last brace are added when the index is
// composed.
type (
	// lineHead are the members before "yanked".
	lineHead struct {
		Name     string              `json:"name"`
		Vers     string              `json:"vers"`
		Deps     []lineDep           `json:"deps"`
		Cksum    string              `json:"cksum"`
		Features map[string][]string `json:"features"`
	}
	// lineTail are those behind it.
	lineTail struct {
		Links *string `json:"links"`
		// V is 2 for lines with Features2, whose syntax cargo learned in 1.60;
		// older ones pass over such a line.
		V           int                 `json:"v,omitempty"`
		Features2   map[string][]string `json:"features2,omitempty"`
		RustVersion string              `json:"rust_version,omitempty"`
	}
	// lineDep is a dependency under the name the crate knows it by.
	lineDep struct {
		Name            string          `json:"name"`
		Req             string          `json:"req"`
		Features        []string        `json:"features"`
		Optional        bool            `json:"optional"`
		DefaultFeatures bool            `json:"default_features"`
		Target          *string         `json:"target"`
		Kind            string          `json:"kind"`
		Registry        *string         `json:"registry"`
		Package         *string         `json:"package"`
		Artifact        json.RawMessage `json:"artifact,omitempty"`
		BindepTarget    *string         `json:"bindep_target,omitempty"`
		Lib             *bool           `json:"lib,omitempty"`
	}
)

// cutMark stands in a fragment where the value of "yanked" goes. JSON has no
// such byte.
const cutMark = 0

// render makes the fragment of a version. here tells whether an index URL
// stands for the registry the crate is published to.
func render(u *upload, sha256 string, here func(index string) bool) ([]byte, error) {
	head := lineHead{Name: u.Name, Vers: u.Vers, Deps: make([]lineDep, len(u.Deps)), Cksum: sha256, Features: map[string][]string{}}
	tail := lineTail{Links: u.Links, RustVersion: u.RustVersion}
	for i, d := range u.Deps {
		head.Deps[i] = d.line(here)
	}
	for name, values := range u.Features {
		into := &head.Features
		if slices.ContainsFunc(values, isNewSyntax) {
			tail.V = 2
			into = &tail.Features2
		}
		if *into == nil {
			*into = map[string][]string{}
		}
		(*into)[name] = append([]string{}, values...)
	}
	first, err := encode(head)
	if err != nil {
		return nil, err
	}
	last, err := encode(tail)
	if err != nil {
		return nil, err
	}
	fragment := append(bytes.TrimSuffix(first, []byte("}")), `,"yanked":`...)
	fragment = append(fragment, cutMark, ',')
	return append(fragment, last[1:len(last)-1]...), nil
}

// isNewSyntax tells whether a feature's value is of the syntax that older
// versions of cargo take for an error.
func isNewSyntax(value string) bool {
	return strings.HasPrefix(value, "dep:") || strings.Contains(value, "?/")
}

// line is the dependency as the index has it.
func (d *uploadDep) line(here func(string) bool) lineDep {
	l := lineDep{
		Name: d.Name, Req: strings.TrimSpace(d.Req), Features: append([]string{}, d.Features...), Optional: d.Optional,
		DefaultFeatures: d.DefaultFeatures == nil || *d.DefaultFeatures,
		Target:          d.Target, Kind: d.Kind, Registry: d.Registry,
		BindepTarget: d.BindepTarget, Lib: d.Lib,
	}
	if d.Alias != "" && d.Alias != d.Name {
		l.Name, l.Package = d.Alias, &d.Name
	}
	if d.Registry != nil && (*d.Registry == "" || here(*d.Registry)) {
		l.Registry = nil
	}
	if len(d.Artifact) > 0 && !bytes.Equal(d.Artifact, []byte("null")) {
		l.Artifact = d.Artifact
	}
	return l
}

// encode is JSON on one line, in which "<" and ">" stand as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

var errFragment = errors.New("cargo: a stored line of the index has an unknown form")

// appendLine appends the line of a fragment, with its end.
func appendLine(b, fragment []byte, yanked bool, at time.Time) ([]byte, error) {
	head, tail, ok := bytes.Cut(fragment, []byte{cutMark})
	if !ok {
		return nil, errFragment
	}
	b = append(b, head...)
	if yanked {
		b = append(b, "true"...)
	} else {
		b = append(b, "false"...)
	}
	b = append(b, tail...)
	b = append(b, `,"pubtime":"`...)
	b = at.UTC().Truncate(time.Second).AppendFormat(b, time.RFC3339)
	return append(b, '"', '}', '\n'), nil
}

// decodeLine reads a fragment's members back.
func decodeLine(fragment []byte) (head lineHead, tail lineTail, err error) {
	first, last, ok := bytes.Cut(fragment, []byte{cutMark})
	if !ok {
		return head, tail, errFragment
	}
	first = append(bytes.Clone(first), "false}"...)
	if err = json.Unmarshal(first, &head); err != nil {
		return head, tail, err
	}
	err = json.Unmarshal(append(append([]byte{'{'}, last[1:]...), '}'), &tail)
	return head, tail, err
}

// isOwnIndex returns the test for URLs that name the registry of the request,
// with or without a final slash, in the forms of its sparse and of a git
// index.
func isOwnIndex(r *protocols.Request) func(string) bool {
	own := map[string]bool{}
	for _, owner := range []string{r.OwnerName, r.Space.Owner.Name} {
		own[strings.ToLower(r.BaseURL+protocols.JoinPath("api", "packages", owner, typeName))] = true
		own[strings.ToLower(r.BaseURL+protocols.JoinPath(owner, "_cargo-index.git"))] = true
	}
	return func(index string) bool {
		return own[strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(index, "sparse+"), "/"))]
	}
}

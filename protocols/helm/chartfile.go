package helm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/Masterminds/semver/v3"
	sigsyaml "sigs.k8s.io/yaml"

	"entrepot/registry"
)

// chart is what a Chart.yaml says, in the words and the order of helm's index.
//
// https://helm.sh/docs/topics/charts/#the-chartyaml-file
type chart struct {
	Name         string            `json:"name,omitempty"`
	Home         string            `json:"home,omitempty"`
	Sources      []string          `json:"sources,omitempty"`
	Version      string            `json:"version,omitempty"`
	Description  string            `json:"description,omitempty"`
	Keywords     []string          `json:"keywords,omitempty"`
	Maintainers  []*maintainer     `json:"maintainers,omitempty"`
	Icon         string            `json:"icon,omitempty"`
	APIVersion   string            `json:"apiVersion,omitempty"`
	Condition    string            `json:"condition,omitempty"`
	Tags         string            `json:"tags,omitempty"`
	AppVersion   string            `json:"appVersion,omitempty"`
	Deprecated   bool              `json:"deprecated,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	KubeVersion  string            `json:"kubeVersion,omitempty"`
	Dependencies []*dependency     `json:"dependencies,omitempty"`
	Type         string            `json:"type,omitempty"`

	// semver is the version read, extra what else the file says.
	semver *semver.Version
	extra  map[string]json.RawMessage
}

type maintainer struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	URL   string `json:"url,omitempty"`
}

type dependency struct {
	Name         string        `json:"name"`
	Version      string        `json:"version,omitempty"`
	Repository   string        `json:"repository"`
	Condition    string        `json:"condition,omitempty"`
	Tags         []string      `json:"tags,omitempty"`
	Enabled      bool          `json:"enabled,omitempty"`
	ImportValues []importValue `json:"import-values,omitempty"`
	Alias        string        `json:"alias,omitempty"`
}

// importValue is a key of a dependency's values, or from where to where one
// goes.
type importValue struct {
	Key           string
	Child, Parent string
}

type importPair struct {
	Child  string `json:"child"`
	Parent string `json:"parent"`
}

// UnmarshalJSON reads a text or a pair.
func (v *importValue) UnmarshalJSON(raw []byte) error {
	if err := json.Unmarshal(raw, &v.Key); err == nil {
		return nil
	}
	var pair importPair
	if err := json.Unmarshal(raw, &pair); err != nil {
		return errors.New("import-values are keys, or pairs of child and parent")
	}
	v.Child, v.Parent = pair.Child, pair.Parent
	return nil
}

// MarshalJSON writes it as it was.
func (v importValue) MarshalJSON() ([]byte, error) {
	if v.Key != "" {
		return json.Marshal(v.Key)
	}
	return json.Marshal(importPair{v.Child, v.Parent})
}

const (
	// maxChartYAML is the longest Chart.yaml or requirements.yaml.
	maxChartYAML = 1 << 20
	// maxExtra bounds what is kept of keys that are not helm's.
	maxExtra = 64 << 10
	// maxKey is the longest key of an annotation: those of YAML that stand on
	// one line have at most 1,024 characters.
	maxKey = 500
)

var alias = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

func badChart(format string, args ...any) error {
	return registry.FieldErrorf("Chart.yaml", "Chart.yaml is no good: %s", fmt.Sprintf(format, args...))
}

// parseChart reads a Chart.yaml, and for a chart of the first form the
// requirements.yaml beside it, which may be nil. Errors: Invalid.
func parseChart(raw, requirements []byte) (*chart, error) {
	raw = bytes.TrimPrefix(raw, bom)
	var c chart
	if _, err := decodeMapping(raw, &c); err != nil {
		return nil, badChart("%v", err)
	}
	if c.APIVersion == "" {
		c.APIVersion = "v1"
	}
	if c.APIVersion != "v1" && c.APIVersion != "v2" {
		return nil, badChart("the apiVersion %.40q is not known; v1 and v2 are", c.APIVersion)
	}
	if c.APIVersion == "v1" && requirements != nil {
		var r struct {
			Dependencies []*dependency `json:"dependencies"`
		}
		if _, err := decodeMapping(bytes.TrimPrefix(requirements, bom), &r); err != nil && !onlyComments(requirements) {
			return nil, registry.FieldErrorf("requirements.yaml", "requirements.yaml is no good: %v", err)
		}
		if r.Dependencies != nil {
			c.Dependencies = r.Dependencies
		}
	}
	c.clean()
	if err := c.check(); err != nil {
		return nil, err
	}
	return &c, c.keepExtra(raw)
}

var bom = []byte("\xef\xbb\xbf")

// onlyComments tells whether a YAML file says nothing, as that of a chart
// without dependencies may.
func onlyComments(raw []byte) bool {
	for line := range bytes.Lines(raw) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return false
		}
	}
	return true
}

// clean makes texts what helm makes of them on loading, so that a search shows
// what an install does, and drops what is null.
func (c *chart) clean() {
	for _, text := range []*string{&c.Name, &c.Description, &c.Home, &c.Icon, &c.Condition, &c.Tags, &c.AppVersion, &c.KubeVersion} {
		*text = printable(*text)
	}
	c.Sources, c.Keywords = printables(c.Sources), printables(c.Keywords)
	c.Maintainers = slices.DeleteFunc(c.Maintainers, func(m *maintainer) bool { return m == nil })
	for _, m := range c.Maintainers {
		m.Name, m.Email, m.URL = printable(m.Name), printable(m.Email), printable(m.URL)
	}
	c.Dependencies = slices.DeleteFunc(c.Dependencies, func(d *dependency) bool { return d == nil })
	for _, d := range c.Dependencies {
		d.Name, d.Version, d.Repository, d.Condition = printable(d.Name), printable(d.Version), printable(d.Repository), printable(d.Condition)
		d.Tags = printables(d.Tags)
	}
}

// printable is a text with every white space as a blank and without what
// cannot be printed.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c):
			return ' '
		case unicode.IsPrint(c):
			return c
		}
		return -1
	}, text)
}

func printables(texts []string) []string {
	for i, t := range texts {
		texts[i] = printable(t)
	}
	return slices.DeleteFunc(texts, func(t string) bool { return t == "" })
}

// check refuses what helm would refuse to load.
func (c *chart) check() error {
	if err := checkName(c.Name); err != nil {
		return err
	}
	var err error
	if c.semver, err = parseVersion(c.Version); err != nil {
		return err
	}
	switch c.Type {
	case "", "application", "library":
	default:
		return badChart("the type %.40q is neither application nor library", c.Type)
	}
	for key := range c.Annotations {
		if len(key) > maxKey {
			return badChart("the annotation %.40q... has a name of more than %d bytes", key, maxKey)
		}
	}
	seen := map[string]bool{}
	for _, d := range c.Dependencies {
		name := d.Name
		switch {
		case name == "":
			return badChart("a dependency has no name")
		case d.Alias != "" && !alias.MatchString(d.Alias):
			return badChart("the alias %.80q of %s has other than letters, digits, _ and -", d.Alias, name)
		case d.Alias != "":
			name = d.Alias
		}
		if seen[name] {
			return badChart("two dependencies have the name or alias %q", name)
		}
		seen[name] = true
	}
	return nil
}

// keepExtra notes what the file says beyond what helm reads.
func (c *chart) keepExtra(raw []byte) error {
	body, err := sigsyaml.YAMLToJSON(raw)
	if err == nil {
		err = json.Unmarshal(body, &c.extra)
	}
	if err != nil {
		return badChart("%v", withoutPrefix(err))
	}
	size := 0
	for _, key := range slices.Sorted(maps.Keys(c.extra)) {
		if size += len(key) + len(c.extra[key]); indexKeys[strings.ToLower(key)] || size > maxExtra {
			delete(c.extra, key)
		}
	}
	return nil
}

// indexKeys are the keys of Chart.yaml that an index knows, in lower case.
var indexKeys = map[string]bool{
	"name": true, "home": true, "sources": true, "version": true, "description": true, "keywords": true, "maintainers": true,
	"icon": true, "apiversion": true, "condition": true, "tags": true, "appversion": true, "deprecated": true,
	"annotations": true, "kubeversion": true, "dependencies": true, "type": true,
}

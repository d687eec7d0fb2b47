package chef

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

const (
	maxLine         = 2000
	maxDependencies = 1000
)

// metadata is what a cookbook says of itself.
// https://docs.chef.io/config_rb_metadata/
type metadata struct {
	name    string
	version version
	// dependencies and platforms are constraints by name.
	dependencies, platforms map[string]string
	// document is all of it, without what is kept elsewhere.
	document map[string]any
}

func badMetadata(field, format string, args ...any) error {
	return registry.FieldErrorf(field, "metadata.json: "+format, args...)
}

// parseMetadata reads a metadata.json. The types of what is not needed do not
// matter: there are many in use. Error: Invalid, naming the field.
func parseMetadata(raw []byte) (*metadata, error) {
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	decoder.UseNumber()
	var document map[string]any
	if err := decoder.Decode(&document); err != nil || document == nil {
		return nil, badMetadata("metadata", "it is no JSON object")
	}
	document = clean(document).(map[string]any)
	m := &metadata{document: document, platforms: map[string]string{}}
	if m.name = m.text("name"); !validName(m.name) {
		return nil, badMetadata("name", "the name %.200q is none: use 1 to %d letters, digits, hyphens and underscores", m.name, maxName)
	}
	text := m.text("version")
	var ok bool
	if m.version, ok = parseVersion(text); !ok {
		return nil, badMetadata("version", "the version %.100q is none: use two or three numbers, such as 1.2.0", text)
	}
	for _, field := range []string{"source_url", "issues_url"} {
		if url := m.text(field); url != "" && protocols.WebURL(url) == "" {
			return nil, badMetadata(field, "the %s %.200q is no URL with http or https", field, url)
		}
	}
	var err error
	if m.dependencies, err = parseDependencies(document["dependencies"]); err != nil {
		return nil, err
	}
	delete(m.dependencies, m.name)
	if platforms, ok := document["platforms"].(map[string]any); ok {
		for _, name := range slices.Sorted(maps.Keys(platforms))[:min(len(platforms), maxDependencies)] {
			m.platforms[line(name)] = line(strings.Join(words(platforms[name]), ", "))
		}
	}
	return m, nil
}

// text is a field's value if it is text, or a number.
func (m *metadata) text(field string) string {
	switch value := m.document[field].(type) {
	case string:
		return strings.TrimSpace(value)
	case json.Number:
		return value.String()
	}
	return ""
}

// parseDependencies reads what a cookbook needs: constraints by name.
func parseDependencies(value any) (map[string]string, error) {
	all := map[string]string{}
	if value == nil {
		return all, nil
	}
	needs, ok := value.(map[string]any)
	if list, isList := value.([]any); isList && len(list) == 0 {
		return all, nil // an empty object, as some write it
	}
	if !ok {
		return nil, badMetadata("dependencies", "the dependencies are no JSON object")
	}
	if len(needs) > maxDependencies {
		return nil, badMetadata("dependencies", "there are more than %d dependencies", maxDependencies)
	}
	for name, value := range needs {
		if !validName(name) {
			return nil, badMetadata("dependencies", "the dependency %.200q is no name of a cookbook", name)
		}
		constraints := words(value)
		if len(constraints) == 0 {
			constraints = []string{anyVersion}
		}
		constraint, ok := parseConstraint(constraints[0])
		if !ok || len(constraints) > 1 {
			return nil, badMetadata("dependencies", "the constraint %.100q of the dependency %s is none: use one version after <, >, =, <=, >= or ~>", strings.Join(constraints, ", "), name)
		}
		all[name] = constraint
	}
	return all, nil
}

// words are a value that is a text, or a list of texts.
func words(value any) []string {
	switch value := value.(type) {
	case string:
		if value = strings.TrimSpace(value); value != "" {
			return []string{value}
		}
	case []any:
		var all []string
		for _, each := range value {
			all = append(all, words(each)...)
		}
		return all
	}
	return nil
}

// anyVersion is the constraint that all versions meet.
const anyVersion = ">= 0.0.0"

var constraintPattern = regexp.MustCompile(`^(<|>|=|<=|>=|~>)? *([0-9]+(?:\.[0-9]+){0,2})$`)

// parseConstraint is a constraint as all clients write it; a version alone
// means that one. ok is false for what is none.
func parseConstraint(text string) (constraint string, ok bool) {
	parts := constraintPattern.FindStringSubmatch(strings.TrimSpace(text))
	if parts == nil || len(text) > 100 {
		return "", false
	}
	if parts[1] == "" {
		parts[1] = "="
	}
	return parts[1] + " " + parts[2], true
}

// clean makes of all texts in a value such as every database can keep.
func clean(value any) any {
	switch value := value.(type) {
	case string:
		return protocols.CleanText(value)
	case []any:
		for i := range value {
			value[i] = clean(value[i])
		}
	case map[string]any:
		cleaned := make(map[string]any, len(value))
		for key, v := range value {
			cleaned[protocols.CleanText(key)] = clean(v)
		}
		return cleaned
	}
	return value
}

// line is the text on one line, cut.
func line(text string) string { return protocols.CutText(protocols.OneLine(text), maxLine) }

// record is what documents say of the version.
func (m *metadata) record(category string) record {
	return record{
		Version: m.version.text, Description: line(m.text("description")), Maintainer: line(m.text("maintainer")), License: line(m.text("license")),
		Category: category, SourceURL: m.text("source_url"), IssuesURL: m.text("issues_url"),
		Dependencies: m.dependencies, Platforms: m.platforms,
	}
}

// facts are what all types know of a version.
func (a archive) facts(category string) registry.Facts {
	m := a.metadata
	f := registry.Facts{
		Summary: line(m.text("description")), Readme: a.readme, License: line(m.text("license")),
		RepositoryURL: protocols.WebURL(m.text("source_url")),
	}
	if f.Readme == "" {
		f.Readme = protocols.CutText(m.text("long_description"), maxText)
	}
	// Searches go by keywords.
	f.Keywords = append(f.Keywords, category)
	if maintainer := line(m.text("maintainer")); maintainer != "" {
		f.Authors = []string{maintainer}
		if maintainer != category {
			f.Keywords = append(f.Keywords, maintainer)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.dependencies)) {
		f.Dependencies = append(f.Dependencies, registry.Dependency{Name: name, Requirement: m.dependencies[name]})
	}
	return f
}

// kept is what is kept of a version beside the facts all types share.
type kept struct {
	Document  map[string]any `json:"document"`
	Category  string         `json:"category"`
	Changelog string         `json:"changelog,omitempty"`
}

func (a archive) kept(category string) kept {
	document := maps.Clone(a.metadata.document)
	delete(document, "long_description") // the readme
	return kept{document, category, a.changelog}
}

// shown is a value of any type for people.
func shown(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case []any:
		var all []string
		for _, each := range value {
			if text := shown(each); text != "" {
				all = append(all, text)
			}
		}
		return strings.Join(all, ", ")
	case map[string]any:
		var all []string
		for _, name := range slices.Sorted(maps.Keys(value)) {
			all = append(all, strings.TrimSpace(name+" "+shown(value[name])))
		}
		return strings.Join(all, ", ")
	}
	return fmt.Sprint(value)
}

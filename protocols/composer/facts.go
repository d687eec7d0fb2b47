package composer

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// maxLifted is the most of a kind that is lifted out of a composer.json for
// people to see; clients get all of it.
const maxLifted = 5000

// liftFacts takes what all package types have in common out of a
// composer.json. A member of an odd shape is passed over.
func liftFacts(m manifest, readme string) registry.Facts {
	return registry.Facts{
		Summary:       m.line("description"),
		Readme:        readme,
		License:       strings.Join(m.lines("license"), " OR "),
		Homepage:      protocols.WebURL(m.line("homepage")),
		RepositoryURL: protocols.WebURL(m.object("support").line("source")),
		Authors:       authors(m),
		Keywords:      m.lines("keywords"),
		Dependencies:  dependencies(m),
	}
}

// lines returns a member that is a text, or a list of them, each once.
func (m manifest) lines(key string) []string {
	var items []json.RawMessage
	if json.Unmarshal(m[key], &items) != nil {
		items = []json.RawMessage{m[key]}
	}
	var all []string
	for _, item := range items[:min(len(items), maxLifted)] {
		var text string
		if json.Unmarshal(item, &text) != nil {
			continue
		}
		if text = line(text); text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// authors are the names alone: mail addresses are left where they are.
func authors(m manifest) []string {
	var people []json.RawMessage
	if json.Unmarshal(m["authors"], &people) != nil {
		return nil
	}
	var names []string
	for _, raw := range people[:min(len(people), maxLifted)] {
		var person manifest
		if json.Unmarshal(raw, &person) != nil {
			continue
		}
		if name := person.line("name"); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// dependencies are what a version needs, what it needs to be worked on, and
// what it suggests, in the order of the composer.json.
func dependencies(m manifest) []registry.Dependency {
	var all []registry.Dependency
	for _, group := range []string{"require", "require-dev", "suggest"} {
		for _, link := range ordered(m[group]) {
			if len(all) >= maxLifted {
				return all
			}
			all = append(all, registry.Dependency{
				Group: group, Name: line(link[0]), Requirement: line(link[1]), Optional: group == "suggest",
			})
		}
	}
	return all
}

// ordered are the members of an object of texts in the order they were
// written, and none of anything else.
func ordered(raw json.RawMessage) (members [][2]string) {
	if json.Unmarshal(raw, &map[string]string{}) != nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.Token() // the brace: it has been read before
	for d.More() {
		var member [2]string
		for i := range member {
			token, _ := d.Token()
			member[i], _ = token.(string)
		}
		members = append(members, member)
	}
	return members
}

// metadata is what is kept of a version beside the facts all types share.
type metadata struct {
	Type    string            `json:"type"`
	Support map[string]string `json:"support,omitempty"`
	// Replace and Provide are the packages in whose place it can stand.
	Replace []string `json:"replace,omitempty"`
	Provide []string `json:"provide,omitempty"`
}

func newMetadata(m manifest) metadata {
	md := metadata{Type: m.kind(), Support: map[string]string{}}
	support := m.object("support")
	for key := range support {
		if text := support.line(key); text != "" && len(md.Support) < maxLifted {
			md.Support[line(key)] = text
		}
	}
	for key, list := range map[string]*[]string{"replace": &md.Replace, "provide": &md.Provide} {
		for _, link := range ordered(m[key]) {
			if len(*list) < maxLifted {
				*list = append(*list, line(link[0]+" "+link[1]))
			}
		}
	}
	return md
}

// facts are what a version's page shows beside the facts all types share.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	md, err := protocols.Metadata[metadata](v)
	if err != nil {
		return nil, err
	}
	var all protocols.Facts
	all.Add("type", "Type", md.Type)
	all.Add("replace", "Replaces", strings.Join(md.Replace, ", "))
	all.Add("provide", "Provides", strings.Join(md.Provide, ", "))
	if len(md.Support) > 0 {
		support := registry.Fact{Name: "support", Title: "Support", Columns: []string{"For", "Address"}}
		for _, key := range slices.Sorted(maps.Keys(md.Support)) {
			support.Rows = append(support.Rows, []string{key, md.Support[key]})
		}
		all = append(all, support)
	}
	return all, nil
}

package conda

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// The bounds of what is kept of an about.json.
const (
	maxText  = 64 << 10
	maxLine  = 2000
	maxItems = 100
)

// about is an info/about.json. Recipes are free to give one text or a list of
// them for most of its fields.
type about map[string][]string

// aboutFields are the texts that are kept.
var aboutFields = []string{
	"home", "dev_url", "doc_url", "doc_source_url", "license_url", "license_file", "source_url", "summary", "description", "channels", "keywords", "tags",
}

// parseAbout reads an info/about.json as far as it can be: what is wrong with
// it is told in a warning, for it does not matter to solvers.
func parseAbout(raw []byte) (about, string) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, fmt.Sprintf("%s is no JSON object", aboutFile)
	}
	a := about{}
	var odd []string
	for _, name := range aboutFields {
		if value, isThere := fields[name]; isThere && !a.take(name, value) {
			odd = append(odd, name)
		}
	}
	// What builders add of their own, of which the maintainers say who made it.
	var extra map[string]json.RawMessage
	if value, isThere := fields["extra"]; isThere && json.Unmarshal(value, &extra) != nil {
		odd = append(odd, "extra")
	}
	if value, isThere := extra["recipe-maintainers"]; isThere && !a.take("maintainers", value) {
		odd = append(odd, "extra")
	}
	if len(odd) > 0 {
		return a, fmt.Sprintf("%s has fields that are neither text nor a list of texts: %s", aboutFile, strings.Join(odd, ", "))
	}
	return a, ""
}

// take keeps a text or a list of texts, and tells whether it is one.
func (a about) take(name string, value json.RawMessage) bool {
	var one *string
	var several []string
	switch {
	case json.Unmarshal(value, &one) == nil:
		if one != nil {
			several = []string{*one}
		}
	case json.Unmarshal(value, &several) != nil:
		return false
	}
	for _, text := range several[:min(len(several), maxItems)] {
		if text = protocols.CutText(protocols.CleanText(text), maxText); strings.TrimSpace(text) != "" {
			a[name] = append(a[name], text)
		}
	}
	return true
}

// url is the first of a field's texts that a browser may follow, or "".
func (a about) url(names ...string) string {
	for _, name := range names {
		for _, text := range a[name] {
			if u := protocols.WebURL(text); u != "" {
				return u
			}
		}
	}
	return ""
}

// line is a field on one line.
func (a about) line(name string) string {
	return protocols.CutText(protocols.OneLine(strings.Join(a[name], ", ")), maxLine)
}

// The groups of dependencies.
const (
	dependsGroup    = "depends"
	constrainsGroup = "constrains"
)

// liftFacts takes what all package types have in common out of a package.
func liftFacts(r *record, a about) registry.Facts {
	f := registry.Facts{
		Summary:       a.line("summary"),
		Readme:        strings.Join(a["description"], "\n\n"),
		License:       protocols.CutText(protocols.CleanText(r.license), maxLine),
		Homepage:      a.url("home", "doc_url"),
		RepositoryURL: a.url("dev_url", "source_url"),
		Authors:       a["maintainers"],
		Keywords:      slices.Concat(a["keywords"], a["tags"]),
	}
	for _, group := range []struct {
		name  string
		needs []string
	}{{dependsGroup, r.depends}, {constrainsGroup, r.constrains}} {
		for _, need := range group.needs {
			name, requirement := split(protocols.CleanText(need))
			f.Dependencies = append(f.Dependencies, registry.Dependency{
				Group: group.name, Name: protocols.CutText(name, maxLine), Requirement: protocols.CutText(requirement, maxLine),
				Optional: group.name == constrainsGroup,
			})
		}
	}
	return f
}

// metadata is what is kept of a version beside the facts all types share: what
// the first file of it says.
type metadata struct {
	About about `json:"about,omitempty"`
	// LicenseFamily is of the record.
	LicenseFamily string `json:"licenseFamily,omitempty"`
	// Warnings tell what of the package could not be read.
	Warnings []string `json:"warnings,omitempty"`
}

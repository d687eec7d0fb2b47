package pypi

import (
	"cmp"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// The most of a kind that is lifted out of the metadata for people to see; the
// metadata itself is kept to the byte.
const (
	maxLifted = 5000
	maxLine   = 2000
	// maxReadme is how much of a description is kept, in bytes.
	maxReadme = 1 << 20
)

// liftFacts takes what all package types have in common out of the metadata.
func liftFacts(m coreMetadata) registry.Facts {
	links := projectURLs(m)
	return registry.Facts{
		Summary:       protocols.CutText(protocols.OneLine(m.text("summary")), maxLine),
		Readme:        protocols.CutText(m.text("description"), maxReadme),
		License:       license(m),
		Homepage:      cmp.Or(labelled(links, "homepage"), protocols.WebURL(m.text("home-page"))),
		RepositoryURL: labelled(links, "source", "sourcecode", "repository", "code", "github"),
		Authors:       authors(m),
		Keywords:      keywords(m),
		Dependencies:  dependencies(m),
	}
}

// link is a labelled address of a project.
type link struct {
	Label string `json:"label"`
	URL   string `json:"url"`
}

// projectURLs are the addresses of Project-URL, "label, URL".
func projectURLs(m coreMetadata) []link {
	var all []link
	for _, text := range m.texts("project-url") {
		label, address, _ := strings.Cut(text, ",")
		if address = protocols.WebURL(strings.TrimSpace(address)); address != "" {
			all = append(all, link{strings.TrimSpace(label), address})
		}
	}
	return all
}

// labelled is the first address that has one of the labels, which are compared
// without case, blanks and punctuation.
//
// https://packaging.python.org/en/latest/specifications/well-known-project-urls/
func labelled(links []link, labels ...string) string {
	for _, label := range labels {
		for _, l := range links {
			plain := strings.Map(func(c rune) rune {
				if strings.ContainsRune(" \t!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", c) {
					return -1
				}
				return c
			}, strings.ToLower(l.Label))
			if plain == label {
				return l.URL
			}
		}
	}
	return ""
}

// license is the expression, else the text if it is a line and not the whole
// licence, else what the classifiers say.
func license(m coreMetadata) string {
	if text := m.text("license-expression"); text != "" {
		return protocols.CutText(protocols.OneLine(text), maxLine)
	}
	const longestName = 100
	if text := m.text("license"); text != "" && len(text) <= longestName && !strings.Contains(text, "\n") {
		return protocols.OneLine(text)
	}
	var names []string
	for _, classifier := range m.texts("classifier") {
		if strings.HasPrefix(classifier, "License ::") {
			names = append(names, strings.TrimSpace(classifier[strings.LastIndex(classifier, "::")+len("::"):]))
		}
	}
	return protocols.CutText(strings.Join(names, ", "), maxLine)
}

// authors are the names of authors and maintainers. Mail addresses are left
// where they are, unless there is no name beside one.
func authors(m coreMetadata) []string {
	var names []string
	add := func(name string) {
		if name = protocols.CutText(protocols.OneLine(name), maxLine); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, who := range []string{"author", "maintainer"} {
		for name := range strings.SplitSeq(m.text(who), ",") {
			add(name)
		}
		addresses, err := mail.ParseAddressList(m.text(who + "-email"))
		if err != nil {
			continue
		}
		for _, a := range addresses {
			add(a.Name)
		}
	}
	return names
}

// keywords stand with commas between them, or, in old metadata, blanks.
func keywords(m coreMetadata) []string {
	text, separators := m.text("keywords"), " \t\n"
	if strings.Contains(text, ",") {
		separators = ","
	}
	var all []string
	for _, word := range strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(separators, c) }) {
		if word = protocols.CutText(protocols.OneLine(word), maxLine); word != "" && !slices.Contains(all, word) && len(all) < maxLifted {
			all = append(all, word)
		}
	}
	return all
}

// requirement divides a requirement into its name and the rest;
// extraMarker finds the extra it belongs to in that.
//
// https://packaging.python.org/en/latest/specifications/dependency-specifiers/
var (
	requirement = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(.*)$`)
	extraMarker = regexp.MustCompile(`\bextra\s*==\s*["']([^"']*)["']`)
)

// dependencies lists what the release needs: what it always needs as
// "requires", what an extra asks for under the extra's name.
func dependencies(m coreMetadata) []registry.Dependency {
	var all []registry.Dependency
	for _, text := range m.texts("requires-dist") {
		parts := requirement.FindStringSubmatch(text)
		if parts == nil {
			continue
		}
		d := registry.Dependency{Group: "requires", Name: parts[1], Requirement: parts[2]}
		if extra := extraMarker.FindStringSubmatch(parts[2]); extra != nil {
			d.Group, d.Optional = "extra "+extra[1], true
		}
		all = append(all, d)
	}
	return all
}

// metadata is what is kept of a release beside the facts all types share.
type metadata struct {
	RequiresPython string   `json:"requiresPython,omitempty"`
	Extras         []string `json:"extras,omitempty"`
	Platforms      []string `json:"platforms,omitempty"`
	Classifiers    []string `json:"classifiers,omitempty"`
	Links          []link   `json:"links,omitempty"`
	LicenseFiles   []string `json:"licenseFiles,omitempty"`
	Imports        []string `json:"imports,omitempty"`
	Description    string   `json:"descriptionContentType,omitempty"`
	Version        string   `json:"metadataVersion,omitempty"`
}

func newMetadata(m coreMetadata) metadata {
	return metadata{
		RequiresPython: protocols.CutText(protocols.OneLine(m.text("requires-python")), maxLine),
		Extras:         m.texts("provides-extra"),
		Platforms:      m.texts("platform"),
		Classifiers:    m.texts("classifier"),
		Links:          projectURLs(m),
		LicenseFiles:   m.texts("license-file"),
		Imports:        m.texts("import-name"),
		Description:    protocols.CutText(protocols.OneLine(m.text("description-content-type")), maxLine),
		Version:        protocols.CutText(protocols.OneLine(m.text("metadata-version")), maxLine),
	}
}

// facts are what a version's page shows beside the facts all types share.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	md, err := protocols.Metadata[metadata](v)
	if err != nil {
		return nil, err
	}
	var all protocols.Facts
	all.Add("requires-python", "Requires Python", md.RequiresPython)
	all.Add("extras", "Extras", strings.Join(md.Extras, ", "))
	if platforms := strings.Join(md.Platforms, ", "); !strings.EqualFold(platforms, "any") {
		all.Add("platforms", "Platforms", platforms)
	}
	all.Add("imports", "Imports", strings.Join(md.Imports, ", "))
	var links, classifiers [][]string
	for _, l := range md.Links {
		links = append(links, []string{l.Label, l.URL})
	}
	for _, classifier := range md.Classifiers {
		topic, value, _ := strings.Cut(classifier, " :: ")
		classifiers = append(classifiers, []string{topic, value})
	}
	all.AddTable("links", "Links", links, "Label", "Address")
	all.AddTable("classifiers", "Classifiers", classifiers, "Topic", "Value")
	return all, nil
}

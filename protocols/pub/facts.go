package pub

import (
	"fmt"
	"slices"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// The most of a kind that is kept of a pubspec beside itself, and the longest
// of its lines in bytes.
const (
	maxLine = 2000
	maxList = 1000
)

// metadata is what is kept of a version beside the facts all types share.
type metadata struct {
	Documentation string      `json:"documentation,omitempty"`
	IssueTracker  string      `json:"issueTracker,omitempty"`
	Environment   [][2]string `json:"environment,omitempty"`
	Executables   []string    `json:"executables,omitempty"`
	Platforms     []string    `json:"platforms,omitempty"`
	Changelog     string      `json:"changelog,omitempty"`
	License       string      `json:"license,omitempty"`
	Example       string      `json:"example,omitempty"`
	Size          int64       `json:"size"`
	FileCount     int         `json:"fileCount"`
	UnpackedSize  int64       `json:"unpackedSize"`
}

func newMetadata(a archive, size int64) metadata {
	p := a.pubspec
	md := metadata{
		Documentation: protocols.WebURL(p.string("documentation")), IssueTracker: protocols.WebURL(p.string("issue_tracker")),
		Executables: lines(p.object("executables").keys), Platforms: lines(p.object("platforms").keys),
		Changelog: a.changelog, License: a.license, Example: a.example,
		Size: size, FileCount: a.files, UnpackedSize: a.unpackedSize,
	}
	environment := p.object("environment")
	for _, key := range environment.keys[:min(len(environment.keys), maxList)] {
		if constraint, ok := environment.values[key].(string); ok {
			md.Environment = append(md.Environment, [2]string{line(key), line(constraint)})
		}
	}
	return md
}

// liftFacts takes what all package types have in common out of an archive.
func liftFacts(a archive) registry.Facts {
	p := a.pubspec
	f := registry.Facts{
		Summary: line(p.string("description")), Readme: a.readme, License: licenseName(a.license),
		Homepage:      protocols.WebURL(p.string("homepage")),
		RepositoryURL: protocols.WebURL(strings.TrimSuffix(p.string("repository"), ".git")),
		Keywords:      lines(p.strings("topics")),
	}
	for _, group := range []string{"dependencies", "dev_dependencies"} {
		dependencies := p.object(group)
		for _, name := range dependencies.keys[:min(len(dependencies.keys), maxList)] {
			f.Dependencies = append(f.Dependencies, registry.Dependency{
				Group: group, Name: line(name), Requirement: line(requirement(dependencies.values[name])),
			})
		}
	}
	return f
}

// requirement is what a dependency asks for, for people: a range of versions,
// or where it comes from.
func requirement(value any) string {
	switch value := value.(type) {
	case nil:
		return "any"
	case string:
		return value
	case *yamlObject:
		if constraint, ok := value.values["version"].(string); ok {
			return constraint
		}
		for _, source := range []string{"sdk", "git", "path"} {
			description := value.values[source]
			if o, ok := description.(*yamlObject); ok {
				description = o.values["url"]
			}
			if text, ok := description.(string); ok {
				return source + ": " + text
			}
		}
	}
	return "any"
}

// licenseName is the title of a license's text, "" if it has none: texts of
// some licenses begin with whose work it is.
func licenseName(text string) string {
	for each := range strings.Lines(text) {
		title := strings.TrimSpace(strings.Trim(strings.TrimSpace(each), "#"))
		if title == "" {
			continue
		}
		if len(title) <= 100 && strings.Contains(strings.ToLower(title), "license") {
			return line(title)
		}
		return ""
	}
	return ""
}

// line is the text on one line, cut.
func line(text string) string {
	return protocols.CutText(protocols.OneLine(protocols.CleanText(text)), maxLine)
}

func lines(list []string) []string {
	var all []string
	for _, text := range list[:min(len(list), maxList)] {
		if text = line(text); text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// facts are what a version's page shows beside the facts all types share.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	md, err := protocols.Metadata[metadata](v)
	if err != nil {
		return nil, err
	}
	var all protocols.Facts
	all.Add("documentation", "Documentation", md.Documentation)
	all.Add("issue-tracker", "Issues", md.IssueTracker)
	all.Add("platforms", "Platforms", strings.Join(md.Platforms, ", "))
	all.Add("executables", "Executables", strings.Join(md.Executables, ", "))
	if md.FileCount > 0 {
		all.Add("files", "Files", fmt.Sprint(md.FileCount))
	}
	if len(md.Environment) > 0 {
		table := registry.Fact{Name: "environment", Title: "Environment", Columns: []string{"SDK", "Versions"}}
		for _, row := range md.Environment {
			table.Rows = append(table.Rows, row[:])
		}
		all = append(all, table)
	}
	return all, nil
}

package debian

import (
	"net/mail"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// The most that is lifted out of a control file for people to see; the file
// itself is kept to the byte.
const (
	maxLine         = 2000
	maxReadme       = 1 << 20
	maxDependencies = 5000
)

// liftFacts takes what all package types have in common out of a control file.
func liftFacts(s stanza) registry.Facts {
	summary, long, _ := strings.Cut(s.text("Description"), "\n")
	f := registry.Facts{
		Summary:       protocols.CutText(protocols.CleanText(protocols.OneLine(summary)), maxLine),
		Readme:        protocols.CutText(protocols.CleanText(extended(long)), maxReadme),
		Homepage:      protocols.WebURL(protocols.CleanText(s.line("Homepage"))),
		RepositoryURL: protocols.WebURL(protocols.CleanText(s.line("Vcs-Browser"))),
		Dependencies:  dependencies(s),
	}
	if section := s.line("Section"); section != "" {
		f.Keywords = []string{protocols.CutText(protocols.CleanText(section), maxLine)}
	}
	if maintainer := protocols.CleanText(s.line("Maintainer")); maintainer != "" {
		if a, err := mail.ParseAddress(maintainer); err == nil && a.Name != "" {
			maintainer = a.Name
		}
		f.Authors = []string{protocols.CutText(maintainer, maxLine)}
	}
	return f
}

// extended is a long description without the signs of its form: each line
// begins with a blank, and a line of one dot is an empty one.
func extended(text string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimPrefix(line, " ")
		if line != "." {
			b.WriteString(line)
		}
		b.WriteByte('\n')
	}
	return strings.TrimSpace(b.String())
}

// relations are the fields that name other packages, and whether an install
// may do without them.
var relations = []struct {
	field    string
	optional bool
}{
	{"Pre-Depends", false}, {"Depends", false}, {"Recommends", true}, {"Suggests", true}, {"Enhances", true},
	{"Conflicts", true}, {"Breaks", true}, {"Replaces", true}, {"Provides", true},
}

// dependencies lists what a package says of others, one by one; of
// alternatives the first is the name, and all of them the requirement.
func dependencies(s stanza) []registry.Dependency {
	var all []registry.Dependency
	for _, relation := range relations {
		for item := range strings.SplitSeq(s.line(relation.field), ",") {
			item = protocols.CleanText(strings.TrimSpace(item))
			if item == "" || len(all) == maxDependencies {
				continue
			}
			name, rest := item, ""
			if i := strings.IndexAny(item, " (|:["); i > 0 {
				name, rest = item[:i], strings.TrimSpace(item[i:])
			}
			if strings.Contains(item, "|") {
				rest = item
			}
			all = append(all, registry.Dependency{
				Group: relation.field, Name: protocols.CutText(name, maxLine), Optional: relation.optional,
				Requirement: protocols.CutText(strings.Trim(rest, "()"), maxLine),
			})
		}
	}
	return all
}

// metadata is what the page shows of a version beside the common facts.
type metadata struct {
	Source        string `json:"source,omitempty"`
	Section       string `json:"section,omitempty"`
	Priority      string `json:"priority,omitempty"`
	Maintainer    string `json:"maintainer,omitempty"`
	InstalledSize string `json:"installed_size,omitempty"`
	MultiArch     string `json:"multi_arch,omitempty"`
	Essential     string `json:"essential,omitempty"`
}

func liftMetadata(s stanza) metadata {
	text := func(field string) string { return protocols.CutText(protocols.CleanText(s.line(field)), maxLine) }
	return metadata{
		Source: text("Source"), Section: text("Section"), Priority: text("Priority"), Maintainer: text("Maintainer"),
		InstalledSize: text("Installed-Size"), MultiArch: text("Multi-Arch"), Essential: text("Essential"),
	}
}

// facts are the lines of a version's page.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	m, err := protocols.Metadata[metadata](v)
	if err != nil {
		return nil, err
	}
	var all protocols.Facts
	all.Add("source", "Source package", m.Source)
	all.Add("section", "Section", m.Section)
	all.Add("priority", "Priority", m.Priority)
	all.Add("maintainer", "Maintainer", m.Maintainer)
	if m.InstalledSize != "" {
		all.Add("installed-size", "Installed size", m.InstalledSize+" KiB")
	}
	all.Add("multi-arch", "Multi-Arch", m.MultiArch)
	all.Add("essential", "Essential", m.Essential)
	return all, nil
}

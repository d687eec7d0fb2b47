package cran

import (
	"context"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// dependsOn is the property by which a version says what it needs, in lower
// case: by it the packages are found that need one.
const dependsOn = "cran.depends"

// maxLine is the longest of the texts lifted out of a DESCRIPTION.
const maxLine = 2000

// liftFacts takes what all package types have in common out of a package.
func liftFacts(d *description, c *contents) registry.Facts {
	f := registry.Facts{
		Summary: protocols.CutText(d.line("Title"), maxLine),
		Readme:  c.readme,
		License: protocols.CutText(d.line("License"), maxLine),
	}
	if f.Readme == "" {
		f.Readme = d.line("Description")
	}
	for _, item := range strings.FieldsFunc(d.line("URL"), func(c rune) bool { return c == ',' || c == ' ' }) {
		switch url := protocols.WebURL(item); {
		case url == "":
		case f.Homepage == "":
			f.Homepage = url
		case f.RepositoryURL == "":
			f.RepositoryURL = url // the second is that of the code, by custom
		}
	}
	if author := d.line("Author"); author != "" {
		f.Authors = []string{protocols.CutText(author, maxLine)}
	} else if maintainer, _, _ := strings.Cut(d.line("Maintainer"), "<"); strings.TrimSpace(maintainer) != "" {
		f.Authors = []string{protocols.CutText(strings.TrimSpace(maintainer), maxLine)}
	}
	for _, relation := range relations {
		for _, n := range needs(d.line(relation.field)) {
			f.Dependencies = append(f.Dependencies, registry.Dependency{
				Group: relation.field, Name: protocols.CutText(n.name, maxLine),
				Requirement: protocols.CutText(n.requirement, maxLine), Optional: relation.optional,
			})
		}
	}
	return f
}

// metadata is what is kept of a version beside the facts all types share.
type metadata struct {
	// Description is the whole DESCRIPTION, each field on one line.
	Description string `json:"description"`
	// News is what is new, as the package's NEWS.md has it.
	News string `json:"news,omitempty"`
}

// maxNews is how much of the news is kept.
const maxNews = 64 << 10

func newMetadata(d *description, c *contents) metadata {
	return metadata{Description: d.write(), News: protocols.CutText(c.news, maxNews)}
}

// shown are the fields that a version's page has lines for.
var shown = []struct{ field, name, title string }{
	{"Maintainer", "maintainer", "Maintainer"}, {"Authors@R", "authors", "Authors"}, {"Type", "type", "Type"},
	{"Priority", "priority", "Priority"}, {"SystemRequirements", "system", "System requirements"},
	{"NeedsCompilation", "compilation", "Needs compilation"}, {"OS_type", "os", "Operating system"}, {"Archs", "archs", "Architectures"},
	{"Built", "built", "Built"}, {"BugReports", "bugs", "Bug reports"}, {"VignetteBuilder", "vignettes", "Vignette builder"},
	{"License_is_FOSS", "foss", "Free software"}, {"License_restricts_use", "restricted", "Licence restricts use"},
	{"LazyData", "lazy-data", "Lazy data"}, {"RoxygenNote", "roxygen", "Roxygen"}, {"Date/Publication", "published", "Published"},
	{"Repository", "repository", "Repository"},
}

// facts are the lines of a version's page.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	md, err := protocols.Metadata[metadata](v)
	if err != nil || md.Description == "" {
		return nil, err
	}
	r, err := parseRecord([]byte(md.Description))
	if err != nil {
		return nil, err
	}
	var all []registry.Fact
	add := func(name, title, value string) {
		if value != "" {
			all = append(all, registry.Fact{Name: name, Title: title, Value: protocols.CutText(value, maxLine)})
		}
	}
	for _, n := range needs(r.line("Depends")) {
		if n.name == "R" {
			add("r", "Needs R", n.requirement)
		}
	}
	for _, s := range shown {
		add(s.name, s.title, r.line(s.field))
	}
	add("description", "Description", r.line("Description"))
	var config [][]string
	for _, name := range r.names {
		if strings.HasPrefix(name, "Config/") {
			config = append(config, []string{name, protocols.CutText(r.line(name), maxLine)})
		}
	}
	if len(config) > 0 {
		all = append(all, registry.Fact{Name: "config", Title: "Configuration", Columns: []string{"Key", "Value"}, Rows: config})
	}
	add("news", "News", md.News)
	return all, nil
}

// maxDependents is how many of the packages that need one are shown.
const maxDependents = 100

// storedFacts tell which packages need this one.
func storedFacts(ctx context.Context, h registry.Holdings, _ *ent.PackageVersion) ([]registry.Fact, error) {
	names, err := h.Dependents(ctx, registry.Property{Name: dependsOn, Value: fold(h.Name())}, maxDependents)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	return []registry.Fact{{Name: "dependents", Title: "Needed by", Value: strings.Join(names, ", ")}}, nil
}

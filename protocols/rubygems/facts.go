package rubygems

import (
	"maps"
	"slices"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// liftFacts takes what all package types have in common out of a gemspec.
func liftFacts(s *gemspec) registry.Facts {
	f := registry.Facts{
		Summary:       protocols.OneLine(s.summary),
		Readme:        s.description,
		License:       strings.Join(s.licenses, " OR "),
		Homepage:      protocols.WebURL(s.homepage),
		RepositoryURL: protocols.WebURL(s.metadata["source_code_uri"]),
	}
	for _, author := range s.authors {
		// As some write it, with the mail address behind, which is left where
		// it is.
		name, _, _ := strings.Cut(author, "<")
		if name = protocols.OneLine(name); name != "" && !slices.Contains(f.Authors, name) {
			f.Authors = append(f.Authors, name)
		}
	}
	for _, development := range []bool{false, true} {
		for _, d := range s.dependencies {
			if d.development == development {
				f.Dependencies = append(f.Dependencies, registry.Dependency{
					Group: groups[development], Name: d.name, Requirement: d.requirement.join(", "),
				})
			}
		}
	}
	return f
}

// groups are the kinds of dependency, by whether they are for development.
var groups = map[bool]string{false: "runtime", true: "development"}

// metadata is what is kept of a version beside the facts all types share.
type metadata struct {
	Ruby        string            `json:"ruby"`
	RubyGems    string            `json:"rubygems"`
	Executables []string          `json:"executables,omitempty"`
	Platform    string            `json:"platform"`
	Signed      bool              `json:"signed,omitempty"`
	BuiltWith   string            `json:"built_with,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
}

func newMetadata(s *gemspec) metadata {
	return metadata{
		Ruby: s.ruby.join(", "), RubyGems: s.rubygems.join(", "), Executables: s.executables, Platform: s.platform,
		Signed: len(s.certificates) > 0, BuiltWith: s.rubygemsVersion, Metadata: s.metadata,
	}
}

// facts are what a version's page shows beside the facts all types share.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	md, err := protocols.Metadata[metadata](v)
	if err != nil {
		return nil, err
	}
	var all protocols.Facts
	all.Add("ruby", "Needs Ruby", md.Ruby)
	if md.RubyGems != anything.join("") {
		all.Add("rubygems", "Needs RubyGems", md.RubyGems)
	}
	all.Add("executables", "Executables", strings.Join(md.Executables, ", "))
	if md.Signed {
		all.Add("signed", "Signed", "yes")
	}
	all.Add("built_with", "Built with RubyGems", md.BuiltWith)
	if len(md.Metadata) > 0 {
		table := registry.Fact{Name: "metadata", Title: "Metadata", Columns: []string{"Key", "Value"}}
		for _, key := range slices.Sorted(maps.Keys(md.Metadata)) {
			table.Rows = append(table.Rows, []string{key, md.Metadata[key]})
		}
		all = append(all, table)
	}
	return all, nil
}

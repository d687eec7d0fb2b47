package alpine

import (
	"net/mail"
	"strconv"
	"strings"
	"time"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// The most that is lifted out of a description for people to see.
const (
	maxLine         = 2000
	maxDependencies = 5000
)

func line(text string) string { return protocols.CutText(protocols.CleanText(text), maxLine) }

// liftFacts takes what all package types have in common out of a description.
func liftFacts(p protocols.Pkginfo) registry.Facts {
	f := registry.Facts{
		Summary: line(p.One("pkgdesc")), License: line(p.One("license")), Homepage: p.URL(), Dependencies: dependencies(p),
	}
	if maintainer := p.One("maintainer"); maintainer != "" {
		if a, err := mail.ParseAddress(maintainer); err == nil && a.Name != "" {
			maintainer = a.Name
		}
		f.Authors = []string{line(maintainer)}
	}
	return f
}

// relations are the keys that name other packages, and whether an install may
// do without them.
var relations = []struct {
	key      string
	optional bool
}{{"depend", false}, {"provides", true}, {"replaces", true}, {"install_if", true}}

// dependencies lists what a package says of others: a name and what its
// version must be. A name with an exclamation mark is one that must not be
// there.
func dependencies(p protocols.Pkginfo) []registry.Dependency {
	var all []registry.Dependency
	for _, relation := range relations {
		for item := range strings.FieldsSeq(strings.Join(p[relation.key], " ")) {
			if len(all) == maxDependencies {
				return all
			}
			group, name, requirement := relation.key, item, ""
			if rest, ok := strings.CutPrefix(item, "!"); ok && relation.key == "depend" {
				group, name = "conflicts", rest
			}
			if i := strings.IndexAny(name, "<>=~"); i > 0 {
				name, requirement = name[:i], name[i:]
			}
			all = append(all, registry.Dependency{
				Group: group, Name: line(name), Requirement: line(requirement), Optional: relation.optional || group == "conflicts",
			})
		}
	}
	return all
}

// metadata is what the page shows of a version beside the common facts.
type metadata struct {
	Origin        string `json:"origin,omitempty"`
	Maintainer    string `json:"maintainer,omitempty"`
	Commit        string `json:"commit,omitempty"`
	Built         int64  `json:"built,omitempty"`
	InstalledSize int64  `json:"installed_size,omitempty"`
}

func liftMetadata(p protocols.Pkginfo) metadata {
	number := func(key string) int64 {
		n, _ := strconv.ParseInt(p.Number(key), 10, 64) // it is a number or ""
		return n
	}
	return metadata{
		Origin: line(p.One("origin")), Maintainer: line(p.One("maintainer")), Commit: line(p.One("commit")),
		Built: number("builddate"), InstalledSize: number("size"),
	}
}

// facts are the lines of a version's page.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	m, err := protocols.Metadata[metadata](v)
	if err != nil {
		return nil, err
	}
	var all protocols.Facts
	all.Add("origin", "Origin", m.Origin)
	all.Add("maintainer", "Maintainer", m.Maintainer)
	all.Add("commit", "Commit", m.Commit)
	if m.Built > 0 && m.Built < 1<<40 {
		all.Add("built", "Built", time.Unix(m.Built, 0).UTC().Format(time.DateTime))
	}
	if m.InstalledSize > 0 {
		all.Add("installed-size", "Installed size", strconv.FormatInt(m.InstalledSize, 10)+" bytes")
	}
	return all, nil
}

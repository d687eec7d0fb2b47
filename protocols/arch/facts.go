package arch

import (
	"net/mail"
	"slices"
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
		Summary: line(p.One("pkgdesc")), License: line(strings.Join(p["license"], ", ")), Homepage: p.URL(),
		Dependencies: dependencies(p),
	}
	for _, group := range p["group"] {
		if word := line(group); !slices.Contains(f.Keywords, word) && len(f.Keywords) < 100 {
			f.Keywords = append(f.Keywords, word)
		}
	}
	if packager := p.One("packager"); packager != "" && packager != "Unknown Packager" {
		if a, err := mail.ParseAddress(packager); err == nil && a.Name != "" {
			packager = a.Name
		}
		f.Authors = []string{line(packager)}
	}
	return f
}

// relations are the keys that name other packages, and whether an install may
// do without them.
var relations = []struct {
	key      string
	optional bool
}{
	{"depend", false}, {"optdepend", true}, {"makedepend", true}, {"checkdepend", true},
	{"provides", true}, {"conflict", true}, {"replaces", true},
}

// dependencies lists what a package says of others: a name, what its version
// must be, and for an optional one what it is good for.
func dependencies(p protocols.Pkginfo) []registry.Dependency {
	var all []registry.Dependency
	for _, relation := range relations {
		for _, item := range p[relation.key] {
			if len(all) == maxDependencies {
				return all
			}
			name, why := item, ""
			if relation.key == "optdepend" {
				if before, after, ok := strings.Cut(item, ": "); ok {
					name, why = before, after
				}
			}
			requirement := why
			if i := strings.IndexAny(name, "<>="); i > 0 {
				name, requirement = name[:i], strings.TrimSpace(name[i:]+" "+why)
			}
			all = append(all, registry.Dependency{
				Group: relation.key, Name: line(strings.TrimSpace(name)), Requirement: line(requirement), Optional: relation.optional,
			})
		}
	}
	return all
}

// metadata is what the page shows of a version beside the common facts.
type metadata struct {
	Base          string `json:"base,omitempty"`
	Packager      string `json:"packager,omitempty"`
	Built         int64  `json:"built,omitempty"`
	InstalledSize int64  `json:"installed_size,omitempty"`
}

func liftMetadata(p protocols.Pkginfo) metadata {
	number := func(key string) int64 {
		n, _ := strconv.ParseInt(p.Number(key), 10, 64) // it is a number or ""
		return n
	}
	return metadata{Base: line(p.One("pkgbase")), Packager: line(p.One("packager")), Built: number("builddate"), InstalledSize: number("size")}
}

// facts are the lines of a version's page.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	m, err := protocols.Metadata[metadata](v)
	if err != nil {
		return nil, err
	}
	var all protocols.Facts
	all.Add("base", "Base", m.Base)
	all.Add("packager", "Packager", m.Packager)
	if m.Built > 0 && m.Built < 1<<40 {
		all.Add("built", "Built", time.Unix(m.Built, 0).UTC().Format(time.DateTime))
	}
	if m.InstalledSize > 0 {
		all.Add("installed-size", "Installed size", strconv.FormatInt(m.InstalledSize, 10)+" bytes")
	}
	return all, nil
}

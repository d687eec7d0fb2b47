package rpmfile

import (
	"strconv"
	"time"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// The most that people are shown of a package; indexes have all of it.
const (
	maxLine         = 2000
	maxDependencies = 5000
)

// Facts takes what all package types have in common out of a header.
func (p *Package) Facts() registry.Facts {
	line := func(t string) string { return protocols.CutText(protocols.OneLine(t), maxLine) }
	f := registry.Facts{
		Summary: line(p.Summary), Readme: p.Description, License: line(p.License), Homepage: protocols.WebURL(p.URL),
	}
	if p.Packager != "" {
		f.Authors = []string{line(p.Packager)}
	}
	for i, kind := range RelationKinds {
		for _, r := range p.Relations[i] {
			if len(f.Dependencies) == maxDependencies {
				return f
			}
			f.Dependencies = append(f.Dependencies, registry.Dependency{
				Group: kind.title, Name: line(r.Name), Requirement: line(r.requirement()), Optional: kind.optional,
			})
		}
	}
	return f
}

// Metadata is what the page shows of a version beside the common facts.
type Metadata struct {
	Group     string `json:"group,omitempty"`
	Vendor    string `json:"vendor,omitempty"`
	Packager  string `json:"packager,omitempty"`
	SourceRPM string `json:"source_rpm,omitempty"`
	BuildHost string `json:"build_host,omitempty"`
	BuildTime uint64 `json:"build_time,omitempty"`
	Installed uint64 `json:"installed_size,omitempty"`
	Changes   []note `json:"changelog,omitempty"`
}

// note is a change as the page shows it.
type note struct {
	Author string `json:"author"`
	Date   uint64 `json:"date"`
	Text   string `json:"text"`
}

// Metadata is what the page of the package shows.
func (p *Package) Metadata() Metadata {
	line := func(t string) string { return protocols.CutText(protocols.OneLine(t), maxLine) }
	m := Metadata{
		Group: line(p.Group), Vendor: line(p.Vendor), Packager: line(p.Packager), SourceRPM: line(p.SourceRPM),
		BuildHost: line(p.BuildHost), BuildTime: p.BuildTime, Installed: p.Installed,
	}
	for i := len(p.Changes) - 1; i >= 0; i-- { // newest first
		c := p.Changes[i]
		m.Changes = append(m.Changes, note{line(c.Author), c.Date, protocols.CutText(c.Text, maxLine)})
	}
	return m
}

// VersionFacts are the lines of a version's page.
func VersionFacts(v *ent.PackageVersion) ([]registry.Fact, error) {
	m, err := protocols.Metadata[Metadata](v)
	if err != nil {
		return nil, err
	}
	var all protocols.Facts
	all.Add("source", "Source package", m.SourceRPM)
	all.Add("group", "Group", m.Group)
	all.Add("vendor", "Vendor", m.Vendor)
	all.Add("packager", "Packager", m.Packager)
	all.Add("build-host", "Build host", m.BuildHost)
	if m.BuildTime > 0 {
		all.Add("built", "Built", day(m.BuildTime))
	}
	if m.Installed > 0 {
		all.Add("installed-size", "Installed size", strconv.FormatUint(m.Installed, 10)+" bytes")
	}
	if len(m.Changes) > 0 {
		f := registry.Fact{Name: "changelog", Title: "Changelog", Columns: []string{"Date", "Author", "Change"}}
		for _, c := range m.Changes {
			f.Rows = append(f.Rows, []string{day(c.Date), c.Author, c.Text})
		}
		all = append(all, f)
	}
	return all, nil
}

// day is the day of an instant in seconds, "" for one that no calendar has.
func day(seconds uint64) string {
	if seconds > 253402300799 { // the end of the year 9999
		return ""
	}
	return time.Unix(int64(seconds), 0).UTC().Format(time.DateOnly)
}

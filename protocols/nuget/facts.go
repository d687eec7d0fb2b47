package nuget

import (
	"slices"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// facts are what a version's page shows beside the facts all types share.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	m, err := decodeManifest(v.Metadata)
	if err != nil {
		return nil, err
	}
	var all protocols.Facts
	if !strings.EqualFold(m.Title, m.ID) {
		all.Add("title", "Title", m.Title)
	}
	all.Add("frameworks", "Frameworks", strings.Join(m.frameworks(), ", "))
	if !slices.Equal(m.PackageTypes, []string{dependencyType}) {
		all.Add("package-types", "Package types", strings.Join(m.PackageTypes, ", "))
	}
	if m.LicenseExpression == "" {
		all.Add("license-file", "License file", m.LicenseFile)
		all.Add("license-url", "License", m.LicenseURL)
	}
	all.Add("copyright", "Copyright", m.Copyright)
	all.Add("language", "Language", m.Language)
	all.Add("min-client-version", "Oldest client", m.MinClientVersion)
	all.Add("commit", "Commit", m.Repository.Commit)
	if m.DevelopmentDependency {
		all.Add("development-dependency", "Development dependency", "yes")
	}
	if m.RequireLicenseAcceptance {
		all.Add("license-acceptance", "License must be accepted", "yes")
	}
	all.Add("release-notes", "Release notes", m.ReleaseNotes)
	return all, nil
}

// frameworks are those the dependencies are told for.
func (m *manifest) frameworks() []string {
	var all []string
	for _, g := range m.Groups {
		if g.TargetFramework != "" && !slices.Contains(all, g.TargetFramework) {
			all = append(all, g.TargetFramework)
		}
	}
	return all
}

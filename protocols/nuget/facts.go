package nuget

import (
	"slices"
	"strings"

	"entrepot/ent"
	"entrepot/registry"
)

// facts are what a version's page shows beside the facts all types share.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	m, err := decodeManifest(v.Metadata)
	if err != nil {
		return nil, err
	}
	var all []registry.Fact
	add := func(name, title, value string) {
		if value != "" {
			all = append(all, registry.Fact{Name: name, Title: title, Value: value})
		}
	}
	if !strings.EqualFold(m.Title, m.ID) {
		add("title", "Title", m.Title)
	}
	add("frameworks", "Frameworks", strings.Join(m.frameworks(), ", "))
	if !slices.Equal(m.PackageTypes, []string{dependencyType}) {
		add("package-types", "Package types", strings.Join(m.PackageTypes, ", "))
	}
	if m.LicenseExpression == "" {
		add("license-file", "License file", m.LicenseFile)
		add("license-url", "License", m.LicenseURL)
	}
	add("copyright", "Copyright", m.Copyright)
	add("language", "Language", m.Language)
	add("min-client-version", "Oldest client", m.MinClientVersion)
	add("commit", "Commit", m.Repository.Commit)
	if m.DevelopmentDependency {
		add("development-dependency", "Development dependency", "yes")
	}
	if m.RequireLicenseAcceptance {
		add("license-acceptance", "License must be accepted", "yes")
	}
	add("release-notes", "Release notes", m.ReleaseNotes)
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

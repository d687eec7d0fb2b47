package nuget

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"entrepot/registry"
)

// A version's fragment is its members of a catalog entry, without the braces
// and without what can change:
//
//	"id":"A","version":"1.0.0",...,"dependencyGroups":[...]
//
// A NUL, which no JSON holds, stands where the URL of the owner's packages
// goes: that depends on how clients reach the server.
const rootMark = "\x00"

// catalogEntry are the members that stand in a fragment.
//
// https://learn.microsoft.com/nuget/api/registration-base-url-resource#catalog-entry
type catalogEntry struct {
	ID                       string            `json:"id"`
	Version                  string            `json:"version"`
	Authors                  string            `json:"authors"`
	Description              string            `json:"description"`
	Summary                  string            `json:"summary"`
	Title                    string            `json:"title"`
	Tags                     []string          `json:"tags"`
	IconURL                  string            `json:"iconUrl,omitempty"`
	LicenseURL               string            `json:"licenseUrl,omitempty"`
	LicenseExpression        string            `json:"licenseExpression,omitempty"`
	ProjectURL               string            `json:"projectUrl,omitempty"`
	ReadmeURL                string            `json:"readmeUrl,omitempty"`
	Language                 string            `json:"language,omitempty"`
	MinClientVersion         string            `json:"minClientVersion,omitempty"`
	RequireLicenseAcceptance bool              `json:"requireLicenseAcceptance"`
	PackageContent           string            `json:"packageContent"`
	DependencyGroups         []registeredGroup `json:"dependencyGroups"`
}

type registeredGroup struct {
	TargetFramework string                 `json:"targetFramework,omitempty"`
	Dependencies    []registeredDependency `json:"dependencies"`
}

type registeredDependency struct {
	ID           string `json:"id"`
	Range        string `json:"range"`
	Registration string `json:"registration"`
}

// anyVersion is the range of a dependency that names none.
const anyVersion = "(, )"

// render makes the fragment of a version.
func render(m *manifest) []byte {
	u := urls{rootMark}
	e := catalogEntry{
		ID: m.ID, Version: m.Version, Authors: strings.Join(m.Authors, ", "),
		Description: m.Description, Summary: m.Summary, Title: m.Title, Tags: append([]string{}, m.Tags...),
		IconURL: u.icon(m), LicenseURL: u.license(m), LicenseExpression: m.LicenseExpression,
		ProjectURL: m.ProjectURL, ReadmeURL: u.readme(m), Language: m.Language,
		MinClientVersion: m.MinClientVersion, RequireLicenseAcceptance: m.RequireLicenseAcceptance,
		PackageContent: u.content(m.ID, m.version.identity()), DependencyGroups: []registeredGroup{},
	}
	for _, g := range m.Groups {
		group := registeredGroup{TargetFramework: g.TargetFramework, Dependencies: []registeredDependency{}}
		for _, d := range g.Dependencies {
			requirement := d.Range
			if requirement == "" {
				requirement = anyVersion
			}
			group.Dependencies = append(group.Dependencies, registeredDependency{d.ID, requirement, u.registration(d.ID)})
		}
		e.DependencyGroups = append(e.DependencyGroups, group)
	}
	raw := jsonOf(e)
	// The mark was written as JSON writes it.
	raw = bytes.ReplaceAll(raw, []byte(`"\u0000`), []byte(`"`+rootMark))
	return raw[1 : len(raw)-1]
}

// urls are where the parts of a package are, below the URL of the owner's
// packages.
type urls struct{ root string }

func (u urls) registration(id string) string {
	return u.root + "/registration/" + fold(id) + "/index.json"
}

func (u urls) leaf(id, identity string) string {
	return u.root + "/registration/" + fold(id) + "/" + identity + ".json"
}

func (u urls) page(id, lower, upper string) string {
	return u.root + "/registration/" + fold(id) + "/page/" + lower + "/" + upper + ".json"
}

func (u urls) folder(id, identity string) string {
	return u.root + "/package/" + fold(id) + "/" + identity
}

func (u urls) content(id, identity string) string {
	return u.folder(id, identity) + "/" + packageFile(fold(id), identity)
}

// icon, license and readme are the package's own files, or what the manifest
// points to, or "".
func (u urls) icon(m *manifest) string {
	if m.Icon != "" {
		return u.folder(m.ID, m.version.identity()) + "/icon"
	}
	return m.IconURL
}

func (u urls) license(m *manifest) string {
	if m.LicenseFile != "" {
		return u.folder(m.ID, m.version.identity()) + "/license"
	}
	return m.LicenseURL
}

func (u urls) readme(m *manifest) string {
	if m.Readme != "" {
		return u.folder(m.ID, m.version.identity()) + "/readme"
	}
	return ""
}

// appendEntry appends the members of a version's catalog entry, those that can
// change included. root is the URL of the owner's packages as it stands in
// JSON.
func appendEntry(b, fragment []byte, root string, v *registry.VersionFragment) []byte {
	for {
		before, after, found := bytes.Cut(fragment, []byte(rootMark))
		b = append(b, before...)
		if !found {
			break
		}
		b = append(b, root...)
		fragment = after
	}
	b = fmt.Appendf(b, `,"listed":%t,"published":"%s"`, !v.Yanked, published(v.CreatedAt, v.Yanked))
	if v.Deprecated {
		b = append(b, `,"deprecation":`...)
		b = append(b, jsonOf(newDeprecation(v.StatusReason))...)
	}
	return append(b, `,"vulnerabilities":[]`...)
}

// deprecation is what registrations say of a deprecated version.
//
// https://learn.microsoft.com/nuget/api/registration-base-url-resource#package-deprecation
type deprecation struct {
	Reasons []string `json:"reasons"`
	Message string   `json:"message,omitempty"`
}

func newDeprecation(reason string) deprecation {
	if reason == "" {
		return deprecation{Reasons: []string{"Legacy"}}
	}
	return deprecation{Reasons: []string{"Other"}, Message: reason}
}

// instantLayout is the layout of times in documents.
const instantLayout = "2006-01-02T15:04:05.000Z"

// published is when a version was published. Clients know an unlisted one by
// its year.
func published(at time.Time, unlisted bool) string {
	if unlisted {
		return "1900-01-01T00:00:00.000Z"
	}
	return instant(at)
}

func instant(at time.Time) string { return at.UTC().Format(instantLayout) }

// jsonOf writes a value as JSON, with <, > and & as they are.
func jsonOf(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // texts, numbers and lists of them cannot fail
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// inJSON is a text as it stands between the quotes of a JSON string.
func inJSON(text string) string {
	quoted := jsonOf(text)
	return string(quoted[1 : len(quoted)-1])
}

// decodeManifest reads a version's metadata.
func decodeManifest(metadata []byte) (*manifest, error) {
	var m manifest
	if err := json.Unmarshal(metadata, &m); err != nil {
		return nil, fmt.Errorf("decode metadata: %w", err)
	}
	v, ok := parseVersion(m.Version)
	if !ok {
		return nil, fmt.Errorf("decode metadata: %q is no version", m.Version)
	}
	m.version = v
	return &m, nil
}

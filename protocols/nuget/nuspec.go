package nuget

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"

	"entrepot/protocols"
	"entrepot/registry"
)

// The bounds of a manifest.
const (
	// maxNuspec is the longest manifest in bytes.
	maxNuspec = 3 << 20
	// maxDependencies is the most dependencies, groups counted as one each.
	maxDependencies = 10_000
	// maxText is how much of a text of a manifest is kept, in bytes.
	maxText = 256 << 10
)

// nuspec is a package's manifest, as far as it is kept. The element names
// carry no namespace: there have been six, and packages without any.
//
// https://learn.microsoft.com/nuget/reference/nuspec
type nuspec struct {
	XMLName  xml.Name `xml:"package"`
	Metadata struct {
		MinClientVersion         string `xml:"minClientVersion,attr"`
		ID                       string `xml:"id"`
		Version                  string `xml:"version"`
		Title                    string `xml:"title"`
		Authors                  string `xml:"authors"`
		Description              string `xml:"description"`
		Summary                  string `xml:"summary"`
		ReleaseNotes             string `xml:"releaseNotes"`
		Copyright                string `xml:"copyright"`
		Language                 string `xml:"language"`
		Tags                     string `xml:"tags"`
		ProjectURL               string `xml:"projectUrl"`
		Icon                     string `xml:"icon"`
		IconURL                  string `xml:"iconUrl"`
		LicenseURL               string `xml:"licenseUrl"`
		Readme                   string `xml:"readme"`
		DevelopmentDependency    string `xml:"developmentDependency"`
		RequireLicenseAcceptance string `xml:"requireLicenseAcceptance"`
		License                  struct {
			Type string `xml:"type,attr"`
			Text string `xml:",chardata"`
		} `xml:"license"`
		Repository struct {
			Type   string `xml:"type,attr"`
			URL    string `xml:"url,attr"`
			Commit string `xml:"commit,attr"`
		} `xml:"repository"`
		PackageTypes []struct {
			Name string `xml:"name,attr"`
		} `xml:"packageTypes>packageType"`
		Dependencies struct {
			// Bare are those from before there were groups.
			Bare   []nuspecDependency `xml:"dependency"`
			Groups []struct {
				TargetFramework string             `xml:"targetFramework,attr"`
				Dependencies    []nuspecDependency `xml:"dependency"`
			} `xml:"group"`
		} `xml:"dependencies"`
		FrameworkAssemblies []struct {
			Name            string `xml:"assemblyName,attr"`
			TargetFramework string `xml:"targetFramework,attr"`
		} `xml:"frameworkAssemblies>frameworkAssembly"`
	} `xml:"metadata"`
}

type nuspecDependency struct {
	ID      string `xml:"id,attr"`
	Version string `xml:"version,attr"`
	Include string `xml:"include,attr"`
	Exclude string `xml:"exclude,attr"`
}

// manifest is what is known of a version from its manifest, and kept: the
// version's metadata in the registry.
type manifest struct {
	ID string `json:"id"`
	// Version is as it was written, with build metadata.
	Version                  string     `json:"version"`
	Title                    string     `json:"title,omitempty"`
	Authors                  []string   `json:"authors,omitempty"`
	Description              string     `json:"description,omitempty"`
	Summary                  string     `json:"summary,omitempty"`
	ReleaseNotes             string     `json:"releaseNotes,omitempty"`
	Copyright                string     `json:"copyright,omitempty"`
	Language                 string     `json:"language,omitempty"`
	Tags                     []string   `json:"tags,omitempty"`
	ProjectURL               string     `json:"projectUrl,omitempty"`
	Icon                     string     `json:"icon,omitempty"` // a file of the package
	IconURL                  string     `json:"iconUrl,omitempty"`
	LicenseExpression        string     `json:"licenseExpression,omitempty"`
	LicenseFile              string     `json:"licenseFile,omitempty"` // a file of the package
	LicenseURL               string     `json:"licenseUrl,omitempty"`
	Readme                   string     `json:"readme,omitempty"` // a file of the package
	Repository               repository `json:"repository,omitzero"`
	MinClientVersion         string     `json:"minClientVersion,omitempty"`
	DevelopmentDependency    bool       `json:"developmentDependency,omitempty"`
	RequireLicenseAcceptance bool       `json:"requireLicenseAcceptance,omitempty"`
	PackageTypes             []string   `json:"packageTypes"`
	// Groups are in the manifest's order, those without dependencies too: an
	// empty one says that a framework needs nothing.
	Groups              []dependencyGroup   `json:"groups,omitempty"`
	FrameworkAssemblies []frameworkAssembly `json:"frameworkAssemblies,omitempty"`

	version version
}

type repository struct {
	Type   string `json:"type,omitempty"`
	URL    string `json:"url,omitempty"`
	Commit string `json:"commit,omitempty"`
}

type dependencyGroup struct {
	TargetFramework string       `json:"targetFramework,omitempty"`
	Dependencies    []dependency `json:"dependencies,omitempty"`
}

type dependency struct {
	ID      string `json:"id"`
	Range   string `json:"range,omitempty"`
	Include string `json:"include,omitempty"`
	Exclude string `json:"exclude,omitempty"`
}

type frameworkAssembly struct {
	Name            string `json:"name"`
	TargetFramework string `json:"targetFramework,omitempty"`
}

// The package types that mean something here.
const (
	dependencyType = "Dependency"
	symbolsType    = "SymbolsPackage"
)

func badNuspec(format string, args ...any) error {
	return registry.FieldErrorf("nuspec", "the package's .nuspec is no good: "+format, args...)
}

// parseNuspec reads a manifest. Error: Invalid, for what no client could read.
func parseNuspec(raw []byte) (*manifest, error) {
	var n nuspec
	if err := decodeXML(raw, &n); err != nil {
		return nil, badNuspec("%.300v", err)
	}
	m := n.Metadata
	kept := &manifest{
		ID: trim(m.ID), Version: trim(m.Version),
		Title: text(m.Title), Authors: list(m.Authors, ","), Description: text(m.Description), Summary: text(m.Summary),
		ReleaseNotes: text(m.ReleaseNotes), Copyright: text(m.Copyright), Language: text(m.Language),
		Tags:       list(strings.Join(strings.Fields(m.Tags), ","), ",;"),
		ProjectURL: protocols.WebURL(m.ProjectURL), IconURL: protocols.WebURL(m.IconURL), LicenseURL: protocols.WebURL(m.LicenseURL),
		Icon: entryPath(m.Icon), Readme: entryPath(m.Readme),
		Repository:       repository{text(m.Repository.Type), text(m.Repository.URL), text(m.Repository.Commit)},
		MinClientVersion: text(m.MinClientVersion), DevelopmentDependency: isTrue(m.DevelopmentDependency),
		RequireLicenseAcceptance: isTrue(m.RequireLicenseAcceptance),
	}
	if !validID(kept.ID) {
		return nil, badNuspec("%.250q cannot be a package's id: it takes at most %d ASCII letters, digits and _, with single . and - between them", kept.ID, maxID)
	}
	var ok bool
	if kept.version, ok = parseVersion(kept.Version); !ok {
		return nil, badNuspec("%.250q is no version of at most %d characters, as NuGet has them", kept.Version, maxVersion)
	}
	switch license := text(m.License.Text); strings.ToLower(trim(m.License.Type)) {
	case "expression":
		kept.LicenseExpression = license
	case "file":
		kept.LicenseFile = entryPath(license)
	}
	for _, t := range m.PackageTypes {
		if name := text(t.Name); name != "" {
			kept.PackageTypes = append(kept.PackageTypes, name)
		}
	}
	if kept.PackageTypes == nil {
		kept.PackageTypes = []string{dependencyType}
	}
	for _, a := range m.FrameworkAssemblies {
		kept.FrameworkAssemblies = append(kept.FrameworkAssemblies, frameworkAssembly{text(a.Name), text(a.TargetFramework)})
	}
	return kept, kept.depend(&n)
}

// depend takes the dependencies over.
func (m *manifest) depend(n *nuspec) error {
	left := maxDependencies
	group := func(framework string, dependencies []nuspecDependency) error {
		if left -= 1 + len(dependencies); left < 0 {
			return badNuspec("it has more than %d dependencies", maxDependencies)
		}
		g := dependencyGroup{TargetFramework: text(framework)}
		for _, d := range dependencies {
			d.ID, d.Version = trim(d.ID), trim(d.Version)
			if !validID(d.ID) {
				return badNuspec("it depends on %.250q, which is no package's id", d.ID)
			}
			if _, ok := parseRange(d.Version); !ok {
				return badNuspec("it depends on %s in %.250q, which is no range of versions", d.ID, d.Version)
			}
			g.Dependencies = append(g.Dependencies, dependency{d.ID, d.Version, text(d.Include), text(d.Exclude)})
		}
		m.Groups = append(m.Groups, g)
		return nil
	}
	if bare := n.Metadata.Dependencies.Bare; len(bare) > 0 {
		if err := group("", bare); err != nil {
			return err
		}
	}
	for _, g := range n.Metadata.Dependencies.Groups {
		if err := group(g.TargetFramework, g.Dependencies); err != nil {
			return err
		}
	}
	return nil
}

// is tells whether the package is of a type.
func (m *manifest) is(packageType string) bool {
	for _, t := range m.PackageTypes {
		if strings.EqualFold(t, packageType) {
			return true
		}
	}
	return false
}

// semVer2 tells whether clients from before SemVer 2.0.0 cannot read the
// package: by its own version or by one in its dependencies.
func (m *manifest) semVer2() bool {
	if m.version.semVer2() {
		return true
	}
	for _, g := range m.Groups {
		for _, d := range g.Dependencies {
			if r, _ := parseRange(d.Range); r.semVer2() {
				return true
			}
		}
	}
	return false
}

// decodeXML decodes one whole document, UTF-8 or UTF-16 with a byte order
// mark. There are no entities but XML's own: a document cannot blow itself up.
// encoding/xml bounds the nesting, maxNuspec the rest.
func decodeXML(raw []byte, v any) error {
	wide := bytes.HasPrefix(raw, []byte("\xfe\xff")) || bytes.HasPrefix(raw, []byte("\xff\xfe"))
	if wide {
		decoded, err := unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM).NewDecoder().Bytes(raw)
		if err != nil {
			return errors.New("it is not UTF-16")
		}
		raw = decoded
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(raw) {
		return errors.New("it is neither UTF-8 nor UTF-16 with a byte order mark")
	}
	d := xml.NewDecoder(bytes.NewReader(raw))
	// Whatever it says, it has been told what it is.
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	if err := d.Decode(v); err != nil {
		return err
	}
	for {
		switch token, err := d.Token(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		default:
			rest, isText := token.(xml.CharData)
			_, isElement := token.(xml.StartElement)
			if isElement || isText && len(bytes.TrimSpace(rest)) > 0 {
				return errors.New("there is more after the end of the document")
			}
		}
	}
}

func trim(s string) string { return strings.TrimSpace(s) }

// text is what is kept of a text.
func text(s string) string { return protocols.CutText(protocols.CleanText(trim(s)), maxText) }

// list cuts a text at any of the separators.
func list(s, separators string) []string {
	var all []string
	for _, item := range strings.FieldsFunc(text(s), func(c rune) bool { return strings.ContainsRune(separators, c) }) {
		if item = trim(item); item != "" {
			all = append(all, item)
		}
	}
	return all
}

func isTrue(s string) bool { s = trim(s); return strings.EqualFold(s, "true") || s == "1" }

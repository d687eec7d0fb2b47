package maven

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// pom is what is read of a Project Object Model. Elements of any namespace
// count: all three that are in use, and none.
//
// https://maven.apache.org/ref/current/maven-model/maven.html
type pom struct {
	XMLName      xml.Name
	GroupID      string          `xml:"groupId"`
	ArtifactID   string          `xml:"artifactId"`
	Version      string          `xml:"version"`
	Packaging    string          `xml:"packaging"`
	Name         string          `xml:"name"`
	Description  string          `xml:"description"`
	URL          string          `xml:"url"`
	Organization string          `xml:"organization>name"`
	Licenses     []pomLicense    `xml:"licenses>license"`
	SCM          string          `xml:"scm>url"`
	Issues       string          `xml:"issueManagement>url"`
	Developers   []string        `xml:"developers>developer>id"`
	Parent       *coordinates    `xml:"parent"`
	Dependencies []pomDependency `xml:"dependencies>dependency"`
	Properties   pomProperties   `xml:"properties"`
}

// coordinates name an artifact.
type coordinates struct {
	GroupID    string `xml:"groupId" json:"group_id"`
	ArtifactID string `xml:"artifactId" json:"artifact_id"`
	Version    string `xml:"version" json:"version"`
}

type pomLicense struct {
	Name string `xml:"name" json:"name"`
	URL  string `xml:"url" json:"url,omitempty"`
}

type pomDependency struct {
	coordinates
	Scope      string `xml:"scope"`
	Type       string `xml:"type"`
	Classifier string `xml:"classifier"`
	Optional   string `xml:"optional"`
}

// pomProperties are what expressions in a POM stand for.
type pomProperties map[string]string

// UnmarshalXML reads elements whose names are the properties'.
func (p *pomProperties) UnmarshalXML(d *xml.Decoder, _ xml.StartElement) error {
	*p = pomProperties{}
	for {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			var value string
			if err := d.DecodeElement(&value, &t); err != nil {
				return err
			}
			(*p)[t.Name.Local] = strings.TrimSpace(value)
		case xml.EndElement:
			return nil
		}
	}
}

// The most of a kind that is lifted out of a POM, and the longest line, in
// bytes.
const (
	maxLifted = 5000
	maxLine   = 2000
)

// parsePOM reads a POM. Error: Invalid.
func parsePOM(raw []byte) (*pom, error) {
	var p pom
	err := decodeXML(raw, &p)
	switch {
	case err == nil && p.XMLName.Local != "project":
		err = fmt.Errorf("its root is <%.60s>, not <project>", p.XMLName.Local)
	case errors.Is(err, io.EOF):
		err = errors.New("there is no document in it")
	}
	if err != nil {
		return nil, registry.FieldErrorf("pom", "the POM cannot be read: %v", err)
	}
	if p.Parent != nil {
		p.GroupID = orElse(p.GroupID, p.Parent.GroupID)
		p.Version = orElse(p.Version, p.Parent.Version)
	}
	return &p, nil
}

// isEmpty tells whether nothing was found in the POM.
func (p *pom) isEmpty() bool {
	return p.GroupID+p.ArtifactID+p.Version+p.Name+p.Description+p.URL+p.Organization+p.SCM+p.Issues == "" &&
		len(p.Licenses)+len(p.Developers)+len(p.Dependencies) == 0
}

// expression stands for a value: ${project.version}, ${junit.version}.
var expression = regexp.MustCompile(`\$\{([^${}]{1,200})\}`)

// text makes one line of an element's text and puts values in the place of
// expressions, as far as this POM alone tells them. Values in values are
// looked up once more and no further.
func (p *pom) text(raw string) string {
	for range 2 {
		if !strings.Contains(raw, "${") || len(raw) > maxLine {
			break
		}
		raw = expression.ReplaceAllStringFunc(raw, func(e string) string {
			if value, ok := p.value(e[2 : len(e)-1]); ok {
				return value
			}
			return e
		})
	}
	raw = strings.Join(strings.Fields(strings.ToValidUTF8(strings.ReplaceAll(raw, "\x00", ""), "")), " ")
	if len(raw) > maxLine {
		raw = strings.ToValidUTF8(raw[:maxLine], "")
	}
	return raw
}

func (p *pom) value(name string) (string, bool) {
	// "pom." is how Maven 2 wrote it.
	field := strings.TrimPrefix(strings.TrimPrefix(name, "project."), "pom.")
	if field != name {
		value, ok := map[string]string{
			"groupId": p.GroupID, "artifactId": p.ArtifactID, "version": p.Version,
			"name": p.Name, "url": p.URL, "packaging": p.Packaging,
		}[field]
		if p.Parent != nil && !ok {
			value, ok = map[string]string{
				"parent.groupId": p.Parent.GroupID, "parent.artifactId": p.Parent.ArtifactID, "parent.version": p.Parent.Version,
			}[field]
		}
		return value, ok && value != ""
	}
	value, ok := p.Properties[name]
	return value, ok
}

// facts are what all package types know of a version.
func (p *pom) facts() registry.Facts {
	f := registry.Facts{
		Summary:       orElse(p.text(p.Description), p.text(p.Name)),
		Homepage:      protocols.WebURL(p.text(p.URL)),
		RepositoryURL: protocols.WebURL(p.text(p.SCM)),
	}
	var licenses []string
	for _, l := range p.Licenses[:min(len(p.Licenses), maxLifted)] {
		if name := orElse(p.text(l.Name), protocols.WebURL(p.text(l.URL))); name != "" {
			licenses = append(licenses, name)
		}
	}
	f.License = strings.Join(licenses, " OR ")
	if len(f.License) > maxLine {
		f.License = strings.ToValidUTF8(f.License[:maxLine], "")
	}
	for _, id := range p.Developers[:min(len(p.Developers), maxLifted)] {
		if id = p.text(id); id != "" {
			f.Authors = append(f.Authors, id)
		}
	}
	for _, d := range p.Dependencies[:min(len(p.Dependencies), maxLifted)] {
		f.Dependencies = append(f.Dependencies, registry.Dependency{
			Group:       orElse(p.text(d.Scope), "compile"),
			Name:        p.text(d.GroupID) + ":" + p.text(d.ArtifactID),
			Requirement: p.text(d.Version),
			Optional:    p.text(d.Optional) == "true",
		})
	}
	return f
}

// metadata is what is kept of a POM beside the facts.
type metadata struct {
	GroupID      string       `json:"group_id,omitempty"`
	ArtifactID   string       `json:"artifact_id,omitempty"`
	Version      string       `json:"version,omitempty"`
	Name         string       `json:"name,omitempty"`
	Packaging    string       `json:"packaging,omitempty"`
	Parent       *coordinates `json:"parent,omitempty"`
	Organization string       `json:"organization,omitempty"`
	Issues       string       `json:"issues,omitempty"`
	Licenses     []pomLicense `json:"licenses,omitempty"`
	// Attached are the dependencies on anything but the main jar of an
	// artifact.
	Attached []attachedDependency `json:"attached,omitempty"`
}

type attachedDependency struct {
	Name       string `json:"name"`
	Type       string `json:"type,omitempty"`
	Classifier string `json:"classifier,omitempty"`
}

func (p *pom) metadata() metadata {
	md := metadata{
		GroupID: p.text(p.GroupID), ArtifactID: p.text(p.ArtifactID), Version: p.text(p.Version),
		Name: p.text(p.Name), Packaging: orElse(p.text(p.Packaging), "jar"),
		Organization: p.text(p.Organization), Issues: protocols.WebURL(p.text(p.Issues)),
	}
	if p.Parent != nil {
		md.Parent = &coordinates{p.text(p.Parent.GroupID), p.text(p.Parent.ArtifactID), p.text(p.Parent.Version)}
	}
	for _, l := range p.Licenses[:min(len(p.Licenses), maxLifted)] {
		md.Licenses = append(md.Licenses, pomLicense{p.text(l.Name), protocols.WebURL(p.text(l.URL))})
	}
	for _, d := range p.Dependencies[:min(len(p.Dependencies), maxLifted)] {
		typ, classifier := p.text(d.Type), p.text(d.Classifier)
		if classifier != "" || typ != "" && typ != "jar" {
			md.Attached = append(md.Attached, attachedDependency{p.text(d.GroupID) + ":" + p.text(d.ArtifactID), typ, classifier})
		}
	}
	return md
}

func orElse(text, other string) string {
	if strings.TrimSpace(text) != "" {
		return text
	}
	return other
}

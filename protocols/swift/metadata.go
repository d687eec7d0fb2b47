package swift

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"entrepot/protocols"
	"entrepot/registry"
)

const (
	maxMetadata = 1 << 20
	maxLine     = 255
	maxText     = 64 << 10
	// maxURLs is how many repositories a release can name.
	maxURLs = 20
)

// metadata is what a release tells of itself (SE-0378, PackageRelease), as the
// client reads it: it does without what is empty, and refuses the whole release
// over an author without a name or a time with fractions of a second.
type metadata struct {
	Author                  *author  `json:"author,omitempty"`
	Description             string   `json:"description,omitempty"`
	LicenseURL              string   `json:"licenseURL,omitempty"`
	OriginalPublicationTime string   `json:"originalPublicationTime,omitempty"`
	ReadmeURL               string   `json:"readmeURL,omitempty"`
	RepositoryURLs          []string `json:"repositoryURLs,omitempty"`
}

type author struct {
	person
	Organization *person `json:"organization,omitempty"`
}

// person is a person or an organization.
type person struct {
	Name        string `json:"name"`
	Email       string `json:"email,omitempty"`
	Description string `json:"description,omitempty"`
	URL         string `json:"url,omitempty"`
}

func (p person) clean() person {
	return person{line(p.Name), line(p.Email), text(p.Description), p.URL}
}

// sentMetadata is metadata as it may be sent: also in the older form, which is
// that of schema.org.
type sentMetadata struct {
	Author *struct {
		person
		GivenName    string  `json:"givenName"`
		MiddleName   string  `json:"middleName"`
		FamilyName   string  `json:"familyName"`
		Organization *person `json:"organization"`
	} `json:"author"`
	Description             string   `json:"description"`
	LicenseURL              string   `json:"licenseURL"`
	License                 string   `json:"license"`
	OriginalPublicationTime string   `json:"originalPublicationTime"`
	ReadmeURL               string   `json:"readmeURL"`
	RepositoryURLs          []string `json:"repositoryURLs"`
	CodeRepository          string   `json:"codeRepository"`
	Keywords                []string `json:"keywords"`
}

// parseMetadata reads metadata; none is as good as any. Error: an unprocessable
// one that names the field.
func parseMetadata(raw []byte) (metadata, registry.Facts, error) {
	raw = trimMetadata(raw)
	var sent sentMetadata
	if len(raw) > 0 {
		if raw[0] != '{' {
			return metadata{}, registry.Facts{}, unprocessable("metadata", "the metadata is no JSON object")
		}
		if err := json.Unmarshal(raw, &sent); err != nil {
			return metadata{}, registry.Facts{}, badMetadata(err)
		}
	}
	m := metadata{Description: text(sent.Description)}
	if a := sent.Author; a != nil {
		a.Name = cmp.Or(a.Name, strings.Join([]string{a.GivenName, a.MiddleName, a.FamilyName}, " "))
		if cleaned := a.person.clean(); cleaned.Name != "" {
			m.Author = &author{person: cleaned}
			if o := a.Organization; o != nil && line(o.Name) != "" {
				cleaned := o.clean()
				m.Author.Organization = &cleaned
			}
		}
	}
	if sent.LicenseURL == "" && protocols.WebURL(sent.License) != "" {
		sent.LicenseURL, sent.License = sent.License, ""
	}
	m.LicenseURL, m.ReadmeURL, m.RepositoryURLs = sent.LicenseURL, sent.ReadmeURL, sent.RepositoryURLs
	if len(m.RepositoryURLs) == 0 && sent.CodeRepository != "" {
		m.RepositoryURLs = []string{sent.CodeRepository}
	}
	if err := m.checkURLs(); err != nil {
		return metadata{}, registry.Facts{}, err
	}
	if t := sent.OriginalPublicationTime; t != "" {
		at, err := time.Parse(time.RFC3339Nano, t)
		if err != nil {
			return metadata{}, registry.Facts{}, unprocessable("metadata.originalPublicationTime", "the metadata's originalPublicationTime %.100q is no time of ISO 8601", t)
		}
		m.OriginalPublicationTime = at.UTC().Format(timeFormat)
	}
	return m, m.facts(sent), nil
}

// trimMetadata takes the mark of UTF-8 and space off, which JSON has no place
// for.
func trimMetadata(raw []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\ufeff")))
}

// badMetadata tells where the metadata is no good.
func badMetadata(err error) error {
	if e, ok := err.(*json.UnmarshalTypeError); ok {
		field := strings.ReplaceAll(e.Field, "author.person.", "author.") // person is embedded
		return unprocessable("metadata."+field, "the metadata's %s cannot be a JSON %s", cmp.Or(field, "value"), e.Value)
	}
	return unprocessable("metadata", "the metadata is no JSON: %v", err)
}

// checkURLs refuses what the client could not read as a URL.
func (m metadata) checkURLs() error {
	fields := map[string]string{"licenseURL": m.LicenseURL, "readmeURL": m.ReadmeURL}
	if m.Author != nil {
		fields["author.url"] = m.Author.URL
		if o := m.Author.Organization; o != nil {
			fields["author.organization.url"] = o.URL
		}
	}
	for field, raw := range fields {
		if u, err := url.Parse(raw); raw != "" && (err != nil || !u.IsAbs() || len(raw) > maxURL || strings.Contains(raw, " ")) {
			return unprocessable("metadata."+field, "the metadata's %s %.200q is no absolute URL", field, raw)
		}
	}
	if len(m.RepositoryURLs) > maxURLs {
		return unprocessable("metadata.repositoryURLs", "the metadata has more than %d repositoryURLs", maxURLs)
	}
	for _, raw := range m.RepositoryURLs {
		if repositoryKey(raw) == "" {
			return unprocessable("metadata.repositoryURLs", "the metadata's repositoryURL %.200q is neither a URL nor user@host:path", raw)
		}
	}
	return nil
}

// facts are what all types know of a version.
func (m metadata) facts(sent sentMetadata) registry.Facts {
	head, _, _ := strings.Cut(m.Description, "\n")
	f := registry.Facts{Summary: line(head), License: line(sent.License)}
	if f.Summary != m.Description {
		f.Readme = m.Description
	}
	if f.License == "" {
		f.License = line(m.LicenseURL)
	}
	if m.Author != nil {
		f.Authors = []string{m.Author.Name}
	}
	for _, raw := range m.RepositoryURLs {
		if f.RepositoryURL == "" {
			f.RepositoryURL = protocols.WebURL(raw)
		}
	}
	for _, keyword := range sent.Keywords[:min(len(sent.Keywords), maxURLs)] {
		if keyword = line(keyword); keyword != "" {
			f.Keywords = append(f.Keywords, keyword)
		}
	}
	return f
}

// timeFormat is a time in whole seconds, the only form the client reads.
const timeFormat = "2006-01-02T15:04:05Z"

// text is a text that every database can keep, cut.
func text(s string) string {
	return protocols.CutText(strings.TrimSpace(protocols.CleanText(s)), maxText)
}

// line is the text on one line, cut.
func line(s string) string {
	return protocols.CutText(protocols.OneLine(protocols.CleanText(s)), maxLine)
}

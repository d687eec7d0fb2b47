package nuget

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"

	"entrepot/ent"
)

// The media types of V2.
const (
	atomType = "application/atom+xml; charset=utf-8"
	xmlType  = "application/xml"
)

const xmlHead = `<?xml version="1.0" encoding="utf-8"?>` + "\n"

// namespaces are declared on the outermost element.
const namespaces = ` xmlns="http://www.w3.org/2005/Atom" xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices"` +
	` xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"`

// schemaXML is what $metadata answers.
//
//go:embed schema.xml
var schemaXML []byte

// atom writes feeds and entries.
//
// https://www.odata.org/documentation/odata-version-2-0/atom-format/
type atom struct {
	bytes.Buffer
	root string
	urls urls
}

func newAtom(root string) *atom {
	a := &atom{root: root, urls: urls{root}}
	a.WriteString(xmlHead)
	return a
}

// feed writes a page of a list. described has what is told of the versions;
// one that is gone meanwhile is left out.
func (a *atom) feed(name string, total int, page []*entity, described map[int64]*ent.PackageVersion, next string) error {
	updated := time.Unix(0, 0)
	for _, v := range described {
		if v.UpdatedAt.After(updated) {
			updated = v.UpdatedAt
		}
	}
	fmt.Fprintf(a, `<feed xml:base="%s/"%s><m:count>%d</m:count>`, escapeXML(a.root), namespaces, total)
	a.element("id", a.root+"/"+name)
	fmt.Fprintf(a, `<title type="text">%s</title>`, name)
	a.element("updated", instant(updated))
	fmt.Fprintf(a, `<link rel="self" title="%s" href="%s"/>`, name, name)
	for _, e := range page {
		if described[e.ID] == nil {
			continue
		}
		if err := a.entry(e, described, false); err != nil {
			return err
		}
	}
	if next != "" {
		fmt.Fprintf(a, `<link rel="next" href="%s"/>`, escapeXML(next))
	}
	a.WriteString("</feed>\n")
	return nil
}

// entry writes one version, alone or within a feed.
func (a *atom) entry(e *entity, described map[int64]*ent.PackageVersion, alone bool) error {
	v := described[e.ID]
	if v == nil || v.Edges.Package == nil || len(v.Edges.Files) != 1 || v.Edges.Files[0].Edges.Blob == nil {
		return fmt.Errorf("version %d is not described", e.ID)
	}
	m, err := decodeManifest(v.Metadata)
	if err != nil {
		return fmt.Errorf("version %d: %w", e.ID, err)
	}
	id, identity := v.Edges.Package.Name, m.version.identity()
	self := entryURL(a.root, id, m.version.String())
	if alone {
		fmt.Fprintf(a, `<entry xml:base="%s/"%s>`, escapeXML(a.root), namespaces)
	} else {
		a.WriteString("<entry>")
	}
	a.element("id", self)
	a.WriteString(`<category term="NuGetGallery.OData.V2FeedPackage" scheme="http://schemas.microsoft.com/ado/2007/08/dataservices/scheme"/>`)
	for _, rel := range []string{"self", "edit"} {
		fmt.Fprintf(a, `<link rel="%s" title="V2FeedPackage" href="%s"/>`, rel, escapeXML(self))
	}
	fmt.Fprintf(a, `<title type="text">%s</title>`, escapeXML(id))
	fmt.Fprintf(a, `<summary type="text">%s</summary>`, escapeXML(m.Summary))
	a.element("updated", instant(v.UpdatedAt))
	fmt.Fprintf(a, `<author><name>%s</name></author>`, escapeXML(strings.Join(m.Authors, ", ")))
	fmt.Fprintf(a, `<content type="application/zip" src="%s"/>`, escapeXML(a.urls.folder(id, identity)))
	a.properties(e, v, m)
	a.WriteString("</entry>")
	if alone {
		a.WriteByte('\n')
	}
	return nil
}

// properties writes what V2 tells of a version.
func (a *atom) properties(e *entity, v *ent.PackageVersion, m *manifest) {
	blob, id := v.Edges.Files[0].Edges.Blob, v.Edges.Package.Name
	page := strings.TrimSuffix(a.root, "/"+typeName)
	page = strings.Replace(page, "/api/packages/", "/", 1) + "/" + typeName + "/" + id + "/v/" + m.Version
	a.WriteString("<m:properties>")
	for _, p := range []struct{ name, value string }{
		{"Id", id}, {"Version", m.Version}, {"NormalizedVersion", m.version.String()},
		{"Authors", strings.Join(m.Authors, ", ")}, {"Owners", strings.Join(m.Authors, ", ")},
		{"Dependencies", dependencies(m)}, {"Description", m.Description}, {"Summary", m.Summary}, {"Title", m.Title},
		{"Tags", joinTags(m)}, {"ReleaseNotes", m.ReleaseNotes}, {"ProjectUrl", m.ProjectURL},
		{"IconUrl", a.urls.icon(m)}, {"LicenseUrl", a.urls.license(m)}, {"Copyright", m.Copyright},
		{"Language", m.Language}, {"MinClientVersion", m.MinClientVersion},
		{"PackageHash", hash(blob)}, {"PackageHashAlgorithm", "SHA512"}, {"GalleryDetailsUrl", page},
	} {
		if p.value == "" {
			fmt.Fprintf(a, `<d:%s m:null="true"/>`, p.name)
			continue
		}
		fmt.Fprintf(a, `<d:%s>%s</d:%s>`, p.name, escapeXML(p.value), p.name)
	}
	for _, p := range []struct{ name, kind, value string }{
		{"RequireLicenseAcceptance", "Boolean", strconv.FormatBool(m.RequireLicenseAcceptance)},
		{"DevelopmentDependency", "Boolean", strconv.FormatBool(m.DevelopmentDependency)},
		{"IsPrerelease", "Boolean", strconv.FormatBool(v.Prerelease)},
		{"IsLatestVersion", "Boolean", strconv.FormatBool(e.latest)},
		{"IsAbsoluteLatestVersion", "Boolean", strconv.FormatBool(e.absoluteLatest)},
		{"Listed", "Boolean", strconv.FormatBool(!v.Yanked)},
		{"Created", "DateTime", instant(v.CreatedAt)},
		{"LastUpdated", "DateTime", instant(v.UpdatedAt)},
		{"Published", "DateTime", published(v.CreatedAt, v.Yanked)},
		{"DownloadCount", "Int32", count(v.Edges.Package.Downloads)},
		{"VersionDownloadCount", "Int32", count(v.Downloads)},
		{"PackageSize", "Int64", strconv.FormatInt(blob.Size, 10)},
	} {
		fmt.Fprintf(a, `<d:%s m:type="Edm.%s">%s</d:%s>`, p.name, p.kind, p.value, p.name)
	}
	a.WriteString("</m:properties>")
}

func (a *atom) element(name, text string) {
	fmt.Fprintf(a, "<%s>%s</%s>", name, escapeXML(text), name)
}

// count is a number that V2's clients keep in 32 bits.
func count(n int64) string { return strconv.FormatInt(min(n, 1<<31-1), 10) }

// hash is the digest by which V2's clients check a package.
func hash(b *ent.PackageBlob) string {
	sum, err := hex.DecodeString(b.Sha512)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(sum)
}

// dependencies are all in one text: id:range:framework, between bars, a group
// without any as ::framework.
func dependencies(m *manifest) string {
	var all []string
	for _, g := range m.Groups {
		if len(g.Dependencies) == 0 && g.TargetFramework != "" {
			all = append(all, "::"+g.TargetFramework)
		}
		for _, d := range g.Dependencies {
			all = append(all, d.ID+":"+d.Range+":"+g.TargetFramework)
		}
	}
	return strings.Join(all, "|")
}

// escapeXML is a text as it stands in an element or an attribute. What XML has
// no room for becomes U+FFFD.
func escapeXML(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer takes everything
	return b.String()
}

package maven

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"entrepot/registry"
	"entrepot/storage"
)

const fullPOM = `<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment -->
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <parent><groupId>com.acme</groupId><artifactId>parent</artifactId><version>7</version></parent>
  <artifactId>tool</artifactId>
  <packaging>war</packaging>
  <name>The Tool</name>
  <description>
    Does
    things in ${project.version} &amp; more
  </description>
  <url>https://example.com/tool</url>
  <organization><name>Acme</name></organization>
  <licenses>
    <license><name>MIT</name><url>https://example.com/mit</url></license>
    <license><name>Apache-2.0</name><url>javascript:alert(1)</url></license>
  </licenses>
  <scm><url>https://example.com/tool.git</url></scm>
  <issueManagement><url>ftp://example.com/issues</url></issueManagement>
  <developers><developer><id>ann</id><email>ann@example.com</email></developer><developer><name>No Id</name></developer></developers>
  <properties><junit.version>5.${minor}</junit.version><minor>1</minor></properties>
  <dependencyManagement><dependencies><dependency><groupId>not</groupId><artifactId>this</artifactId></dependency></dependencies></dependencyManagement>
  <dependencies>
    <dependency><groupId>${project.groupId}</groupId><artifactId>base</artifactId><version>${project.version}</version></dependency>
    <dependency><groupId>org.junit</groupId><artifactId>junit</artifactId><version>${junit.version}</version><scope>test</scope></dependency>
    <dependency><groupId>x</groupId><artifactId>y</artifactId><version>${revision}</version><type>zip</type><classifier>bin</classifier><optional>true</optional></dependency>
  </dependencies>
</project>
`

func TestParsePOM(t *testing.T) {
	p, err := parsePOM([]byte(fullPOM))
	if err != nil {
		t.Fatal(err)
	}
	wantFacts := registry.Facts{
		Summary: "Does things in 7 & more", License: "MIT OR Apache-2.0", Homepage: "https://example.com/tool",
		RepositoryURL: "https://example.com/tool.git", Authors: []string{"ann"},
		Dependencies: []registry.Dependency{
			{Group: "compile", Name: "com.acme:base", Requirement: "7"},
			{Group: "test", Name: "org.junit:junit", Requirement: "5.1"},
			{Group: "compile", Name: "x:y", Requirement: "${revision}", Optional: true},
		},
	}
	if got := p.facts(); !reflect.DeepEqual(got, wantFacts) {
		t.Errorf("facts: %+v", got)
	}
	wantMetadata := metadata{
		GroupID: "com.acme", ArtifactID: "tool", Version: "7", Name: "The Tool", Packaging: "war",
		Parent: &coordinates{"com.acme", "parent", "7"}, Organization: "Acme",
		Licenses: []pomLicense{{"MIT", "https://example.com/mit"}, {"Apache-2.0", ""}},
		Attached: []attachedDependency{{"x:y", "zip", "bin"}},
	}
	if got := p.metadata(); !reflect.DeepEqual(got, wantMetadata) {
		t.Errorf("metadata: %+v", got)
	}
}

func TestPOMEncodings(t *testing.T) {
	const body = "<project><name>Gr\u00fc\u00dfe</name></project>"
	wide := []byte{0xfe, 0xff}
	for _, c := range utf16.Encode([]rune(`<?xml version="1.0" encoding="UTF-16"?>` + body)) {
		wide = append(wide, byte(c>>8), byte(c))
	}
	for name, raw := range map[string]string{
		"UTF-8":              body,
		"with a mark":        "\ufeff" + `<?xml version="1.0" encoding="utf-8"?>` + body,
		"Latin 1":            `<?xml version="1.0" encoding="ISO-8859-1"?>` + "<project><name>Gr\xfc\xdfe</name></project>",
		"UTF-16":             string(wide),
		"names of HTML":      "<project><name>Gr&uuml;&szlig;e</name></project>",
		"another name space": `<m:project xmlns:m="http://maven.apache.org/POM/4.1.0"><m:name>` + "Gr\u00fc\u00dfe</m:name></m:project>",
	} {
		p, err := parsePOM([]byte(raw))
		if err != nil || p.Name != "Gr\u00fc\u00dfe" {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// A document must not make more of itself than it is.
func TestPOMsThatGrow(t *testing.T) {
	for name, raw := range map[string]string{
		"entities":        `<!DOCTYPE p [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><project><name>&b;</name></project>`,
		"a file":          `<!DOCTYPE p [<!ENTITY a SYSTEM "file:///etc/passwd">]><project><name>&a;</name></project>`,
		"nesting":         strings.Repeat("<project>", 200_000),
		"unknown element": "<project>" + strings.Repeat("<a>", 100_000),
	} {
		if _, err := parsePOM([]byte(raw)); registry.CodeOf(err) != registry.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	// An expression that stands for itself, and one that doubles.
	p, err := parsePOM([]byte("<project><description>${a}</description><properties><a>${a}${a}</a></properties></project>"))
	if err != nil || p.facts().Summary != "${a}${a}${a}${a}" {
		t.Errorf("%q, %v", p.facts().Summary, err)
	}
	many := "<project><properties><a>" + strings.Repeat("x", 100_000) + "</a></properties><description>" + strings.Repeat("${a}", 400) + "</description></project>"
	if p, err = parsePOM([]byte(many)); err != nil || len(p.facts().Summary) > maxLine {
		t.Errorf("%d bytes, %v", len(p.facts().Summary), err)
	}
}

func TestEmptyPOM(t *testing.T) {
	for raw, want := range map[string]bool{"<project/>": true, "<project><modelVersion>4.0.0</modelVersion></project>": true, "<project><artifactId>a</artifactId></project>": false} {
		p, err := parsePOM([]byte(raw))
		if err != nil || p.isEmpty() != want {
			t.Errorf("%s: %v, %v", raw, p.isEmpty(), err)
		}
	}
}

func FuzzParsePOM(f *testing.F) {
	f.Add([]byte(fullPOM))
	f.Add([]byte("\xff\xfe<\x00p\x00"))
	f.Add([]byte("<project><properties><a>${b}</a><b>${a}</b></properties><name>${a}</name></project>"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := parsePOM(raw)
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Errorf("%v", err)
			}
			return
		}
		facts, md := p.facts(), p.metadata()
		texts := append(slices.Clone(facts.Authors), facts.Summary, facts.License, facts.Homepage, facts.RepositoryURL, md.Name, md.GroupID)
		for _, text := range texts {
			if len(text) > maxLine || strings.ContainsAny(text, "\x00\n") {
				t.Errorf("%q was lifted", text)
			}
		}
	})
}

func FuzzParseDocument(f *testing.F) {
	f.Add([]byte(`<metadata><versioning><snapshotVersions><snapshotVersion><extension>jar</extension><value>1</value></snapshotVersion></snapshotVersions></versioning></metadata>`))
	f.Add([]byte(`<metadata><plugins><plugin><name>n</name><prefix>p</prefix><artifactId>a</artifactId></plugin></plugins></metadata>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := parseDocument(raw)
		if err != nil {
			return
		}
		var rec received
		rec.add(d, storage.Sums{SHA256: "x"})
		if len(rec.Extensions) > maxExtensions || len(rec.Sums) != 1 {
			t.Errorf("%d extensions, %d sums", len(rec.Extensions), len(rec.Sums))
		}
		var again bytes.Buffer
		if err := d.writeTo(&again); err != nil {
			t.Fatal(err)
		}
		if _, err := parseDocument(again.Bytes()); err != nil {
			t.Errorf("what is written cannot be read: %v", err)
		}
	})
}

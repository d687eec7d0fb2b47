package pypi

import (
	"slices"
	"strings"
	"testing"
)

func TestParseVersion(t *testing.T) {
	for _, tt := range []struct{ text, want, identity string }{
		{"1.0", "1.0", "1"},
		{" 1.0\n", "1.0", "1"},
		{"v1.0.0", "1.0.0", "1"},
		{"1", "1", "1"},
		{"0.0", "0.0", "0"},
		{"01.002", "1.2", "1.2"},
		{"0!1.0", "1.0", "1"},
		{"1!1.0", "1!1.0", "1!1"},
		{"1.0-ALPHA.1", "1.0a1", "1a1"},
		{"1.0beta", "1.0b0", "1b0"},
		{"1.0c2", "1.0rc2", "1rc2"},
		{"1.0.preview_3", "1.0rc3", "1rc3"},
		{"1.0-1", "1.0.post1", "1.post1"},
		{"1.0rev", "1.0.post0", "1.post0"},
		{"1.0_r4", "1.0.post4", "1.post4"},
		{"1.0dev", "1.0.dev0", "1.dev0"},
		{"1.0a1.post2.dev3", "1.0a1.post2.dev3", "1a1.post2.dev3"},
		{"1.0+Ubuntu-1_007", "1.0+ubuntu.1.7", "1+ubuntu.1.7"},
		{"20261231.0", "20261231.0", "20261231"},
		{"99999999999999999999.1", "99999999999999999999.1", "99999999999999999999.1"},
	} {
		v, ok := parseVersion(tt.text)
		if !ok || v.String() != tt.want || v.identity() != tt.identity {
			t.Errorf("parseVersion(%q) = %s, identity %s, %v; want %s, %s", tt.text, v, v.identity(), ok, tt.want, tt.identity)
		}
	}
	for _, text := range []string{
		"", "v", "1.", ".1", "1..0", "1.0x", "french toast", "1.0+", "1.0+a+b", "1.0+_a", "1.0-", "1.0a1b1", "1.0.dev1.post1", "2004d",
		"١.0", "1.0\x00", "1 .0", strings.Repeat("1", maxVersion+1),
	} {
		if v, ok := parseVersion(text); ok {
			t.Errorf("parseVersion(%q) = %s", text, v)
		}
	}
}

// TestOrder lists versions from the lowest to the highest, as the
// specification's own examples have them and where those say nothing, as
// installers do.
func TestOrder(t *testing.T) {
	order := []string{
		"0", "0.0.1", "0.9", "1.dev0", "1.0.dev456", "1.0a0.dev1", "1.0a1", "1.0a2.dev456", "1.0a2", "1.0a2.post1.dev2", "1.0a2.post1",
		"1.0a12.dev456", "1.0a12", "1.0b1.dev456", "1.0b2", "1.0b2.post345.dev456", "1.0b2.post345", "1.0rc1.dev456", "1.0rc1",
		"1.0", "1.0+abc.5", "1.0+abc.7", "1.0+abc.10", "1.0+abcd", "1.0+5", "1.0+5.a", "1.0+5.1", "1.0+10",
		"1.0.post456.dev34", "1.0.post456", "1.0.post456+local", "1.0.1.dev1", "1.0.1", "1.0.15", "1.1.dev1", "1.1", "1.2", "1.10", "2", "10",
		"20261231", "100000000000000000000", "1!0.dev1", "1!0", "2!0", "10!0",
	}
	for i := 1; i < len(order); i++ {
		a, _ := parseVersion(order[i-1])
		b, _ := parseVersion(order[i])
		if a.sortKey() >= b.sortKey() {
			t.Errorf("%s does not come before %s", a, b)
		}
	}
	for _, equal := range [][]string{{"1", "1.0", "v1.0.0"}, {"1.0a", "1.0.alpha.0"}, {"1.0-1", "1.0.post1"}, {"1.0+a-b", "1.0+A.B"}, {"0.0", "0"}} {
		a, _ := parseVersion(equal[0])
		for _, text := range equal[1:] {
			if b, _ := parseVersion(text); a.sortKey() != b.sortKey() || a.identity() != b.identity() {
				t.Errorf("%s is not %s", equal[0], text)
			}
		}
	}
	for text, want := range map[string]bool{"1": false, "1a1": true, "1.dev1": true, "1.post1": false, "1.post1.dev1": true, "1+dev": false} {
		if v, _ := parseVersion(text); v.prerelease() != want {
			t.Errorf("%s: prerelease is %v", text, v.prerelease())
		}
	}
}

func FuzzParseVersion(f *testing.F) {
	for _, text := range []string{"1.0", "1!2.0a1.post2.dev3+x.1", "v1.0-1", "1.0+ubuntu_1", "x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := parseVersion(text)
		if !ok {
			return
		}
		again, ok := parseVersion(v.String())
		if !ok || again.String() != v.String() || again.identity() != v.identity() || again.sortKey() != v.sortKey() {
			t.Errorf("%q is written %q, which is read as %q", text, v, again)
		}
		if other, ok := parseVersion(v.identity()); !ok || other.identity() != v.identity() || other.sortKey() != v.sortKey() {
			t.Errorf("the identity of %q is %q, which is not equal", text, v.identity())
		}
		if len(v.sortKey()) > 2*512 {
			t.Errorf("the sort key of %q has %d digits", text, len(v.sortKey()))
		}
	})
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"My.Pkg": "my-pkg", "a--b": "a-b", "a-_.b": "a-b", "A": "a", "x1": "x1", "ruamel.yaml": "ruamel-yaml",
	} {
		if !validName(name) || normalizeName(name) != want {
			t.Errorf("%q: valid %v, normalized %q, want %q", name, validName(name), normalizeName(name), want)
		}
	}
	for _, name := range []string{"", "-a", "a-", ".", "a b", "a/b", "ä", "a\x00", "a+b", strings.Repeat("a", maxName+1)} {
		if validName(name) {
			t.Errorf("%q is taken for a name", name)
		}
	}
}

func TestFilename(t *testing.T) {
	for _, tt := range []struct {
		file, project, version string
		want                   kind
	}{
		{"my_pkg-1.0-py3-none-any.whl", "my-pkg", "1.0", wheel},
		{"My.Pkg-1.0.0-py3-none-any.whl", "my-pkg", "1.0", wheel},
		{"my_pkg-1.0-1build-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "my-pkg", "1.0", wheel},
		{"my_pkg-1.0+local_1-py3-none-any.whl", "my-pkg", "1.0+local.1", wheel},
		{"my_pkg-1!1.0-py3-none-any.whl", "my-pkg", "1!1.0", wheel},
		{"my_pkg-1.0.tar.gz", "my-pkg", "1.0", sdist},
		{"my-pkg-1.0.zip", "my-pkg", "1.0", sdist},
		{"my-pkg-1.0-1.tar.gz", "my-pkg", "1.0.post1", sdist},
		{"a-1-1.tar.gz", "a-1", "1", sdist},
		{"a-1-1.tar.gz", "a", "1.post1", sdist},

		{"my_pkg-1.1-py3-none-any.whl", "my-pkg", "1.0", ""},
		{"other-1.0-py3-none-any.whl", "my-pkg", "1.0", ""},
		{"my_pkg-1.0-py3-none.whl", "my-pkg", "1.0", ""},
		{"my_pkg-1.0-build-py3-none-any.whl", "my-pkg", "1.0", ""},
		{"my_pkg-1.0--py3-none-any.whl", "my-pkg", "1.0", ""},
		{"my_pkg.tar.gz", "my-pkg", "1.0", ""},
		{"my_pkg-1.0.egg", "my-pkg", "1.0", ""},
		{"my_pkg-1.0.tar.bz2", "my-pkg", "1.0", ""},
		{"../my_pkg-1.0.tar.gz", "my-pkg", "1.0", ""},
		{`..\my_pkg-1.0.tar.gz`, "my-pkg", "1.0", ""},
		{".my_pkg-1.0.tar.gz", "my-pkg", "1.0", ""},
		{"my_pkg-1.0.tar.gz\n", "my-pkg", "1.0", ""},
		{"", "my-pkg", "1.0", ""},
		{".whl", "my-pkg", "1.0", ""},
		{"my_pkg-1.0" + strings.Repeat("0", maxFilename) + ".tar.gz", "my-pkg", "1.0", ""},
	} {
		v, _ := parseVersion(tt.version)
		got, err := checkFilename(tt.file, tt.project, v)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("checkFilename(%q, %s, %s) = %q, %v", tt.file, tt.project, v, got, err)
		}
	}
}

func TestMetadataFields(t *testing.T) {
	m, err := parseMetadata([]byte("Metadata-Version: 2.4\r\nName: My.Pkg\r\nVersion: 1.0\r\nSummary: UNKNOWN\r\n" +
		"Classifier: A :: B\r\nclassifier: C\r\nLicense: Line 1\r\n        Line 2\r\nno field here\r\n" +
		"Requires-Dist: x[y]>=1; extra == 'z'\r\n\r\nThe description\r\n: of it\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.text("name"); got != "My.Pkg" {
		t.Errorf("name = %q", got)
	}
	if got := m.text("summary"); got != "" {
		t.Errorf("summary = %q", got)
	}
	if got := m.texts("classifier"); !slices.Equal(got, []string{"A :: B", "C"}) {
		t.Errorf("classifier = %q", got)
	}
	if got := m.text("license"); got != "Line 1\nLine 2" {
		t.Errorf("license = %q", got)
	}
	if got := m.text("description"); got != "The description\n: of it" {
		t.Errorf("description = %q", got)
	}
	for _, raw := range []string{"", "Name: a\nVersion: 1\n", "Metadata-Version: 1\nName: a\nName: b\nVersion: 1\n", "Metadata-Version: 1\n\nName: a\nVersion: 1\n"} {
		if m, err := parseMetadata([]byte(raw)); err == nil {
			t.Errorf("parseMetadata(%q) = %v", raw, m)
		}
	}
}

func FuzzParseMetadata(f *testing.F) {
	f.Add([]byte("Metadata-Version: 2.1\nName: a\nVersion: 1\nAuthor-email: A <a@example.com>, b\nProject-URL: Home Page, https://example.com\n\nText"))
	f.Add([]byte("Metadata-Version: 1\n Name: a\n\tx\r\nName: a\nVersion: 1\nDescription: a\n        b\n       |c\nLicense: x\nClassifier: License :: MIT"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parseMetadata(raw)
		if err != nil {
			return
		}
		facts := liftFacts(m)
		if len(facts.Summary) > maxLine || strings.ContainsRune(facts.Readme, 0) || len(facts.Dependencies) > maxLifted {
			t.Errorf("facts out of bounds: %.300v", facts)
		}
		newMetadata(m)
	})
}

func TestLiftFacts(t *testing.T) {
	m, err := parseMetadata([]byte(`Metadata-Version: 2.4
Name: a
Version: 1
Summary: Does  things
Author: Ann Author
Author-email: "Ann Author" <ann@example.com>, Ben <ben@example.com>
Keywords: one, two words,one
Project-URL: Home-Page!, https://example.com/home
Project-URL: Source Code, https://example.com/source
Project-URL: bad, javascript:alert(1)
Classifier: License :: OSI Approved :: MIT License
Requires-Dist: requests[socks]>=2; python_version < "3.9"
Requires-Dist: pytest (>=7) ; extra == 'test'
Requires-Dist: -nonsense
`))
	if err != nil {
		t.Fatal(err)
	}
	f := liftFacts(m)
	if f.Summary != "Does things" || f.License != "MIT License" || f.Homepage != "https://example.com/home" || f.RepositoryURL != "https://example.com/source" {
		t.Errorf("facts = %+v", f)
	}
	if !slices.Equal(f.Authors, []string{"Ann Author", "Ben"}) || !slices.Equal(f.Keywords, []string{"one", "two words"}) {
		t.Errorf("authors %q, keywords %q", f.Authors, f.Keywords)
	}
	if len(f.Dependencies) != 2 || f.Dependencies[0].Name != "requests" || f.Dependencies[0].Optional ||
		f.Dependencies[1].Group != "extra test" || !f.Dependencies[1].Optional {
		t.Errorf("dependencies = %+v", f.Dependencies)
	}
	for license, text := range map[string]string{
		"MIT": "License-Expression: MIT\nLicense: other\n", "BSD": "License: BSD\n",
		"A, B": "License: " + strings.Repeat("x", 200) + "\nClassifier: License :: A\nClassifier: License :: OSI Approved :: B\n",
	} {
		m, err := parseMetadata([]byte("Metadata-Version: 2.4\nName: a\nVersion: 1\n" + text))
		if err != nil {
			t.Fatal(err)
		}
		if got := liftFacts(m).License; got != license {
			t.Errorf("license = %q, want %q", got, license)
		}
	}
}

package rubygems

import (
	"strings"
	"testing"
)

// TestVersions has versions from the lowest to the highest, as Ruby sorts them;
// those with a = between them are equal.
func TestVersions(t *testing.T) {
	ordered := strings.Fields(`0.a 0=0.0 0.0.1.a 0.0.1 1.A.b 1.Z 1.a.a 1.0.a.0.b 1.a.0.0.b 1.0.a=1.0.a0=1.a 1.a.0.0.1 1.a.0.1 1.a1=1.a.1 1.a.9 1.a.10 1.0.0.b9
		1.b10 1.0.beta 1.0.pre.rc1=1.0-rc1 1.0.rc1 1=1.0.0=01.0 1.0.0.0.0.1 1.0.0.5 1.0.1.a 1.0.1 1.0.5 1.01=1.1 1.5 1.9 1.10 2 2.0.0.1 10`)
	last := ""
	for _, equal := range ordered {
		var key, id string
		for i, text := range strings.Split(equal, "=") {
			v, err := parseVersion(text)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				key, id = v.sortKey(), v.identity()
			}
			if v.sortKey() != key || v.identity() != id {
				t.Errorf("%s is not the same in %s", text, equal)
			}
		}
		if key <= last {
			t.Errorf("%s is not above the one before", equal)
		}
		last = key
	}
}

func TestVersionForms(t *testing.T) {
	for text, want := range map[string]string{
		"1": "1", " 1.0 ": "1.0", "1.0-rc.1": "1.0.pre.rc.1", "1.0-a-b": "1.0.pre.a.pre.b", "1.a.2": "1.a.2",
		"": "", "a": "", "1.": "", ".1": "", "1..0": "", "1.0-": "", "1.0--a": "", "1.0\n2.0": "", "1.0 x": "", "1.0,2": "", "1.0|": "", "v1": "",
		"1." + strings.Repeat("1", 126): "1." + strings.Repeat("1", 126), "1." + strings.Repeat("1", 127): "",
	} {
		if got, err := parseVersion(text); string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%q is read as %q, %v", text, got, err)
		}
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"rack": true, "aws-sdk-s3-1": true, "A.b_c": true, "2d": true,
		"": false, "12": false, "-a": false, ".a": false, "_a": false, "a b": false, "a\n": false, "ä": false, "a,b": false, "a:b": false, "a|b": false,
		strings.Repeat("a", 255): true, strings.Repeat("a", 256): false,
	} {
		if validName(name) != want {
			t.Errorf("validName(%.20q) = %v", name, !want)
		}
	}
	for text, want := range map[string]string{
		"": "ruby", "ruby": "ruby", "x86_64-linux": "x86_64-linux", "java": "java", "a b": "", "a\nb": "", "a,b": "", strings.Repeat("a", 129): "",
	} {
		if got, err := platformOf(text); got != want || (err == nil) != (want != "") {
			t.Errorf("platform %.20q is read as %q, %v", text, got, err)
		}
	}
}

func TestLineDependencies(t *testing.T) {
	for line, want := range map[string][][2]string{
		"1.0 |checksum:x\n":                                 {},
		"1.0-java a:>= 0|checksum:x\n":                      {{"a", ">= 0"}},
		"1.0 a:~> 2.0&< 4,b:= 1|checksum:x,ruby:>= 2&< 4\n": {{"a", "~> 2.0, < 4"}, {"b", "= 1"}},
	} {
		got := lineDependencies([]byte(line))
		if len(got) != len(want) {
			t.Errorf("%q: %q", line, got)
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%q: %q", line, got)
			}
		}
	}
}

func TestReplay(t *testing.T) {
	files := replay([]byte("created_at: x\n---\na 1.0,1.0-java m\nb 2.a m\na -1.0 m\nc 1 m\nc -1 m\na 1.0 m\nb 1.10,1.9 m\n"))
	var texts []string
	for _, f := range files {
		texts = append(texts, fullName(f.name, f.version, f.platform))
	}
	if got := strings.Join(texts, " "); got != "a-1.0-java b-2.a a-1.0 b-1.10 b-1.9" {
		t.Errorf("files: %s", got)
	}
	texts = nil
	for _, f := range latestReleases(files) {
		texts = append(texts, fullName(f.name, f.version, f.platform))
	}
	if got := strings.Join(texts, " "); got != "a-1.0-java a-1.0 b-1.10" {
		t.Errorf("latest: %s", got)
	}
	if got := prereleases(files); len(got) != 1 || got[0].version != "2.a" {
		t.Errorf("prereleases: %v", got)
	}
}

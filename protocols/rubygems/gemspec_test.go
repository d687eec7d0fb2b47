package rubygems

import (
	"fmt"
	"strings"
	"testing"

	"entrepot/registry"
)

func TestGemspecs(t *testing.T) {
	const head = "--- !ruby/object:Gem::Specification\nname: a\nversion: !ruby/object:Gem::Version\n  version: 1.10\n"
	dependency := func(text string) string { return head + "dependencies:\n- !ruby/object:Gem::Dependency\n" + text }
	for _, tt := range []struct{ name, yaml, line string }{
		{"a version that looks like a number", head, "1.10 |checksum:s\n"},
		{"a platform", head + "platform: x86_64-linux\n", "1.10-x86_64-linux |checksum:s\n"},
		{"a prerelease with a dash", "name: a\nversion: {version: 1.0-rc1}\n", "1.0.pre.rc1 |checksum:s\n"},
		{"no type means runtime", dependency("  name: b\n  requirement:\n    requirements:\n    - [\"~>\", {version: 1.20}]\n"), "1.10 b:~> 1.20|checksum:s\n"},
		{"the old name of a requirement", dependency("  name: b\n  type: :runtime\n  requirement:\n  version_requirements:\n    requirements:\n    - ['>=', {version: 0}]\n"), "1.10 b:>= 0|checksum:s\n"},
		{"aliases", dependency("  name: b\n  requirement: &x\n    requirements:\n    - ['=', {version: 3}]\n- name: c\n  requirement: *x\n"), "1.10 b:= 3,c:= 3|checksum:s\n"},
		{"development is left out", dependency("  name: b\n  type: :development\n"), "1.10 |checksum:s\n"},
		{"sorted by name", dependency("  name: c\n- name: b\n"), "1.10 b:>= 0,c:>= 0|checksum:s\n"},
		{"~> 0 is a requirement", head + "required_ruby_version:\n  requirements:\n  - ['~>', {version: 0}]\n", "1.10 |checksum:s,ruby:~> 0\n"},
		{"= 0 is a requirement", head + "required_rubygems_version:\n  requirements:\n  - ['=', {version: 0}]\n", "1.10 |checksum:s,rubygems:= 0\n"},
		{"> 1.3.1 and >= 0", head + "required_ruby_version:\n  requirements:\n  - ['>=', {version: 2.7}]\n  - ['<', {version: 4}]\nrequired_rubygems_version:\n  requirements:\n  - ['>=', {version: 0}]\n",
			"1.10 |checksum:s,ruby:>= 2.7&< 4\n"},
	} {
		s, err := parseGemspec([]byte(tt.yaml))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := infoLine(s, "s"); got != tt.line {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.line)
		}
	}
}

func TestGemspecsRefused(t *testing.T) {
	const head = "name: a\nversion: {version: 1}\n"
	requirement := func(text string) string {
		return head + "dependencies:\n- name: b\n  requirement:\n    requirements:\n    - " + text + "\n"
	}
	repeated := head + "dependencies:\n- &d\n  name: b\n  requirement:\n    requirements: &r\n" +
		strings.Repeat("    - ['>=', {version: 1}]\n", 99) + strings.Repeat("- *d\n", 1900)
	for _, tt := range []struct {
		name, yaml string
		code       registry.Code
	}{
		{"nothing", "", registry.Invalid},
		{"no YAML", "a: [", registry.Invalid},
		{"a list", "- a", registry.Invalid},
		{"no name", "version: {version: 1}", registry.Invalid},
		{"a name with a line end", "name: \"a\\nb 1.0 x\"\nversion: {version: 1}", registry.Invalid},
		{"no version", "name: a", registry.Invalid},
		{"a version of words", "name: a\nversion: {version: latest}", registry.Invalid},
		{"a platform with a line end", head + "platform: \"x\\ny\"", registry.Invalid},
		{"a dependency's name", head + "dependencies:\n- name: 'b:c'\n", registry.Invalid},
		{"a dependency that is a text", head + "dependencies:\n- b\n", registry.Invalid},
		{"a dependency of another type", head + "dependencies:\n- name: b\n  type: :build\n", registry.Invalid},
		{"an operator", requirement("['=>', {version: 1}]"), registry.Invalid},
		{"a version in a requirement", requirement("['=', {version: '1,2'}]"), registry.Invalid},
		{"half a requirement", requirement("['=']"), registry.Invalid},
		{"too many dependencies", head + "dependencies:\n" + strings.Repeat("- {name: b}\n", maxDependencies+1), registry.TooLarge},
		{"too many conditions", requirement("['=', {version: 1}]" + strings.Repeat("\n    - ['=', {version: 1}]", maxConstraints)), registry.TooLarge},
		{"too many values", head + "files: [" + strings.Repeat("a,", maxSeparators) + "]", registry.TooLarge},
		{"too many aliases", repeated, registry.TooLarge},
	} {
		if s, err := parseGemspec([]byte(tt.yaml)); registry.CodeOf(err) != tt.code {
			t.Errorf("%s: %v, %+v", tt.name, err, s)
		}
	}
}

func TestGemspecTexts(t *testing.T) {
	s, err := parseGemspec([]byte(`name: a
version: {version: 1}
authors: Ann
email: [a@example.com, b@example.com]
summary: !binary |
  U8O8bQ==
licenses: [MIT, Ruby]
homepage: ~
date: 2026-01-02 00:00:00.000000000 Z
executables: [a, b]
metadata: {source_code_uri: https://example.com/a, n: 1.10}
cert_chain: [x]
`))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%v %v %s %v %q %s %v %s %v", s.authors, s.email, s.summary, s.licenses, s.homepage, s.date.Format("2006-01-02"), s.executables, s.metadata["n"], s.certificates)
	if want := "[Ann] [a@example.com b@example.com] Süm [MIT Ruby] \"\" 2026-01-02 [a b] 1.10 [x]"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if facts := liftFacts(s); facts.License != "MIT OR Ruby" || facts.RepositoryURL != "https://example.com/a" {
		t.Errorf("facts: %+v", facts)
	}
}

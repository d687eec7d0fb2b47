package rpmfile

import (
	"encoding/json"
	"strings"
	"testing"

	"entrepot/ent"
	"entrepot/protocols/rpmtest"
	"entrepot/registry"
)

func TestFacts(t *testing.T) {
	h, err := ReadHead(strings.NewReader(string(rpmtest.Package{
		Name: "app", Epoch: 1, Version: "2.0", Release: "3", Arch: "x86_64", Summary: "does  it", Description: "At length.",
		Tags: map[int]any{
			1015: "Ann", 1020: "https://example.com", 1009: int32(4096),
			1049: []string{"a", "rpmlib(X)", "b"}, 1048: []int32{12, 0, 0}, 1050: []string{"1:2-3", "", ""},
			5046: []string{"r"}, 5048: []int32{2}, 5047: []string{"4"},
			1080: []int32{86400, 0}, 1081: []string{"Ann - 2", "Ann - 1"}, 1082: []string{"- second", "- first"},
		},
	}.Bytes())))
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(h)
	if err != nil {
		t.Fatal(err)
	}
	f := p.Facts()
	if f.Summary != "does it" || f.Readme != "At length." || f.License != "MIT" || f.Homepage != "https://example.com" || len(f.Authors) != 1 {
		t.Errorf("the facts are %+v", f)
	}
	want := []registry.Dependency{
		{Group: "Provides", Name: "app", Requirement: "= 2.0-3", Optional: true},
		{Group: "Requires", Name: "a", Requirement: ">= 1:2-3"},
		{Group: "Requires", Name: "b"},
		{Group: "Recommends", Name: "r", Requirement: "< 4", Optional: true},
	}
	for i, d := range f.Dependencies {
		if i >= len(want) || d != want[i] {
			t.Errorf("dependency %d is %+v", i, d)
		}
	}
	raw, err := json.Marshal(p.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	shown, err := VersionFacts(&ent.PackageVersion{Metadata: raw})
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]string{}
	for _, f := range shown {
		lines[f.Name] = f.Value
		if f.Name == "changelog" && (len(f.Rows) != 2 || strings.Join(f.Rows[0], "|") != "1970-01-02|Ann - 2|- second") {
			t.Errorf("the changelog is %q", f.Rows)
		}
	}
	for name, want := range map[string]string{"source": "app-2.0-3.src.rpm", "built": "2023-11-14", "installed-size": "4096 bytes", "packager": "Ann", "build-host": "builder.example.com"} {
		if lines[name] != want {
			t.Errorf("%s is %q, want %q", name, lines[name], want)
		}
	}
	if shown, err := VersionFacts(&ent.PackageVersion{}); err != nil || len(shown) != 0 {
		t.Errorf("of a version of which nothing is known: %v, %v", shown, err)
	}
}

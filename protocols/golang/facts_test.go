package golang

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"entrepot/ent"
	"entrepot/registry"
)

func TestFacts(t *testing.T) {
	md, err := json.Marshal(metadata{
		Go: "1.22", Toolchain: "go1.22.1", Deprecated: "use v2", ZipSum: "h1:a=", ModSum: "h1:b=", Commands: []string{"m/cmd/x"}, Packages: []string{"m"},
		Retract: []retraction{{"v1.0.0", "v1.0.0", "bad"}, {"v1.1.0", "v1.2.0", ""}},
	})
	if err != nil {
		t.Fatal(err)
	}
	all, err := facts(&ent.PackageVersion{Metadata: md})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, fact := range all {
		got = append(got, fmt.Sprintf("%s: %s %v", fact.Name, fact.Value, fact.Rows))
	}
	want := []string{
		"deprecated: use v2 []", "go: 1.22 []", "toolchain: go1.22.1 []", "zip-sum: h1:a= []", "mod-sum: h1:b= []",
		"retract:  [[v1.0.0 bad] [v1.1.0 to v1.2.0 ]]", "commands: m/cmd/x []", "packages:  [[m]]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("facts = %q\nwant %q", got, want)
	}
	if none, err := facts(&ent.PackageVersion{}); err != nil || len(none) != 0 {
		t.Errorf("facts of a version without metadata = %v, %v", none, err)
	}
}

func TestInstructions(t *testing.T) {
	md, err := json.Marshal(metadata{Commands: []string{"example.com/m/cmd/x"}})
	if err != nil {
		t.Fatal(err)
	}
	in := registry.InstructionsInput{
		BaseURL: "https://host:8443", Owner: "acme", Private: true,
		Package: &ent.Pkg{Name: "example.com/m"}, Version: &ent.PackageVersion{Version: "v1.0.0", Metadata: md},
	}
	var b strings.Builder
	for _, i := range instructions(in) {
		for _, s := range i.Steps {
			fmt.Fprintf(&b, "%s: %s %s\n", i.Title, s.Path, s.Body)
			if (s.SecretPlaceholder != "") != strings.Contains(s.Body, placeholder) {
				t.Errorf("the step %q has the placeholder %q", s.Body, s.SecretPlaceholder)
			}
		}
	}
	for _, want := range []string{
		"Set up:  go env -w GOPROXY=https://host:8443/api/packages/acme/go,direct\ngo env -w GONOSUMDB=example.com/m\n",
		"Set up: ~/.netrc machine host:8443 login token password TOKEN\n", "Install:  go get example.com/m@v1.0.0\n",
		"Install:  go install example.com/m/cmd/x@v1.0.0\n",
		"Publish:  curl --fail-with-body --user token:TOKEN --upload-file module.zip https://host:8443/api/packages/acme/go/upload\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

func TestDetectLicense(t *testing.T) {
	for text, want := range map[string]string{
		"Apache License\n Version 2.0, January 2004":                                        "Apache-2.0",
		"Redistribution and use in source and binary forms ... Neither the name of the ...": "BSD-3-Clause",
		"Redistribution and use in source and binary\nforms":                                "BSD-2-Clause",
		"GNU GENERAL PUBLIC LICENSE Version 3":                                              "GPL-3.0",
		"All rights reserved":                                                               "",
	} {
		if got := detectLicense(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	for name, want := range map[string]bool{"LICENSE": true, "License.md": true, "COPYING": true, "license.go": true, "LICENSES": false} {
		if isLicenseFile(name) != want {
			t.Errorf("isLicenseFile(%q) = %v", name, !want)
		}
	}
}

package composer

import (
	"slices"
	"strings"
	"testing"
)

// TestNormalForm holds the normal form against what Composer's own parser
// (composer/semver) makes of the same texts.
func TestNormalForm(t *testing.T) {
	for text, want := range map[string]string{
		"1.0.0": "1.0.0.0", "v1.0": "1.0.0.0", "1": "1.0.0.0", "1.2.3.4": "1.2.3.4", " 1.0 ": "1.0.0.0",
		"1.0.0RC1dev": "1.0.0.0-RC1-dev", "1.0.0-rC15-dev": "1.0.0.0-RC15-dev", "1.0.0.RC.15-dev": "1.0.0.0-RC15-dev",
		"1.0.0-rc1": "1.0.0.0-RC1", "1.0.0.pl3-dev": "1.0.0.0-patch3-dev", "1.0-dev": "1.0.0.0-dev", "0": "0.0.0.0",
		"10.4.13-beta": "10.4.13.0-beta", "10.4.13beta2": "10.4.13.0-beta2", "10.4.13beta.2": "10.4.13.0-beta2",
		"1.13.11-beta.0": "1.13.11.0-beta0", "1.13.0.0-beta.1.2": "1.13.0.0-beta1.2", "10.4.13-b": "10.4.13.0-beta",
		"v20100102": "20100102", "2010.01.02": "2010.01.02.0", "2010-01-02": "2010.01.02", "20240131": "20240131",
		"2010-01-02-10-20-30.0.3": "2010.01.02.10.20.30.0.3", "2010-01-02.5": "2010.01.02.5", "20100102-203040-p1": "20100102.203040-patch1",
		"1.x-dev": "1.9999999.9999999.9999999-dev", "1.2.x-dev": "1.2.9999999.9999999-dev", "v1.2.*-dev": "1.2.9999999.9999999-dev",
		"dev-main": "dev-main", "dev-Feature/X": "dev-Feature/X", "DEV-FOOBAR": "dev-FOOBAR", "dev-load-varnish-only-when-used as ^2.0@dev": "dev-load-varnish-only-when-used",
		"master": "dev-master", "trunk": "dev-trunk", "1.0.0+foo": "1.0.0.0", "1.0.0-alpha.3.1+foo": "1.0.0.0-alpha3.1",
		"1.0.0-stable": "1.0.0.0", "1.0@dev": "1.0.0.0", "00.01.03.04": "00.01.03.04", "041.x-dev": "041.9999999.9999999.9999999-dev",
	} {
		if v, ok := parseVersion(text); !ok || v.normal != want {
			t.Errorf("%q: %q, %t; want %q", text, v.normal, ok, want)
		}
	}
	for _, text := range []string{
		"", "a", "1.0.0-meh", "1.0.0.0.0", "1.0.0+foo bar", "1.0.0 ^2.0", "feature-foo-dev", "dev-", "dev-a b", "dev-a..b", "dev-a~1", "dev-/a", "dev-a/",
		"^1", "~1.0", "1.0.0-SNAPSHOT", "1.0 - 2.0", "dev-" + strings.Repeat("a", maxVersion), "x-dev",
	} {
		if v, ok := parseVersion(text); ok {
			t.Errorf("%q is taken for %q", text, v.normal)
		}
	}
}

func TestOrder(t *testing.T) {
	ascending := []string{
		"dev-a", "dev-b/c", "dev-main", "0.9", "1.0-dev", "1.0-alpha1-dev", "1.0-alpha1", "1.0-alpha2", "1.0-alpha10", "1.0-beta", "1.0-beta1", "1.0-RC1",
		"1.0", "1.0-p1", "1.0.1", "1.9", "1.10-beta", "1.10", "1.x-dev", "2", "20240131",
	}
	var keys []string
	for _, text := range ascending {
		v, ok := parseVersion(text)
		if !ok {
			t.Fatalf("%q is no version", text)
		}
		keys = append(keys, v.sortKey())
		if wantDev := strings.Contains(text, "dev"); v.dev != wantDev {
			t.Errorf("%q: dev %t", text, v.dev)
		}
	}
	if !slices.IsSorted(keys) || len(slices.Compact(slices.Clone(keys))) != len(keys) {
		for i := 1; i < len(keys); i++ {
			if keys[i-1] >= keys[i] {
				t.Errorf("%s does not come before %s", ascending[i-1], ascending[i])
			}
		}
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"acme/lib": true, "a/b": true, "a-b.c_d/e--f": true, "acme/json": true, "4u/2": true,
		"acme": false, "Acme/lib": false, "acme/Lib": false, "acme/lib.json": false, "acme/con": false, "nul/x": false, "a/b/c": false,
		"a--b/c": false, "a/b---c": false, "-a/b": false, "a/b-": false, "a/": false, "": false, "a/" + strings.Repeat("b", 300): false,
	} {
		if validName(name) != want {
			t.Errorf("validName(%q) = %t", name, !want)
		}
	}
}

package vagrant

import (
	"strings"
	"testing"
)

// TestOrder holds versions against the order of RubyGems: each is less than
// the next, and equal to what stands with it.
func TestOrder(t *testing.T) {
	ordered := []string{
		"0.a", "0 0.0 0.0.0 00", "0.0.1", "0.1",
		"1.a.0.b", "1.a.0.0.b", "1.a 1.0.a 1.0.0.a.0", "1.a.0.0.1", "1.a.0.1", "1.a.1", "1.alpha", "1.b", "1-a.0.b", "1-a",
		"1.0.0-alpha 1-alpha 1.pre.alpha", "1.0.0-alpha.1", "1.0.0-beta-2", "1.0.0-rc1", "1.rc",
		"1 1.0 1.0.0 01.00", "1.0.0.1", "1.0.1.a", "1.0.1", "1.2", "1.9", "1.10", "2", "10.0.0-x", "10",
		"20240101.0.0", "20240101.1", "99999999999999999999999999",
	}
	type parsed struct {
		text string
		version
	}
	var groups [][]parsed
	for _, group := range ordered {
		var all []parsed
		for _, text := range strings.Fields(group) {
			v, err := parseVersion(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			all = append(all, parsed{text, v})
		}
		groups = append(groups, all)
	}
	for i, group := range groups {
		for _, v := range group {
			if v.canonical != group[0].canonical || v.sortKey() != group[0].sortKey() {
				t.Errorf("%s and %s differ: %s and %s", v.text, group[0].text, v.canonical, group[0].canonical)
			}
			for _, before := range groups[:i] {
				if before[0].sortKey() >= v.sortKey() || before[0].canonical == v.canonical {
					t.Errorf("%s is not less than %s", before[0].text, v.text)
				}
			}
		}
	}
}

func TestVersionsThatAreNone(t *testing.T) {
	for _, text := range []string{"", "v1.0", "1.0+build", "1..0", "1.", ".1", "a", "1.0 ", "1_0", "1.0-", "1.0-a..b", "1-é", "1\n", strings.Repeat("1", 129)} {
		if v, err := parseVersion(text); err == nil {
			t.Errorf("%q is taken for %v", text, v.segments)
		}
	}
	for text, prerelease := range map[string]bool{"1": false, "1.0-1": true, "1.0.0.rc1": true, "1.0.0.0": false, "1.0--": true, strings.Repeat("1", 128): false} {
		v, err := parseVersion(text)
		if err != nil || v.prerelease() != prerelease {
			t.Errorf("%q: %v, prerelease = %t", text, err, v.prerelease())
		}
	}
	long, err := parseVersion("1" + strings.Repeat("-", 127))
	if err != nil || len(long.sortKey()) > 1300 {
		t.Errorf("%v, %d characters", err, len(long.sortKey()))
	}
}

package nuget

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestNormalForm(t *testing.T) {
	for text, want := range map[string]string{
		"1": "1.0.0", "1.0": "1.0.0", "1.0.0.0": "1.0.0", "1.0.0+x": "1.0.0", "01.002.3": "1.2.3", "1.0.0.1": "1.0.0.1",
		"1.0-Beta": "1.0.0-Beta", "1.0.0-01": "1.0.0-01", "1.0.0-a.b.1+m.1": "1.0.0-a.b.1", "2147483647.0": "2147483647.0.0",
		"": "", "a": "", "1.": "", "1.0.0.0.0": "", "1.0.0-": "", "1.0.0-a..b": "", "1.0.0+": "", "-1.0": "", "2147483648.0": "",
		"1.0.0-ä": "", " 1.0": "", "1.0.0-" + strings.Repeat("a", 59): "",
	} {
		v, ok := parseVersion(text)
		if ok != (want != "") || ok && v.String() != want {
			t.Errorf("parseVersion(%q) = %v, %v; want %q", text, v, ok, want)
		}
	}
}

// The versions are in order; what is in one line is equal.
var inRank = [][]string{
	{"0.0.0-a", "0.0-A"}, {"0", "0.0.0.0"}, {"1.0.0-0", "1.0.0-00"}, {"1.0.0-1"}, {"1.0.0-2"}, {"1.0.0-10"}, {"1.0.0-10.0"}, {"1.0.0-10.a"}, {"1.0.0--"},
	{"1.0.0-1a"}, {"1.0.0-alpha", "1.0.0-ALPHA+x"}, {"1.0.0-alpha.1"}, {"1.0.0-alpha.beta"}, {"1.0.0-alpha-1"}, {"1.0.0-beta"}, {"1.0.0-rc.2"}, {"1.0.0-rc.11"},
	{"1", "1.0", "1.0.0.0+y"}, {"1.0.0.1-a"}, {"1.0.0.1"}, {"1.0.0.10"}, {"1.2"}, {"1.10"}, {"2147483647.2147483647.2147483647.2147483647"},
}

func TestOrder(t *testing.T) {
	type ranked struct {
		version
		text, key string
		rank      int
	}
	var all []ranked
	for rank, line := range inRank {
		for _, text := range line {
			v, ok := parseVersion(text)
			if !ok {
				t.Fatalf("%q is no version", text)
			}
			all = append(all, ranked{v, text, v.sortKey(), rank})
		}
	}
	for _, a := range all {
		for _, b := range all {
			want := 0
			if a.rank != b.rank {
				want = 1
				if a.rank < b.rank {
					want = -1
				}
			}
			if got := a.compare(b.version); got != want {
				t.Errorf("%s to %s: %d, want %d", a.text, b.text, got, want)
			}
			if got := strings.Compare(a.key, b.key); got != want {
				t.Errorf("key of %s to that of %s: %d, want %d", a.text, b.text, got, want)
			}
		}
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	slices.SortFunc(all, func(a, b ranked) int { return a.compare(b.version) })
	for i := 1; i < len(all); i++ {
		if all[i-1].rank > all[i].rank {
			t.Errorf("%s sorts before %s", all[i-1].text, all[i].text)
		}
	}
}

func TestRanges(t *testing.T) {
	for text, want := range map[string]struct{ ok, semVer2 bool }{
		"": {true, false}, "1.0": {true, false}, "[1.0]": {true, false}, "[1.0,2.0)": {true, false}, "(,1.0]": {true, false}, "( , )": {true, false},
		"[1.0, )": {true, false}, "1.*": {true, false}, "1.0.0-*": {true, false}, "*": {true, false}, "[1.*,2.0)": {true, false}, "1.0-beta.*": {true, false},
		"1.0.0-a.b": {true, true}, "[1.0,2.0.0-a.1)": {true, true}, "[1.0.0+x,)": {true, true},
		"(1.0)": {}, "[1.0": {}, "1.0]": {}, "[2.0,1.0]": {}, "(1.0,1.0)": {}, "[]": {}, "latest": {}, "^1.0": {}, "[1.0,2.0,3.0]": {}, "[": {},
	} {
		r, ok := parseRange(text)
		if ok != want.ok || ok && r.semVer2() != want.semVer2 {
			t.Errorf("parseRange(%q) = %v, %v", text, r, ok)
		}
	}
}

func TestIDs(t *testing.T) {
	for id, want := range map[string]bool{
		"A": true, "Acme.Lib": true, "a-b_c.1": true, "_": true, strings.Repeat("a", 100): true,
		"": false, ".a": false, "a.": false, "a..b": false, "a b": false, "ä": false, "a/b": false, strings.Repeat("a", 101): false, "a\n": false,
	} {
		if validID(id) != want {
			t.Errorf("validID(%q) = %v", id, !want)
		}
	}
}

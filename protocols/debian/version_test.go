package debian

import (
	"cmp"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// ordered are versions from the lowest to the highest; those on one line are
// equal to dpkg.
var ordered = [][]string{
	{"0~~"}, {"0~~a"}, {"0~"}, {"0", "0-0", "00"}, {"0a"}, {"0+"},
	{"1~rc1"}, {"1~rc1-1"}, {"1~rc2"}, {"1~rc10"},
	{"1", "1-0", "01"}, {"1-1"}, {"1-1+b1"}, {"1-1.1"}, {"1-2"}, {"1-10"},
	{"1a"}, {"1b"}, {"1+dfsg"}, {"1.0", "1.00"}, {"1.0-1~bpo12+1"}, {"1.0-1"}, {"1.0-a"}, {"1.0a"}, {"1.0+git20240101"},
	{"1.0.1"}, {"1.2"}, {"1.10"}, {"2-1"}, {"2-1-1"}, {"10"},
	{"20240101"}, {"12345678901234567890123"},
	{"1:0"}, {"1:0.1"}, {"2:0~"}, {"10:0"},
}

func TestSortKeyIsDpkgsOrder(t *testing.T) {
	for i, line := range ordered {
		for _, a := range line {
			if err := checkVersion(a); err != nil {
				t.Errorf("%s: %v", a, err)
			}
			for j, other := range ordered {
				for _, b := range other {
					if got, want := cmp.Compare(sortKey(a), sortKey(b)), cmp.Compare(i, j); got != want {
						t.Errorf("%s and %s compare as %d, want %d", a, b, got, want)
					}
				}
			}
		}
	}
	if _, err := exec.LookPath("dpkg"); err != nil {
		return
	}
	for i := range ordered[1:] {
		a, b := ordered[i][0], ordered[i+1][0]
		if err := exec.Command("dpkg", "--compare-versions", a, "lt", b).Run(); err != nil {
			t.Errorf("dpkg does not find %s lower than %s: %v", a, b, err)
		}
	}
}

func TestVersionsThatAreNone(t *testing.T) {
	for _, v := range []string{"", "-1", "1-", ":1", "a:1", "01:1", "-1:1", "1:", "1:1:1", "1/2", "1 2", "1_2", "1;2", "1[", "1-2/3", "~1", ".1", "4294967296:1", strings.Repeat("1", 201)} {
		if checkVersion(v) == nil {
			t.Errorf("%q passed for a version", v)
		}
	}
	for _, v := range []string{"1", "a", "0:1", "2147483647:1", "1.2+x~y-z", "1-2-3"} {
		if err := checkVersion(v); err != nil {
			t.Errorf("%q: %v", v, err)
		}
	}
}

func TestNames(t *testing.T) {
	for name, good := range map[string]bool{
		"libc6": true, "g++": true, "a0": true, "0ad": true, "a.b-c+d": true,
		"a": false, "": false, "-a": false, "Ab": false, "a_b": false, "a,b": false, "a/b": false, "a b": false, "é0": false, strings.Repeat("a", 201): false,
	} {
		if _, err := parseIdentity(name, "1", "amd64"); (err == nil) != good {
			t.Errorf("the name %q: %v", name, err)
		}
	}
	for file, want := range map[string]identity{
		"a0_1_all.deb": {"a0", "1", "all"}, "g++_4:12.2.0-3_amd64.deb": {"g++", "4:12.2.0-3", "amd64"},
		"a0_1.deb": {}, "a0_1_all": {}, "a0_1_any.deb": {}, "a0_1_2_all.deb": {}, "_1_all.deb": {},
	} {
		got, err := parseFile(file)
		if got != want || (err == nil) != (want != identity{}) {
			t.Errorf("%s is %v, %v", file, got, err)
		}
		if err == nil && got.file() != file {
			t.Errorf("%s is written %s", file, got.file())
		}
	}
	if keys := []string{sortKey("1"), sortKey(strings.Repeat("9", 300))}; !slices.IsSorted(keys) || len(keys[1]) > maxSortKey {
		t.Errorf("keys of long versions: %v", keys)
	}
}

package arch

import (
	"cmp"
	"strings"
	"testing"
)

// TestVersionOrder has the examples of vercmp(8), and what programs that cut
// at dots get wrong.
func TestVersionOrder(t *testing.T) {
	for _, chain := range [][]string{
		{"1.0a-1", "1.0b-1", "1.0beta-1", "1.0p-1", "1.0pre-1", "1.0rc-1", "1.0-1", "1.0.a-1", "1.0.1-1"},
		{"1-1", "1.0-1", "1.1-1", "1.1.1-1", "1.2-1", "2.0-1", "3.0.0-1"},
		{"1.0rc1-1", "1.0-1", "1.0-2", "1.0-10", "1.0-10.1", "1.0.1-1", "1:0.1-1", "2:0-1", "10:0-1"},
		{"20240101120000000000-1", "20240101120000000001-1", "100000000000000000000-1"},
		{"1.0_beta-1", "1.0_1-1", "1.0..1-1"},
		{"a-1", "b-1", "ba-1", "1-1", ".a-1"},
		{"1.0a-1", "1.0a1-1", "1.0a2-1", "1.0a10-1", "1.0a.1-1", "1.0b-1"},
		{"1.0.r9.gabc-1", "1.0.r10.gabb-1"},
	} {
		for i, a := range chain {
			for j, b := range chain {
				if err := checkVersion(a); err != nil {
					t.Fatalf("%s: %v", a, err)
				}
				if got := cmp.Compare(sortKey(a), sortKey(b)); got != cmp.Compare(i, j) {
					t.Errorf("%s against %s: %d, want %d", a, b, got, cmp.Compare(i, j))
				}
			}
		}
	}
	for _, same := range [][2]string{{"1.0-1", "0:1.0-1"}, {"1.01-1", "1.1-1"}, {"1.0-1", "1_0-1"}, {"00:1-1", "1-1"}} {
		if sortKey(same[0]) != sortKey(same[1]) {
			t.Errorf("%s and %s are not equal", same[0], same[1])
		}
	}
	if key := sortKey(strings.Repeat("1.", 90) + "1-1"); len(key) > maxSortKey {
		t.Errorf("a key has %d characters", len(key))
	}
}

func TestVersions(t *testing.T) {
	for version, want := range map[string]bool{
		"1-1": true, "1:1.0_a+b~c^d-1.2": true, "0:1-1": true, "r1.abc-1": true,
		"": false, "1": false, "1-": false, "-1": false, "1-a": false, "1-1.2.3": false, "a:1-1": false, ":1-1": false,
		"1:2:3-1": false, "1/2-1": false, "1 2-1": false, "1-2-1": false, "1\n-1": false, "ä-1": false,
		strings.Repeat("1", 199) + "-1": false,
	} {
		if err := checkVersion(version); (err == nil) != want {
			t.Errorf("%q: %v", version, err)
		}
	}
}

func TestFileNames(t *testing.T) {
	for file, want := range map[string]identity{
		"a-1-1-any.pkg.tar.zst":                    {"a", "1-1", "any"},
		"gtk-doc-1:1.2_3-4.5-x86_64_v3.pkg.tar.xz": {"gtk-doc", "1:1.2_3-4.5", "x86_64_v3"},
		"a.pkg.tar-1-1-any.pkg.tar.gz":             {"a.pkg.tar", "1-1", "any"},
		"a-1-1-any.pkg.tar":                        {}, "a-1-1-any.pkg.tar.bz2": {}, "a-1-1-any.zst": {}, "1-1-any.pkg.tar.gz": {},
		".a-1-1-any.pkg.tar.gz": {}, "-1-1-any.pkg.tar.gz": {}, "a-1-1-ANY.pkg.tar.gz": {}, "a-1-x-any.pkg.tar.gz": {}, "": {},
	} {
		got, err := parseFile(file)
		if (err == nil) != (want != identity{}) || err == nil && got != want {
			t.Errorf("%s is %v, %v", file, got, err)
		}
		if err == nil && !strings.HasPrefix(file, got.file("")) {
			t.Errorf("%s is written %s", file, got.file(""))
		}
	}
}

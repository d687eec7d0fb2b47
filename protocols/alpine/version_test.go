package alpine

import (
	"cmp"
	"strings"
	"testing"
)

func TestVersionOrder(t *testing.T) {
	for _, chain := range [][]string{
		{"1.0_alpha", "1.0_alpha1", "1.0_alpha2", "1.0_beta", "1.0_pre", "1.0_rc1-r0", "1.0_rc1-r3", "1.0", "1.0-r0", "1.0-r2", "1.0-r10", "1.0~abc", "1.0_cvs", "1.0_git20240101", "1.0_p", "1.0_p1", "1.0_p1-r1", "1.0a", "1.0b", "1.0.1"},
		{"0.9", "1.0", "1.05", "1.1", "1.5", "1.9", "1.10", "1.10.0", "1.10.1", "2", "10", "20240101120000000000", "20240101120000000001"},
		{"1.0_alpha1_p1", "1.0_alpha_p1", "1.0_p1_alpha1", "1.0_p1"},
		{"1.0_rc1", "1.0_rc10", "1.0"},
		{"1.0~1a", "1.0~1ab", "1.0~2"},
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
	if sortKey("01.2") != sortKey("1.2") {
		t.Error("the first number has a meaning in its zeros")
	}
	for version, want := range map[string]bool{"1.0": false, "1.0_rc1-r0": true, "1.0_p1": false, "1.0_git1_alpha": false, "1_pre": true, "x": false} {
		if isPrerelease(version) != want {
			t.Errorf("%s is finished: %t", version, want)
		}
	}
}

func TestVersions(t *testing.T) {
	for version, want := range map[string]bool{
		"1": true, "1.2.3b_rc4_p5~0af-r6": true, "0": true, "007": true,
		"": false, "a": false, "1.": false, "1..2": false, ".1": false, "1ab": false, "1_foo": false, "1_": false, "1-1": false, "1-r": false,
		"1-r1.2": false, "1~": false, "1~xyz": false, "1-r0~a": false, "1 ": false, "1\n": false, "1A": false, "1-r1_p1": false, strings.Repeat("1", 129): false,
	} {
		if err := checkVersion(version); (err == nil) != want {
			t.Errorf("%q: %v", version, err)
		}
	}
}

func TestFileNames(t *testing.T) {
	for name, want := range map[string]identity{
		"a-1.apk": {"a", "1"}, "g++-dev-4.1.2_rc1-r0.apk": {"g++-dev", "4.1.2_rc1-r0"}, "a-1-2.apk": {"a-1", "2"}, "a-1-r2.apk": {"a", "1-r2"},
		"APKINDEX-1.0.apk": {"APKINDEX", "1.0"}, "py3.12-x-1~ab-r1.apk": {"py3.12-x", "1~ab-r1"},
		"a.apk": {}, "a-r1.apk": {}, "-1.apk": {}, "a-1": {}, "a-1.APK": {}, "a-1_x.apk": {}, "": {}, "a-%.apk": {},
	} {
		got, err := parseFile(name)
		if (err == nil) != (want != identity{}) || got != want {
			t.Errorf("%s is %v, %v", name, got, err)
		}
		if err == nil && got.file() != name {
			t.Errorf("%s is written %s", name, got.file())
		}
	}
}

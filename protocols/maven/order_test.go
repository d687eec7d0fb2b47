package maven

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// The expectations are what Maven's own comparison of versions answers: java
// -jar maven-artifact-3.8.7.jar VERSION...
func TestSortKey(t *testing.T) {
	ascending := [][]string{
		{"1-alpha2snapshot", "1-alpha2", "1-alpha-123", "1-beta-2", "1-beta123", "1-m2", "1-m11", "1-rc", "1-cr2",
			"1-rc123", "1-SNAPSHOT", "1", "1-sp", "1-sp2", "1-sp123", "1-abc", "1-def", "1-pom-1", "1-1-snapshot", "1-1", "1-2", "1-123"},
		{"2.0", "2.0.a", "2-1", "2.0.2", "2.0.123", "2.1.0", "2.1-a", "2.1b", "2.1-c", "2.1-1", "2.1.0.1", "2.2", "2.123", "11.a2", "11.a11", "11", "11b", "11c"},
		{"1.0-alpha-1", "1.0-alpha-2", "1.0-beta-1", "1.0-SNAPSHOT", "1.0", "1.0-1", "1.0.1", "1.1", "1.10"},
		{"4.1.100.Beta1", "4.1.100.CR1", "4.1.100.Final", "4.1.101.Final"},
		{"2.0.0-M1", "2.0.0-M10", "2.0.0-RC1", "2.0.0", "2.0.1-SNAPSHOT", "2.0.1"},
		{"9", "20", "99999999999999999999", "100000000000000000000", "20261120000000000000000000"},
		{"6.1.0rc3", "6.1.0", "6.1H.5-beta", "6.1.1"},
		{"0.0.1-SNAPSHOT", "0.0.1", "0.1", "0.9.9", "1"},
		{"31.1-android", "31.1-jre", "32.0.0-android"},
	}
	for _, versions := range ascending {
		keys := make([]string, len(versions))
		for i, v := range versions {
			keys[i], _ = sortKey(v)
		}
		for i := 1; i < len(keys); i++ {
			if keys[i-1] >= keys[i] {
				t.Errorf("%s is not before %s: %s, %s", versions[i-1], versions[i], keys[i-1], keys[i])
			}
		}
	}
	for _, versions := range [][]string{
		{"1", "1.0", "1.0.0", "1-0", "1.0-0", "1-ga", "1.0.Final", "1-release", "1.ga", "01", "1-GA"},
		{"1.0a1", "1-a1", "1-alpha-1", "1.0-ALPHA1", "1.0.0alpha1"},
		{"1x", "1.0.0x", "1-x", "1.0.0-X"},
		{"1.0rc", "1-cr"},
		{"1.7", "1.7.0", "1.007"},
	} {
		first, _ := sortKey(versions[0])
		for _, v := range versions[1:] {
			if key, _ := sortKey(v); key != first {
				t.Errorf("%s differs from %s: %s, %s", v, versions[0], key, first)
			}
		}
	}
}

// testdata/versions.txt holds comparisons of random versions as Maven 3.8.7
// prints them, less a handful where its answers go in a circle (1.0.0-hal <
// 1-0-SNAPSHOT < 1 < 1.0.0-hal), which no order can follow.
func TestSortKeyAsMavenCompares(t *testing.T) {
	lines, err := os.ReadFile("testdata/versions.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(lines)) {
		words := strings.Fields(line)
		a, _ := sortKey(words[0])
		b, _ := sortKey(words[2])
		if want := map[string]int{"<": -1, "==": 0, ">": 1}[words[1]]; strings.Compare(a, b) != want {
			t.Errorf("want %s; keys %s, %s", strings.TrimSpace(line), a, b)
		}
	}
}

func TestPrerelease(t *testing.T) {
	for version, want := range map[string]bool{
		"1": false, "1.0.Final": false, "1.0-SNAPSHOT": true, "SNAPSHOT": true, "1.0-m1": true, "1.0-m": false, "31.1-jre": false,
		"1-sp1": false, "1.0-rc.1": true, "1.0-b2": true, "2.0-1": false,
	} {
		if _, got := sortKey(version); got != want {
			t.Errorf("%s: prerelease is %v", version, got)
		}
	}
}

func FuzzSortKey(f *testing.F) {
	for _, v := range []string{"1.0-alpha-1", "", "-.-", "1..2", "a1b2.c3-4", "ü1"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, version string) {
		key, _ := sortKey(version)
		if len(key) > maxSortKey || key == "" {
			t.Errorf("%q has a key of %d characters", version, len(key))
		}
		if zero, _ := sortKey(version + ".0"); len(version) < 50 && version != "" && isDigit(version[len(version)-1]) && zero != key {
			t.Errorf("%q and %q.0 differ: %s, %s", version, version, key, zero)
		}
		if slices.ContainsFunc([]byte(key), func(c byte) bool { return !isDigit(c) && (c < 'a' || c > 'f') }) {
			t.Errorf("the key of %q is not hexadecimal", version)
		}
	})
}

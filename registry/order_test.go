package registry

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/Masterminds/semver/v3"
)

// TestSemVerKey holds the keys against the order of precedence that section 11
// of Semantic Versioning 2.0.0 gives as its example, and some more.
func TestSemVerKey(t *testing.T) {
	ascending := []string{
		"0.0.0-0", "0.0.0", "0.0.1", "0.9.0", "0.10.0",
		"1.0.0-1.0", "1.0.0-2", "1.0.0-10", "1.0.0-10.a", "1.0.0-A", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.1.0",
		"1.0.0-alpha.beta", "1.0.0-alpha-", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-beta.a", "1.0.0-rc.1", "1.0.0",
		"2.0.0", "2.1.0", "2.1.1", "10.0.0", "99999999999999999.0.0", "18446744073709551615.0.0",
	}
	for i := range ascending[1:] {
		low, high := semver.MustParse(ascending[i]), semver.MustParse(ascending[i+1])
		if SemVerKey(low) >= SemVerKey(high) {
			t.Errorf("%s does not sort before %s", low, high)
		}
	}
	if SemVerKey(semver.MustParse("1.0.0+a")) != SemVerKey(semver.MustParse("1.0.0+b")) {
		t.Error("build metadata plays a part")
	}
	// Numeric identifiers have no upper limit.
	if SemVerKey(semver.MustParse("1.0.0-99999999999999999999")) >= SemVerKey(semver.MustParse("1.0.0-100000000000000000000")) {
		t.Error("long numbers are compared as text")
	}
}

// randomSemVer draws versions that are close to each other.
func randomSemVer(r *rand.Rand) string {
	number := func() string { return fmt.Sprint([]int{0, 1, 2, 9, 10, 11, 99, 100, 255, 256, 65536}[r.IntN(11)]) }
	var b strings.Builder
	fmt.Fprintf(&b, "%s.%s.%s", number(), number(), number())
	for i := range r.IntN(4) {
		b.WriteByte("-..."[i])
		if r.IntN(2) == 0 {
			b.WriteString(number())
		} else {
			b.WriteString([]string{"a", "b", "alpha", "alpha1", "alpha-1", "A", "z-", "-z", "rc", "0a", "x9", "x10"}[r.IntN(12)])
		}
	}
	if r.IntN(8) == 0 {
		b.WriteString("+build." + number())
	}
	return b.String()
}

// TestSemVerKeyAgainstLibrary compares the order of keys with the library's of
// versions, pair by pair.
func TestSemVerKeyAgainstLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	versions := make([]*semver.Version, 400)
	for i := range versions {
		versions[i] = semver.MustParse(randomSemVer(r))
	}
	for _, a := range versions {
		for _, b := range versions {
			if got, want := cmp.Compare(SemVerKey(a), SemVerKey(b)), a.Compare(b); got != want {
				t.Fatalf("%s and %s: keys compare as %d, versions as %d", a, b, got, want)
			}
		}
	}
}

func TestNaturalKey(t *testing.T) {
	for _, ascending := range [][]string{
		{"1.0", "1.0.1", "1.1", "1.2", "1.10", "2", "10"},
		{"1.0.0.1", "1.0.0.2", "1.0.0.10", "1.0.0.10.1", "1.0.1"},
		{"1.2.3", "1.2.3.4", "1.2.4"},
		{"1.2.3.4-rc1", "1.2.3.4"},
		{"1.0a1", "1.0b1", "1.0b2", "1.0b10", "1.0rc1", "1.0"},
		{"1.0.dev1", "1.0"},
		{"1.0", "1.0final", "1.0.1"},
		{"1.0final", "1.0final2", "1.0final10"},
		{"2023", "2024", "2024.1", "2024.1.15"},
		{"20240101", "20240102"},
		{"release-5", "release-10"},
		{"1.0_p1", "1.0_p2", "1.0_p10", "1.1"},
		{"v1.0", "v1.1", "v1.10"},
		{"1.0.0-snapshot", "1.0.0"},
		{"1.0.0.snapshot", "1.0.0"},
		{"apple", "banana"},
	} {
		for i := range ascending[1:] {
			low, _ := NaturalKey(ascending[i])
			high, _ := NaturalKey(ascending[i+1])
			if low >= high {
				t.Errorf("%s does not sort before %s", ascending[i], ascending[i+1])
			}
		}
	}
	for _, equal := range [][2]string{
		{"1.0", "1.0.0"}, {"v1.2.3", "1.2.3"}, {"1.0RC1", "1.0rc1"}, {"1.0rc1", "1.0.rc.1"}, {"1.2.3+a", "1.2.3+b"}, {"01.2", "1.2"},
	} {
		a, _ := NaturalKey(equal[0])
		b, _ := NaturalKey(equal[1])
		if a != b {
			t.Errorf("%s and %s sort apart", equal[0], equal[1])
		}
	}
	for version, want := range map[string]bool{
		"1.0": false, "1.0.0": false, "1.0-rc1": true, "1.0rc1": true, "1.0b2": true, "1.0.SNAPSHOT": true, "1.0final": false,
		"1.0.0-x": true, "": false, "...": false, "nightly": true, "main": false,
	} {
		if _, got := NaturalKey(version); got != want {
			t.Errorf("%q is a prerelease: %v, want %v", version, got, want)
		}
	}
}

func TestTimeKey(t *testing.T) {
	at := time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC)
	for _, step := range []time.Duration{time.Microsecond, time.Second, time.Hour, 1000 * time.Hour} {
		if TimeKey(at) >= TimeKey(at.Add(step)) {
			t.Errorf("%v later does not sort after", step)
		}
	}
}

func TestByteKey(t *testing.T) {
	names := []string{"", "\x01", "1", "10", "A", "B", "a", "a-b", "a.b", "ab", "b", "é", "\xff"}
	for i := range names[1:] {
		if byteKey(names[i]) >= byteKey(names[i+1]) {
			t.Errorf("%q does not sort before %q", names[i], names[i+1])
		}
	}
}

var keyForm = regexp.MustCompile(`^[0-9a-f]*$`)

// FuzzNaturalKey gives it anything at all: there is always a key, of a form
// that sorts alike everywhere, and SemVer sorts as the library has it.
func FuzzNaturalKey(f *testing.F) {
	for _, pair := range [][2]string{{"", "."}, {"1.0", "1.0.0-rc.1"}, {"1.0rc1", "1.0"}, {"1.2.3.4", "1.2.3"}, {"v1", "\x00"}, {"ⅷ", "1.é"}, {"\xff", strings.Repeat("9", 999)}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		keyA, _ := NaturalKey(a)
		keyB, _ := NaturalKey(b)
		for version, key := range map[string]string{a: keyA, b: keyB} {
			if !keyForm.MatchString(key) || len(key) > maxSortKey {
				t.Fatalf("%q has the key %q", version, key)
			}
		}
		va, errA := semver.NewVersion(a)
		vb, errB := semver.NewVersion(b)
		if errA != nil || errB != nil || !comparable(va) || !comparable(vb) {
			return
		}
		if got, want := cmp.Compare(keyA, keyB), va.Compare(vb); got != want {
			t.Fatalf("%q and %q: keys compare as %d, versions as %d", a, b, got, want)
		}
	})
}

// comparable tells whether the library's order is the specification's, which
// it is not for numeric identifiers beyond 64 bits, and whether the key has
// room for all of the version.
func comparable(v *semver.Version) bool {
	for identifier := range strings.SplitSeq(v.Prerelease(), ".") {
		if len(identifier) > 18 && strings.Trim(identifier, "0123456789") == "" {
			return false
		}
	}
	return len(v.Prerelease()) < 90
}

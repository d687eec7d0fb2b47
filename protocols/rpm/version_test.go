package rpm

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestOrder holds versions against the order that rpm documents, each before
// the next.
func TestOrder(t *testing.T) {
	order := []identity{
		{version: "0.9", release: "1"},
		{version: "1.0~~", release: "1"},
		{version: "1.0~alpha", release: "1"},
		{version: "1.0~beta", release: "1"},
		{version: "1.0~rc1^git1", release: "1"},
		{version: "1.0~1", release: "1"},
		{version: "1.0", release: "1~pre"},
		{version: "1.0", release: "1"},
		{version: "1.0", release: "1^post"},
		{version: "1.0", release: "1.el8"},
		{version: "1.0", release: "1.el9"},
		{version: "1.0", release: "1.1"},
		{version: "1.0", release: "2"},
		{version: "1.0", release: "10"},
		{version: "1.0^", release: "1"},
		{version: "1.0^20160101", release: "1"},
		{version: "1.0^20160101^git1", release: "1"},
		{version: "1.0a", release: "1"},
		{version: "1.0ab", release: "1"},
		{version: "1.0b", release: "1"},
		{version: "1.0.1", release: "1"},
		{version: "1.1", release: "1"},
		{version: "1.10", release: "1"},
		{version: "2.a", release: "1"},
		{version: "2.0", release: "1"},
		{version: "20101122", release: "1"},
		{version: "99999999999999999999999999", release: "1"},
		{epoch: 1, version: "0.1", release: "1"},
		{epoch: 10, version: "0.1", release: "1"},
	}
	for i := range order[1:] {
		a, b := order[i], order[i+1]
		if a.sortKey() >= b.sortKey() {
			t.Errorf("%s does not come before %s", a.versionString(), b.versionString())
		}
	}
	for _, same := range [][2]string{{"1.0", "1_0"}, {"1.0", "1.00"}, {"1.0", "1.0."}, {"1.0.a1", "1.0a1"}, {"1..0", "1.0"}} {
		a, b := identity{version: same[0], release: "1"}, identity{version: same[1], release: "1"}
		if a.sortKey() != b.sortKey() {
			t.Errorf("%s and %s are not the same", same[0], same[1])
		}
	}
}

// compare orders versions as rpm says, step by step, for the keys to be held
// against.
func compare(a, b string) int {
	for a != "" || b != "" {
		skip := func(c rune) bool { return !strings.ContainsRune("~^", c) && !isDigit(byte(c)) && !isLetter(byte(c)) }
		a, b = strings.TrimLeftFunc(a, skip), strings.TrimLeftFunc(b, skip)
		switch tildeA, tildeB := strings.HasPrefix(a, "~"), strings.HasPrefix(b, "~"); {
		case tildeA && tildeB:
			a, b = a[1:], b[1:]
			continue
		case tildeA:
			return -1
		case tildeB:
			return 1
		}
		switch caretA, caretB := strings.HasPrefix(a, "^"), strings.HasPrefix(b, "^"); {
		case caretA && caretB:
			a, b = a[1:], b[1:]
			continue
		case caretA && b == "", caretB && a != "":
			return 1
		case caretB && a == "", caretA && b != "":
			return -1
		}
		if a == "" || b == "" {
			break
		}
		of := isLetter
		if isDigit(a[0]) {
			of = isDigit
		}
		run := func(s string) int {
			n := 0
			for n < len(s) && of(s[n]) {
				n++
			}
			return n
		}
		x, y := a[:run(a)], b[:run(b)]
		a, b = a[len(x):], b[len(y):]
		if y == "" {
			if isDigit(x[0]) {
				return 1
			}
			return -1
		}
		if isDigit(x[0]) {
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if len(x) != len(y) {
				return len(x) - len(y)
			}
		}
		if c := strings.Compare(x, y); c != 0 {
			return c
		}
	}
	return len(a) - len(b)
}

// TestOrderOfMany holds keys of random versions against the comparison above.
func TestOrderOfMany(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const letters = "0123aAbz.~^_+"
	text := func() string {
		b := make([]byte, 1+random.IntN(6))
		for i := range b {
			b[i] = letters[random.IntN(len(letters))]
		}
		return string(b)
	}
	sign := func(n int) int { return max(-1, min(1, n)) }
	for range 100_000 {
		a, b := text(), text()
		x, y := identity{version: a, release: "1"}.sortKey(), identity{version: b, release: "1"}.sortKey()
		if got, want := strings.Compare(x, y), sign(compare(a, b)); got != want {
			t.Fatalf("%q and %q compare as %d, want %d", a, b, got, want)
		}
	}
}

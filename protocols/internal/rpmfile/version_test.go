package rpmfile

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestOrder holds versions against the order that rpm documents, each before
// the next.
func TestOrder(t *testing.T) {
	order := []Identity{
		{Version: "0.9", Release: "1"},
		{Version: "1.0~~", Release: "1"},
		{Version: "1.0~alpha", Release: "1"},
		{Version: "1.0~beta", Release: "1"},
		{Version: "1.0~rc1^git1", Release: "1"},
		{Version: "1.0~1", Release: "1"},
		{Version: "1.0", Release: "1~pre"},
		{Version: "1.0", Release: "1"},
		{Version: "1.0", Release: "1^post"},
		{Version: "1.0", Release: "1.el8"},
		{Version: "1.0", Release: "1.el9"},
		{Version: "1.0", Release: "1.1"},
		{Version: "1.0", Release: "2"},
		{Version: "1.0", Release: "10"},
		{Version: "1.0^", Release: "1"},
		{Version: "1.0^20160101", Release: "1"},
		{Version: "1.0^20160101^git1", Release: "1"},
		{Version: "1.0a", Release: "1"},
		{Version: "1.0ab", Release: "1"},
		{Version: "1.0b", Release: "1"},
		{Version: "1.0.1", Release: "1"},
		{Version: "1.1", Release: "1"},
		{Version: "1.10", Release: "1"},
		{Version: "2.a", Release: "1"},
		{Version: "2.0", Release: "1"},
		{Version: "20101122", Release: "1"},
		{Version: "99999999999999999999999999", Release: "1"},
		{Epoch: 1, Version: "0.1", Release: "1"},
		{Epoch: 10, Version: "0.1", Release: "1"},
	}
	for i := range order[1:] {
		a, b := order[i], order[i+1]
		if a.SortKey() >= b.SortKey() {
			t.Errorf("%s does not come before %s", a.VersionString(), b.VersionString())
		}
	}
	for _, same := range [][2]string{{"1.0", "1_0"}, {"1.0", "1.00"}, {"1.0", "1.0."}, {"1.0.a1", "1.0a1"}, {"1..0", "1.0"}} {
		a, b := Identity{Version: same[0], Release: "1"}, Identity{Version: same[1], Release: "1"}
		if a.SortKey() != b.SortKey() {
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
		x, y := Identity{Version: a, Release: "1"}.SortKey(), Identity{Version: b, Release: "1"}.SortKey()
		if got, want := strings.Compare(x, y), sign(compare(a, b)); got != want {
			t.Fatalf("%q and %q compare as %d, want %d", a, b, got, want)
		}
	}
}

package storage

import (
	"regexp"
	"strings"
	"testing"
)

func TestNewKey(t *testing.T) {
	form := regexp.MustCompile(`^b/[0-9a-f]{2}/[a-z2-7]{26}$`)
	seen, letters := map[string]bool{}, map[rune]bool{}
	for range 1000 {
		key := NewKey()
		if !form.MatchString(key) || !ValidKey(key) || seen[key] {
			t.Fatalf("key %q", key)
		}
		seen[key] = true
		for _, letter := range key[5:] {
			letters[letter] = true
		}
	}
	if len(letters) != len(keyAlphabet) {
		t.Errorf("26,000 random characters use only %d letters", len(letters))
	}
}

func FuzzValidKey(f *testing.F) {
	for _, seed := range []string{"b/ab/abc", "b", "", "/", "a//b", "../a", "tmp/a", "tmpa", "a/", "a\x00", "A"} {
		f.Add(seed)
	}
	form := regexp.MustCompile(`^[a-z0-9]+(/[a-z0-9]+)*$`)
	f.Fuzz(func(t *testing.T, key string) {
		first, _, _ := strings.Cut(key, "/")
		want := len(key) <= maxKey && form.MatchString(key) && first != tmpDir
		if got := ValidKey(key); got != want {
			t.Errorf("ValidKey(%q) = %v, want %v", key, got, want)
		}
	})
}

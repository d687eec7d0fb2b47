package registry

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"entrepot/ent"
)

// TestJournalCompose holds a text that was extended step by step against the
// one made at once.
func TestJournalCompose(t *testing.T) {
	entries := []*ent.Property{{ID: 1, Value: "7 a"}, {ID: 2, Value: "8 secret"}, {ID: 3, Value: "7 b " + strings.Repeat("x", 100)}, {ID: 4, Value: "9 c"}}
	known := &JournalText{}
	for i := range entries {
		next := &JournalText{head: head{generation: int64(i + 1), modified: int64(i)}}
		if err := next.compose(known, "header\n", entries[i:i+1], []int64{8}); err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(next.Body, known.Body) || next.last != entries[i].ID {
			t.Fatalf("%q does not begin with %q", next.Body, known.Body)
		}
		known = next
	}
	want := "header\na\nb " + strings.Repeat("x", 100) + "\nc\n"
	if string(known.Body) != want {
		t.Errorf("text %q", known.Body)
	}
	if known.MD5 != fmt.Sprintf("%x", md5.Sum([]byte(want))) || known.SHA256 != fmt.Sprintf("%x", sha256.Sum256([]byte(want))) {
		t.Errorf("digests %s and %s are not those of the text", known.MD5, known.SHA256)
	}
	if err := known.compose(&JournalText{}, "", []*ent.Property{{ID: 5, Value: "no number"}}, nil); err == nil {
		t.Error("an entry without a number was taken")
	}
}

func TestJournalHead(t *testing.T) {
	for text, want := range map[string]head{"": {}, "3 2 1700000000": {3, 2, 1700000000}} {
		got, err := parseHead(text)
		if err != nil || got != want {
			t.Errorf("%q is read as %v, %v", text, got, err)
		}
		if text != "" && got.String() != text {
			t.Errorf("%q is written as %q", text, got)
		}
	}
	if _, err := parseHead("x"); err == nil {
		t.Error("a head of letters was taken")
	}
}

// TestJournalDerived makes what is derived once.
func TestJournalDerived(t *testing.T) {
	j := &JournalText{Body: []byte("text")}
	made := 0
	for range 3 {
		got, err := j.Derived("upper", func(body []byte) ([]byte, error) {
			made++
			return bytes.ToUpper(body), nil
		})
		if err != nil || string(got) != "TEXT" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if made != 1 {
		t.Errorf("made %d times", made)
	}
}

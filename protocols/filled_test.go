package protocols

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestFill(t *testing.T) {
	marks := Marks{'\x01': "http://example.com", '\x02': ""}
	for text, want := range map[string]string{
		"": "", "plain": "plain", "\x01": "http://example.com", "a\x01b\x02c\x01": "ahttp://example.combchttp://example.com", "\x03\x00": "\x03\x00",
	} {
		var whole, piecewise bytes.Buffer
		if n, err := marks.Fill(&whole).Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("%q: %d bytes of %d, %v", text, n, len(text), err)
		}
		w := marks.Fill(&piecewise)
		for i := range len(text) {
			if _, err := w.Write([]byte{text[i]}); err != nil {
				t.Fatal(err)
			}
		}
		if whole.String() != want || piecewise.String() != want {
			t.Errorf("%q becomes %q, and in pieces %q", text, whole.String(), piecewise.String())
		}
	}
	if _, err := marks.Fill(brokenWriter{}).Write([]byte("a\x01")); !errors.Is(err, errBroken) {
		t.Errorf("an error of the writer beneath becomes %v", err)
	}
}

var errBroken = errors.New("broken")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestFilledTags(t *testing.T) {
	tags := map[string]bool{}
	for _, f := range []Filled{{Sha256: "a"}, {Sha256: "b"}, {Sha256: "a", Marks: Marks{1: "x"}}, {Sha256: "a", Marks: Marks{1: "y"}}, {Sha256: "a", Marks: Marks{2: "x"}}} {
		for _, zipped := range []bool{false, true} {
			tag := f.etag(zipped)
			if tags[tag] || !strings.HasPrefix(tag, `"`) || !strings.HasSuffix(tag, `"`) {
				t.Errorf("%+v has the tag %s", f, tag)
			}
			tags[tag] = true
		}
	}
}

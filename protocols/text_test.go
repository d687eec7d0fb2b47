package protocols

import (
	"strings"
	"testing"
)

func TestCleanText(t *testing.T) {
	for in, want := range map[string]string{"": "", "ü": "ü", "a\x00b": "a\ufffdb", "a\xffb": "a\ufffdb"} {
		if got := CleanText(in); got != want {
			t.Errorf("CleanText(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCutText(t *testing.T) {
	for _, tt := range []struct {
		in    string
		limit int
		want  string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"aü", 2, "a"}, {"", 0, ""}} {
		if got := CutText(tt.in, tt.limit); got != tt.want {
			t.Errorf("CutText(%q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

func TestOneLine(t *testing.T) {
	if got := OneLine(" a\r\n\tb  c "); got != "a b c" {
		t.Errorf("OneLine = %q", got)
	}
}

func TestWebURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://example.com/a?b#c": "https://example.com/a?b#c",
		" http://example.com ":      "http://example.com",
		"javascript:alert(1)":       "",
		"//example.com":             "",
		"ftp://example.com":         "",
		"https:///path":             "",
		"https://example.com/" + strings.Repeat("a", maxURL): "",
	} {
		if got := WebURL(in); got != want {
			t.Errorf("WebURL(%.40q) = %q, want %q", in, got, want)
		}
	}
}

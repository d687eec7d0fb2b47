package protocols

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, path string
		want          Params // nil for no match
	}{
		{"", "", Params{}},
		{"", "a", nil},
		{"{name}", "a", Params{"name": "a"}},
		{"{name}", "a/b", nil},
		{"-/ping", "-/ping", Params{}},
		{"-/ping", "-/pong", nil},
		{"{name}/{version}", "a/b", Params{"name": "a", "version": "b"}},
		{"{name...}/manifests/{ref}", "a/b/manifests/1", Params{"name": "a/b", "ref": "1"}},
		// Names may hold the words that follow them: the last ones count.
		{"{name...}/manifests/{ref}", "manifests/manifests/manifests/manifests", Params{"name": "manifests/manifests", "ref": "manifests"}},
		{"{name...}/blobs/uploads", "a/blobs/uploads", Params{"name": "a"}},
		{"{name...}/manifests/{ref}", "manifests/1", nil},
		{"{name...}/-/{file}", "@s/n/-/f", Params{"name": "@s/n", "file": "f"}},
	} {
		var path []string
		if tt.path != "" {
			path = strings.Split(tt.path, "/")
		}
		got, ok := match(tt.pattern, path)
		if ok != (tt.want != nil) || ok && !maps.Equal(got, tt.want) {
			t.Errorf("match(%q, %q) = %v, %v; want %v", tt.pattern, tt.path, got, ok, tt.want)
		}
	}
}

func TestFindTellsAllowedMethods(t *testing.T) {
	routes := []Route{{Method: "GET", Pattern: "{name}"}, {Method: "PUT", Pattern: "{name}"}, {Method: "DELETE", Pattern: "{name}/{version}"}}
	for _, tt := range []struct {
		method, path string
		found        bool
		allowed      []string
	}{
		{"GET", "a", true, nil},
		{"HEAD", "a", true, nil},
		{"POST", "a", false, []string{"GET", "PUT", "HEAD"}},
		{"GET", "a/b", false, []string{"DELETE"}},
		{"GET", "a/b/c", false, nil},
	} {
		route, _, allowed := find(routes, tt.method, strings.Split(tt.path, "/"))
		if (route != nil) != tt.found || !slices.Equal(allowed, tt.allowed) {
			t.Errorf("%s %s: found %v, allowed %v", tt.method, tt.path, route != nil, allowed)
		}
	}
}

func TestSplitPath(t *testing.T) {
	for _, tt := range []struct {
		escaped string
		want    []string
	}{
		{"", nil},
		{"/a/b", []string{"a", "b"}},
		{"/a%2Fb/c%25", []string{"a/b", "c%"}},
		{"/a//b/", []string{"a", "", "b", ""}},
	} {
		if got, ok := SplitPath(tt.escaped); !ok || !slices.Equal(got, tt.want) {
			t.Errorf("SplitPath(%q) = %q, %v", tt.escaped, got, ok)
		}
	}
	for _, escaped := range []string{"/a%zz", "/a%00b", "/a%ff"} {
		if _, ok := SplitPath(escaped); ok {
			t.Errorf("SplitPath(%q) was accepted", escaped)
		}
	}
}

func FuzzSplitPath(f *testing.F) {
	f.Add("a", "b/c", "%")
	f.Add("", "..", "ü?#")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		got, ok := SplitPath(JoinPath(a, b, c))
		if all := a + b + c; strings.Contains(all, "\x00") || !utf8.ValidString(a) || !utf8.ValidString(b) || !utf8.ValidString(c) {
			if ok {
				t.Errorf("segments %q were accepted", []string{a, b, c})
			}
			return
		}
		if !ok || !slices.Equal(got, []string{a, b, c}) {
			t.Errorf("segments %q come back as %q, %v", []string{a, b, c}, got, ok)
		}
	})
}

func TestAttachment(t *testing.T) {
	for name, want := range map[string]string{
		"a b.txt":         `attachment; filename="a b.txt"`,
		"grüße.txt":       `attachment; filename="gr__e.txt"; filename*=UTF-8''gr%C3%BC%C3%9Fe.txt`,
		"a\"b\r\nX: y.sh": `attachment; filename="a_b__X: y.sh"; filename*=UTF-8''a%22b%0D%0AX%3A%20y.sh`,
		"100%=@:.txt":     `attachment; filename="100_=@:.txt"; filename*=UTF-8''100%25%3D%40%3A.txt`,
	} {
		if got := Attachment(name); got != want {
			t.Errorf("Attachment(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestAcceptsGzip(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "deflate, gzip;q=0.5": true, "gzip;q=0": false, "gzip; q=0.0": false, "*": true, "identity": false, "br": false,
	} {
		if got := AcceptsGzip(accept); got != want {
			t.Errorf("AcceptsGzip(%q) = %v", accept, got)
		}
	}
}

func TestETagListed(t *testing.T) {
	for list, want := range map[string]bool{
		`"a"`: true, `W/"a"`: true, `"b", "a"`: true, `*`: true, `"b"`: false, ``: false,
	} {
		if got := ETagListed(list, `"a"`); got != want {
			t.Errorf("ETagListed(%q) = %v", list, got)
		}
	}
}

func TestShellQuote(t *testing.T) {
	for word, want := range map[string]string{
		"http://h/p": "http://h/p", "a b": "'a b'", "": "''", "it's": `'it'\''s'`, "$(x)": "'$(x)'",
	} {
		if got := ShellQuote(word); got != want {
			t.Errorf("ShellQuote(%q) = %s, want %s", word, got, want)
		}
	}
}

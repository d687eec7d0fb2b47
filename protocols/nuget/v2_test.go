package nuget_test

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
)

func TestEntry(t *testing.T) {
	s := newServer(t)
	pkg := everything(t)
	s.push(pkg)
	here := s.URL + root
	for _, path := range []string{
		"Packages(Id='Acme.Lib',Version='1.2.0')", "Packages(Version='1.2',Id='acme.lib')", "Packages(Id=%27ACME.LIB%27,Version=%271.2.0.0%27)",
	} {
		res := s.Want(t, 200, "", "GET", root+"/"+path, "")
		if got := res.Header.Get("Content-Type"); got != "application/atom+xml; charset=utf-8" {
			t.Errorf("Content-Type = %q", got)
		}
		if !strings.Contains(res.Body, `<content type="application/zip" src="`+here+`/package/acme.lib/1.2.0"/>`) {
			t.Errorf("no closed content in %s", res.Body)
		}
		var e atomEntry
		if err := xml.Unmarshal([]byte(res.Body), &e); err != nil {
			t.Fatal(err)
		}
		if e.Title != "Acme.Lib" || e.ID != here+"/Packages(Id='Acme.Lib',Version='1.2.0')" {
			t.Errorf("title %q, id %q", e.Title, e.ID)
		}
		sum := sha512.Sum512([]byte(pkg))
		for name, want := range map[string][2]string{
			"Id": {"Acme.Lib"}, "Version": {"1.2.0+abc"}, "NormalizedVersion": {"1.2.0"}, "Authors": {"Ann, Wim"},
			"Dependencies": {"Z.Last:[1.0,2.0):net8.0|A.First::net8.0|::.NETStandard2.0|Any:1.0:"}, "Description": {"A package"}, "Summary": {"Short"},
			"Title": {`The "Lib"`}, "Tags": {"one two three"}, "ReleaseNotes": {"New"}, "ProjectUrl": {"https://example.com/a?b&c"},
			"IconUrl": {here + "/package/acme.lib/1.2.0/icon"}, "LicenseUrl": {""}, "Copyright": {"(c)"}, "Language": {"en"}, "MinClientVersion": {"2.12"},
			"RequireLicenseAcceptance": {"true", "Edm.Boolean"}, "IsPrerelease": {"false", "Edm.Boolean"}, "IsLatestVersion": {"true", "Edm.Boolean"},
			"IsAbsoluteLatestVersion": {"true", "Edm.Boolean"}, "Listed": {"true", "Edm.Boolean"}, "DownloadCount": {"0", "Edm.Int32"},
			"VersionDownloadCount": {"0", "Edm.Int32"}, "PackageSize": {fmt.Sprint(len(pkg)), "Edm.Int64"},
			"PackageHash": {base64.StdEncoding.EncodeToString(sum[:])}, "PackageHashAlgorithm": {"SHA512"},
			"GalleryDetailsUrl": {s.URL + "/acme/nuget/Acme.Lib/v/1.2.0+abc"},
		} {
			if got := e.property(name); got != want[0] || e.kind(name) != want[1] {
				t.Errorf("%s = %q of type %q, want %q", name, got, e.kind(name), want)
			}
		}
		for _, name := range []string{"Created", "LastUpdated", "Published"} {
			if e.kind(name) != "Edm.DateTime" || !strings.HasPrefix(e.property(name), "20") {
				t.Errorf("%s = %q of type %q", name, e.property(name), e.kind(name))
			}
		}
		s.Want(t, 304, "", "GET", root+"/"+path, "", "If-None-Match", res.Header.Get("ETag"))
	}
	for _, path := range []string{"/Packages(Id='Acme.Lib',Version='1.2.0')/Download", "/package/Acme.Lib/1.2.0"} {
		if got := s.Want(t, 200, "", "GET", root+path, ""); got.Body != pkg || got.Header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%s: %d bytes of type %q", path, len(got.Body), got.Header.Get("Content-Type"))
		}
	}
	for _, path := range []string{
		"Packages(Id='Acme.Lib',Version='3.0')", "Packages(Id='other',Version='1.0')", "Packages(Id='Acme.Lib',Version='x')", "Packages(Id='Acme.Lib')",
		"Packages(Id='a''b',Version='1.0')", "Packages(Id='Acme.Lib',Version='3.0')/Download", "Packages()/Download", "Other()", "Other()/$count", "package/acme.lib/3.0",
	} {
		s.fails(404, "", "GET", root+"/"+path, "")
	}
}

func TestFeeds(t *testing.T) {
	s := newServer(t)
	for _, p := range [][2]string{{"Acme", "1.0"}, {"Acme", "1.10"}, {"Acme", "1.9"}, {"Acme", "2.0-beta"}, {"Acme", "2.0-beta.1"}, {"Beta", "0.1-a"}, {"Acme.Tool", "1.0"}} {
		s.publish(p[0], p[1], "<tags>"+strings.ToLower(p[0])+" PSModule</tags>")
	}
	for path, want := range map[string]string{
		"Packages()":                   "Acme@1.0 Acme@1.9 Acme@1.10 Acme@2.0-beta Acme.Tool@1.0 Beta@0.1-a",
		"Packages":                     "Acme@1.0 Acme@1.9 Acme@1.10 Acme@2.0-beta Acme.Tool@1.0 Beta@0.1-a",
		"Packages()?semVerLevel=2.0.0": "Acme@1.0 Acme@1.9 Acme@1.10 Acme@2.0-beta Acme@2.0-beta.1 Acme.Tool@1.0 Beta@0.1-a",
		"Packages()?$filter=(tolower(Id) eq 'acme') and IsLatestVersion":           "Acme@1.10",
		"Packages()?$filter=(tolower(Id) eq 'acme') and IsAbsoluteLatestVersion":   "Acme@2.0-beta",
		"Packages()?$filter=Id eq 'acme' and Version eq '1.10.0'":                  "Acme@1.10",
		"Packages()?$filter=IsLatestVersion&$orderby=Id desc":                      "Acme.Tool@1.0 Acme@1.10",
		"Packages()?$filter=Id eq 'Acme'&$orderby=Version desc&$top=2":             "Acme@2.0-beta Acme@1.10",
		"Packages()?$filter=substringof('psmodule',Tags) eq true and IsPrerelease": "Acme@2.0-beta Beta@0.1-a",
		"Packages()?$top=0": "",
		"Search()":          "Acme@1.10 Acme.Tool@1.0",
		"Search()?searchTerm='tool'&targetFramework='net45'&includePrerelease=false":                                "Acme.Tool@1.0",
		"Search()?searchTerm=''&includePrerelease=true":                                                             "Acme@2.0-beta Acme.Tool@1.0 Beta@0.1-a",
		"Search()?includePrerelease=true&semVerLevel=2.0.0&$filter=IsAbsoluteLatestVersion":                         "Acme@2.0-beta.1 Acme.Tool@1.0 Beta@0.1-a",
		"Search()?$filter=IsLatestVersion and startswith(Id, 'acme.')":                                              "Acme.Tool@1.0",
		"FindPackagesById()?id='acme'":                                                                              "Acme@1.0 Acme@1.9 Acme@1.10 Acme@2.0-beta Acme@2.0-beta.1",
		"FindPackagesById()?id='none'":                                                                              "",
		"FindPackagesById()?id='it''s'":                                                                             "",
		"FindPackagesById()?id='acme'&$filter=NormalizedVersion ge '1.9' and NormalizedVersion le '1.10.0'":         "Acme@1.9 Acme@1.10",
		"FindPackagesById()?id='acme'&$filter=Id eq 'Acme' and IsLatestVersion eq true":                             "Acme@1.10",
		"FindPackagesById()?$filter=IsPrerelease eq false&$orderby=NormalizedVersion desc&id='acme'&$skip=1&$top=1": "Acme@1.9",
	} {
		if got := s.feed(path).versions(); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	for path, want := range map[string]string{
		"Packages()/$count": "6", "Packages/$count?$filter=IsLatestVersion": "2", "Search()/$count?searchTerm='acme'": "2", "FindPackagesById()/$count?id='acme'&$top=1": "5",
	} {
		res := s.Want(t, 200, "", "GET", root+"/"+escapeQuery("/" + path)[1:], "")
		if res.Body != want || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %q of type %q", path, res.Body, res.Header.Get("Content-Type"))
		}
	}
	for _, path := range []string{
		"Packages()?$filter=Owners eq 'x'", "Packages()?$filter=Id eq", "Search()?$filter=length(Id) eq 3", "Packages()?$orderby=Title", "Packages()?$top=-1",
		"Packages()?$skip=x", "FindPackagesById()", "FindPackagesById()?id=''", "Packages()/$count?$filter=x",
	} {
		s.fails(400, "", "GET", root+"/"+escapeQuery("/" + path)[1:], "")
	}
}

func TestFeedPages(t *testing.T) {
	s := newServer(t)
	s.grow("Many", 70)
	f := s.feed("FindPackagesById()?id='many'&$orderby=Version desc&x=y")
	if f.Count != 70 || len(f.Entries) != 30 || f.Entries[0].property("Version") != "0.0.0" && f.Entries[0].Title != "Many" {
		t.Errorf("count %d, %d entries", f.Count, len(f.Entries))
	}
	next := f.next()
	if !strings.HasPrefix(next, s.URL+root+"/FindPackagesById()?") || !strings.Contains(next, "x=y") || !strings.Contains(next, "id=%27many%27") || !strings.Contains(next, "skip=30") {
		t.Errorf("next = %s", next)
	}
	seen := len(f.Entries)
	for next != "" {
		f = s.feed(next)
		seen, next = seen+len(f.Entries), f.next()
		if f.Count != 70 {
			t.Errorf("count %d", f.Count)
		}
	}
	if seen != 70 {
		t.Errorf("%d entries in all", seen)
	}
	if f := s.feed("Packages()?$skip=0&$top=1000"); len(f.Entries) != 70 || f.next() != "" {
		t.Errorf("%d entries, next %q", len(f.Entries), f.next())
	}
	s.grow("Other", 40)
	if f := s.feed("Packages()?$top=1000"); len(f.Entries) != 100 || f.next() == "" {
		t.Errorf("%d entries, next %q", len(f.Entries), f.next())
	}
	// The last page is full, and has nothing behind it.
	if f := s.feed("Packages()?$top=10&$skip=100"); len(f.Entries) != 10 || f.next() != "" {
		t.Errorf("%d entries, next %q", len(f.Entries), f.next())
	}
}

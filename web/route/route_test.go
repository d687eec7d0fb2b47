package route

import (
	"net/url"
	"strings"
	"testing"
)

func TestPathsReadBack(t *testing.T) {
	tests := map[string]Target{
		"/":                                         {Page: Home},
		"/search":                                   {Page: Search},
		"/sign-in":                                  {Page: SignIn},
		"/sign-out":                                 {Page: SignOut},
		"/setup/abc":                                {Page: Setup, Token: "abc"},
		"/orgs/new":                                 {Page: NewOrganization},
		"/settings/tokens":                          OfSettings(Tokens),
		"/acme":                                     OfOwner("acme"),
		"/acme/npm":                                 OfType("acme", "npm"),
		"/acme/settings/members":                    OfOwnerSettings("acme", Members),
		"/acme/settings/cleanup":                    OfOwnerSettings("acme", Cleanup),
		"/acme/upload":                              {Page: Upload, Owner: "acme"},
		"/acme/npm/left-pad":                        OfPackage("acme", "npm", "left-pad"),
		"/acme/npm/@acme/left-pad":                  OfPackage("acme", "npm", "@acme/left-pad"),
		"/acme/npm/settings":                        OfPackage("acme", "npm", "settings"),
		"/acme/npm/v":                               OfPackage("acme", "npm", "v"),
		"/acme/npm/v/v/1.0.0":                       OfVersion("acme", "npm", "v", "1.0.0"),
		"/acme/npm/@acme%2Fversions":                OfPackage("acme", "npm", "@acme/versions"),
		"/acme/npm/@acme%2Fv/v/2.0.0":               OfVersion("acme", "npm", "@acme/v", "2.0.0"),
		"/acme/container/team/app/v/sha256:1f":      OfVersion("acme", "container", "team/app", "sha256:1f"),
		"/acme/container/team/app/v/1.0/delete":     OfVersion("acme", "container", "team/app", "1.0").As(DeleteVersion),
		"/acme/container/app/v/sha256:1f/copy":      OfVersion("acme", "container", "app", "sha256:1f").As(CopyVersion),
		"/acme/pypi/app/v/1.0/yank":                 OfVersion("acme", "pypi", "app", "1.0").As(YankVersion),
		"/acme/container/team/app/versions":         OfPackage("acme", "container", "team/app").As(Versions),
		"/acme/generic/a/b/settings":                OfPackage("acme", "generic", "a/b").As(PackageSettings),
		"/acme/go/example.org%2F%2Fx/v/v1.0.0+inc":  OfVersion("acme", "go", "example.org//x", "v1.0.0+inc"),
		"/acme/generic/a%2F../v/a%2Fb":              OfVersion("acme", "generic", "a/..", "a/b"),
		"/acme/generic/100%25%20sure%3F%23/v/%2525": OfVersion("acme", "generic", "100% sure?#", "%25"),
	}
	for path, target := range tests {
		t.Run(path, func(t *testing.T) {
			if got := target.Path(); got != path {
				t.Errorf("Path() = %q", got)
			}
			if got := Parse(path); got != target {
				t.Errorf("Parse = %+v, want %+v", got, target)
			}
		})
	}
}

func TestOtherSpellings(t *testing.T) {
	tests := map[string]Target{
		"/acme/":                                     OfOwner("acme"),
		"/settings":                                  OfSettings(Profile),
		"/acme/settings":                             OfOwnerSettings("acme", General),
		"/acme/npm/%40acme%2Fleft-pad":               OfPackage("acme", "npm", "@acme/left-pad"),
		"/acme/-/packages":                           OfOwner("acme"),
		"/acme/-/packages/npm/@acme%2Fleft-pad":      OfPackage("acme", "npm", "@acme/left-pad"),
		"/acme/-/packages/npm/@acme%2Fa/versions":    OfPackage("acme", "npm", "@acme/a").As(Versions),
		"/acme/-/packages/npm/a/settings":            OfPackage("acme", "npm", "a").As(PackageSettings),
		"/acme/-/packages/container/team%2Fapp/v1.2": OfVersion("acme", "container", "team/app", "v1.2"),
	}
	for path, target := range tests {
		t.Run(path, func(t *testing.T) {
			if got := Parse(path); got != target {
				t.Errorf("Parse = %+v, want %+v", got, target)
			}
			if target.Path() == path {
				t.Errorf("%q is canonical: this table is for the others", path)
			}
		})
	}
}

func TestNoPage(t *testing.T) {
	for _, path := range []string{
		"", "acme", "//", "/acme//x", "/acme/npm/a/v", "/acme/npm/a/v/1/x", "/acme/npm/a/versions/x", "/acme/npm/%zz",
		"/acme/-", "/acme/-/packages/npm", "/acme/-/packages/npm/a/1/2", "/acme/settings/nothing", "/acme/upload/x",
		"/settings/nothing", "/setup", "/orgs", "/orgs/old", "/API/packages", "/v2/x",
	} {
		if got := Parse(path); got.Page != NotFound {
			t.Errorf("Parse(%q) = %+v", path, got)
		}
	}
}

func TestWith(t *testing.T) {
	target := OfPackage("acme", "npm", "a")
	if got := target.With("tab", "a&b"); got != "/acme/npm/a?tab=a%26b" {
		t.Error(got)
	}
	if got := target.With("tab", ""); got != "/acme/npm/a" {
		t.Error(got)
	}
}

// FuzzRoundTrip holds for every name and version that a user agent can send at all.
func FuzzRoundTrip(f *testing.F) {
	for _, s := range [][2]string{
		{"@acme/left-pad", "1.0.0"}, {"team/app", "sha256:00"}, {"v/v", "v"}, {"a/versions", "delete"},
		{"%2F", "%"}, {"a//b", "a/b"}, {"a/./b", "1+1"}, {"/", "/"}, {"é 日本", " "}, {`a\b;c,d`, "?#&="},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, name, version string) {
		for _, s := range []string{name, version} {
			if s == "" || s == "." || s == ".." {
				return
			}
		}
		base := OfVersion("acme", "npm", name, version)
		for _, page := range []Page{Package, Version, DeleteVersion, YankVersion, CopyVersion, Versions, PackageSettings} {
			target := base.As(page)
			path := target.Path()
			if got := Parse(path); got != target {
				t.Fatalf("Parse(%q) = %+v, want %+v", path, got, target)
			}
			u, err := url.Parse("http://host" + path)
			if err != nil {
				t.Fatal(err)
			}
			if u.EscapedPath() != path {
				t.Fatalf("the path changes on its way: %q became %q", path, u.EscapedPath())
			}
			if strings.Contains(path, "//") || u.RawQuery != "" || u.Fragment != "" {
				t.Fatalf("path %q does not stay a path", path)
			}
		}
	})
}

// FuzzParse: whatever parses has a canonical spelling that parses to the same page.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"/", "/acme/-/packages/npm/%40a%2Fb/1", "/acme/npm/a%2fb/v/1/", "/acme/npm/a/%76/1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		target := Parse(path)
		if target.Page == NotFound {
			return
		}
		if got := Parse(target.Path()); got != target {
			t.Fatalf("%q is %+v, its canonical path %q is %+v", path, target, target.Path(), got)
		}
	})
}

package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"entrepot/access"
	"entrepot/server"
	"entrepot/server/servertest"
)

// withPackages is a server with a few packages: acme/app with three versions, acme/secret for members alone, and an
// organization "hidden" that only its members know of.
func withPackages(t *testing.T, opts ...servertest.Option) *app {
	t.Helper()
	a := newApp(t, opts...)
	a.publish("wim", "acme", "app", "1.0.0", "app.tar.gz", "one")
	a.publish("wim", "acme", "app", "1.1.0", "app.tar.gz", "two")
	a.publish("ann", "acme", "app", "2.0.0-rc.1", "app.tar.gz", "three")
	a.publish("wim", "acme", "secret", "1", "f", "x")
	a.as("ann").post("/acme/generic/secret/settings", "action", "visibility", "visibility", "PRIVATE").want(200)
	a.Organization(t, "hidden", access.Private)
	a.publish("wim", "hidden", "tool", "1", "f", "x")
	return a
}

// Who gets which page: a page that is not there and one that the visitor may not know of look the same.
func TestWhoSeesWhat(t *testing.T) {
	a := withPackages(t)
	tests := []struct {
		path                       string
		nobody, rea, wim, ann, out int
	}{
		{"/", 200, 200, 200, 200, 200},
		{"/search", 200, 200, 200, 200, 200},
		{"/search?q=app&type=generic&owner=acme&sort=name", 200, 200, 200, 200, 200},
		{"/acme", 200, 200, 200, 200, 200},
		{"/acme/generic", 200, 200, 200, 200, 200},
		{"/acme/generic/app", 200, 200, 200, 200, 200},
		{"/acme/generic/app?tab=files", 200, 200, 200, 200, 200},
		{"/acme/generic/app?tab=nothing", 404, 404, 404, 404, 404},
		{"/acme/generic/app/v/1.0.0", 200, 200, 200, 200, 200},
		{"/acme/generic/app/v/9", 404, 404, 404, 404, 404},
		{"/acme/generic/app/versions", 200, 200, 200, 200, 200},
		{"/acme/generic/app/settings", 403, 403, 200, 200, 403},
		{"/acme/generic/app/v/1.0.0/delete", 403, 403, 200, 200, 403},
		{"/acme/generic/secret", 404, 200, 200, 200, 404},
		{"/acme/generic/secret/versions", 404, 200, 200, 200, 404},
		{"/acme/generic/secret/settings", 404, 403, 200, 200, 404},
		{"/acme/settings/general", 403, 403, 403, 200, 403},
		{"/acme/settings/members", 403, 403, 403, 200, 403},
		{"/ann/settings/members", 403, 403, 403, 404, 403},
		{"/acme/upload", 303, 403, 200, 200, 403},
		{"/hidden", 404, 200, 200, 200, 404},
		{"/hidden/generic/tool", 404, 200, 200, 200, 404},
		{"/hidden/settings/members", 404, 403, 403, 200, 404},
		{"/orgs/new", 303, 200, 200, 200, 200},
		{"/settings/profile", 303, 200, 200, 200, 200},
		{"/settings/tokens", 303, 200, 200, 200, 200},
		{"/settings/appearance", 200, 200, 200, 200, 200},
		{"/sign-in", 200, 303, 303, 303, 303},
		{"/setup/guess", 404, 404, 404, 404, 404},
		{"/nobody", 404, 404, 404, 404, 404},
		{"/-/nothing", 404, 404, 404, 404, 404},
	}
	for login, want := range map[string]func(i int) int{
		"":    func(i int) int { return tests[i].nobody },
		"rea": func(i int) int { return tests[i].rea },
		"wim": func(i int) int { return tests[i].wim },
		"ann": func(i int) int { return tests[i].ann },
		"out": func(i int) int { return tests[i].out },
	} {
		b := a.as(login)
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		for i, tt := range tests {
			doc := b.get(tt.path)
			if doc.status != want(i) {
				t.Errorf("%s for %q: %d, want %d", tt.path, login, doc.status, want(i))
			}
		}
	}
}

// What every page has to be: complete without script, free of inline code, accessible in the plainest sense.
func TestEveryPageIsSound(t *testing.T) {
	a := withPackages(t)
	b := a.as("ann")
	for _, path := range []string{
		"/", "/search", "/search?q=nothing-at-all", "/acme", "/acme/generic/app", "/acme/generic/app/versions",
		"/acme/generic/app/v/1.0.0", "/acme/generic/app/v/1.0.0/delete", "/acme/generic/app/settings", "/acme/upload",
		"/acme/settings/general", "/acme/settings/members", "/settings/profile", "/settings/tokens",
		"/settings/appearance", "/orgs/new", "/no-such-owner", "/ann",
	} {
		t.Run(path, func(t *testing.T) {
			doc := b.get(path)
			h := doc.header
			if csp := h.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || !strings.Contains(csp, "default-src 'none'") {
				t.Errorf("Content-Security-Policy %q", csp)
			}
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") == "" {
				t.Errorf("headers %v", h)
			}
			for _, bad := range []string{"[style]", "style", "script:not([src])", "[onclick], [onload], [onsubmit]", "base", "iframe"} {
				doc.hasNot(bad)
			}
			if n := doc.Find("h1").Length(); n != 1 {
				t.Errorf("%d main headings", n)
			}
			if n := doc.Find("main").Length(); n != 1 {
				t.Errorf("%d main elements", n)
			}
			ids := map[string]bool{}
			doc.Find("[id]").Each(func(_ int, s *goquery.Selection) {
				id := s.AttrOr("id", "")
				if ids[id] {
					t.Errorf("two elements have the id %q", id)
				}
				ids[id] = true
			})
			doc.Find("label[for]").Each(func(_ int, s *goquery.Selection) {
				if id := s.AttrOr("for", ""); !ids[id] {
					t.Errorf("a label is for %q, which is not there", id)
				}
			})
			doc.Find("input:not([type=hidden]), select, textarea").Each(func(_ int, s *goquery.Selection) {
				_, labelled := s.Attr("aria-label")
				if !labelled && s.Closest("label").Length() == 0 && doc.Find("label[for='"+s.AttrOr("id", "?")+"']").Length() == 0 {
					t.Errorf("no label for the field %q", s.AttrOr("name", ""))
				}
			})
			doc.Find("button, a").Each(func(_ int, s *goquery.Selection) {
				_, labelled := s.Attr("aria-label")
				if !labelled && strings.TrimSpace(s.Text()) == "" {
					html, _ := goquery.OuterHtml(s)
					t.Errorf("nothing says what this does: %.200s", html)
				}
			})
			doc.Find("[src], link[href], form[action]").Each(func(_ int, s *goquery.Selection) {
				for _, name := range []string{"src", "href", "action"} {
					if value, ok := s.Attr(name); ok && !strings.HasPrefix(value, "/") {
						t.Errorf("%s leads elsewhere: %q", name, value)
					}
				}
			})
			doc.Find("link[rel=stylesheet], script, link[rel=icon]").Each(func(_ int, s *goquery.Selection) {
				if address := s.AttrOr("href", s.AttrOr("src", "")); !strings.Contains(address, "?v=") {
					t.Errorf("asset without a fingerprint: %q", address)
				}
			})
		})
	}
}

func TestHome(t *testing.T) {
	a := withPackages(t)
	a.as("").get("/").want(200).
		has("h1", "Find a package").
		has(".rows h3", "acme / app").
		has("a[href='/sign-in']", "Sign in").
		hasNot("a[href='/acme/generic/secret']")
	a.as("wim").get("/").want(200).
		has(".rows h3", "acme / secret").
		has(".rows h3", "Private").
		has("section[aria-labelledby=owners] li", "acme").
		has("section[aria-labelledby=owners] li", "wim you")
}

func TestEmptyHomeTeaches(t *testing.T) {
	a := newApp(t)
	a.as("").get("/").want(200).has("main h2", "Nothing public here yet")
	a.as("wim").get("/").want(200).has("main h2", "Publish your first package").has("main pre", a.URL+"/api/packages/wim/generic/")
}

func TestSearchNarrows(t *testing.T) {
	a := withPackages(t)
	b := a.as("wim")
	doc := b.get("/search").want(200)
	doc.has("[aria-label=Type] a", "generic 3").has("[aria-label=Owner] a", "acme 2").has("[aria-label=Owner] a", "hidden 1")
	b.get("/search?q=app").want(200).has(".rows h3", "acme / app").hasNot("a[href='/hidden/generic/tool']").
		has("[aria-label=Results]", "1 package matching app")
	if value := b.get("/search?q=app").attr("header input[name=q], nav input[name=q]", "value"); value != "app" {
		t.Errorf("the field says %q", value)
	}
	b.get("/search?owner=hidden").want(200).has(".rows h3", "hidden / tool").hasNot("a[href='/acme/generic/app'].stretch")
	b.get("/search?type=npm").want(200).has("main h2", "No package matches").
		has("[aria-label=Type] a[aria-current]", "npm")
	b.get("/search?q=%00%FF" + strings.Repeat("x", 900)).want(200)
	b.get("/search?after=nonsense").want(422)
}

func TestOwnerPage(t *testing.T) {
	a := withPackages(t)
	a.as("").get("/acme").want(200).has(".rows h3", "app").hasNot("a[href='/acme/upload']").hasNot("a[href='/acme/settings/general']")
	a.as("ann").get("/acme").want(200).has("a[href='/acme/settings/general']", "Settings").has("a[href='/acme/upload']", "Upload").
		has("[aria-labelledby=members] li", "rea Reader")
	a.as("wim").get("/acme?q=sec").want(200).has(".rows h3", "secret").hasNot("a.stretch[href='/acme/generic/app']")
	a.as("wim").get("/wim").want(200).has("main h2", "No packages yet").has("main pre", "/api/packages/wim/generic/")
	a.as("wim").get("/ACME?q=sec").at("/acme?q=sec").want(200)
}

func TestPackagePage(t *testing.T) {
	a := withPackages(t)
	b := a.as("")
	doc := b.get("/acme/generic/app").want(200).
		has("h1", "app").has("h1 .chip", "1.1.0").
		has("nav[aria-label=Package] a", "Versions 3").
		has("[aria-label=Facts]", "Downloads").
		has("main pre", a.URL+"/api/packages/acme/generic/app/1.1.0/app.tar.gz").
		has("main .rows", "app.tar.gz")
	doc.has("main dd", "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3") // of "two"
	if doc.Find("main pre:contains('TOKEN')").Length() > 0 {
		t.Error("a visitor who may not publish is told how to")
	}
	link := doc.attr("main a[download]", "href")
	if res := b.get(strings.TrimPrefix(link, a.URL)); res.status != 200 || res.text != "two" {
		t.Errorf("the download answered %d, %q", res.status, res.text)
	}
	b.get("/acme/generic/app/v/1.0.0").want(200).has("h1 .chip", "1.0.0").has("main", "The latest is 1.1.0")
	a.as("wim").get("/acme/generic/app").want(200).has("main summary", "Publish")
}

func TestAddressesOfGiteaAndOtherSpellings(t *testing.T) {
	a := withPackages(t)
	b := a.as("")
	for path, want := range map[string]string{
		"/acme/-/packages/generic/app/1.0.0":  "/acme/generic/app/v/1.0.0",
		"/acme/-/packages/generic/app":        "/acme/generic/app",
		"/acme/-/packages":                    "/acme",
		"/Acme/generic/app?tab=files":         "/acme/generic/app?tab=files",
		"/acme/generic/app/":                  "/acme/generic/app",
		"/acme/generic/%61pp/versions?after=": "/acme/generic/app/versions?after=",
	} {
		b.get(path).want(200).at(want)
	}
}

func TestVersionsPage(t *testing.T) {
	a := withPackages(t)
	a.as("").get("/acme/generic/app/versions").want(200).
		has("tbody tr:nth-child(1)", "2.0.0-rc.1").has("tbody tr:nth-child(1)", "pre-release").
		has("tbody tr:nth-child(2)", "1.1.0 latest").
		has("tbody tr:nth-child(2)", "by wim").
		hasNot("a[href$='/delete']")
	a.as("wim").get("/acme/generic/app/versions").want(200).has("tbody", "1.0.0")
	if n := a.as("wim").get("/acme/generic/app/versions").Find("a[href$='/delete']").Length(); n != 3 {
		t.Errorf("%d versions can be deleted, want 3", n)
	}
}

func TestErrorPages(t *testing.T) {
	a := newApp(t)
	b := a.as("")
	missing := b.get("/no/such/page").want(404).has("h1", "There is no such page").has("main a", "Sign in")
	if id := missing.header.Get("X-Request-Id"); id == "" || missing.Find("main code").Text() != id {
		t.Errorf("the page does not name the request %q", id)
	}
	b.do(http.MethodDelete, "/acme", nil).want(405)
	b.post("/acme").want(405)
	b.header.Set("Sec-Fetch-Site", "cross-site")
	b.post("/sign-in", "login", "ann", "password", servertest.Password).want(403).has("h1", "This form came from another site")
	b.header.Del("Sec-Fetch-Site")
	b.get("/settings/tokens").want(200).at("/sign-in?return_to=%2Fsettings%2Ftokens")
	b.post("/settings/tokens", "action", "create").want(401)
}

func TestServerThatAsksEverybodyToSignIn(t *testing.T) {
	a := withPackages(t, func(c *server.Config) { c.Auth.AnonymousRead = false })
	b := a.as("")
	b.get("/acme/generic/app").want(200).at("/sign-in?return_to=%2Facme%2Fgeneric%2Fapp")
	b.get("/settings/appearance").want(200)
	b.post("/sign-in", "login", "out", "password", servertest.Password, "return_to", "/acme/generic/app").want(200).at("/acme/generic/app")
}

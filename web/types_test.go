package web_test

import (
	"strings"
	"testing"

	"entrepot/access"
)

const buttonReadme = "# Button\n\nFor **every** product. <script>alert(1)</script>\n\n[docs](https://docs.example/x) " +
	"![shot](https://img.example/shot.png)\n"

func TestNpmPackage(t *testing.T) {
	a := newApp(t)
	a.publishNpm("wim", "acme", "@acme/tokens", "2.1.0", "latest", map[string]any{"description": "Colours"}, "")
	a.publishNpm("wim", "acme", "@acme/button", "1.0.0", "latest", map[string]any{"deprecated": "Too old"}, buttonReadme)
	a.publishNpm("wim", "acme", "@acme/button", "1.1.0", "latest", map[string]any{
		"description": "Buttons", "license": "MIT", "keywords": []string{"button", "a b"}, "homepage": "https://design.example/button",
		"dependencies": map[string]string{"@acme/tokens": "^2.0.0", "clsx": "^2.0.0"}, "peerDependencies": map[string]string{"react": ">=18"},
	}, buttonReadme)
	a.publishNpm("wim", "acme", "@acme/button", "2.0.0-beta.1", "next", nil, buttonReadme)
	b := a.as("")

	page := "/acme/npm/@acme/button"
	doc := b.get(page).want(200).has("h1", "@acme/button").has("h1 .chip", "1.1.0").
		has("article h1", "Button").has("article strong", "every").hasNot("article script").
		has("main summary", "Install").has("main pre", "npm install @acme/button@1.1.0").
		has("main pre", "@acme:registry="+a.URL+"/api/packages/acme/npm/").
		has("[aria-label=Facts]", "Licence MIT").has("[aria-label=Facts]", "design.example/button")
	if got := doc.attr("article a[href*='docs.example']", "rel"); !strings.Contains(got, "nofollow") {
		t.Errorf("rel %q on a link of the readme", got)
	}
	if got := doc.attr("[aria-label=Facts] a[href*='q=a']", "href"); got != "/search?q=a+b" {
		t.Errorf("a keyword leads to %q", got)
	}
	doc.has("article img", "")
	if csp := doc.header.Get("Content-Security-Policy"); !strings.Contains(csp, "img-src 'self' data: https:") {
		t.Errorf("the readme's image would not load: %q", csp)
	}

	doc.has("main a", "With a token").hasNot("main pre:contains(_authToken)")
	b.get(doc.attr("main a[href*='token=1']", "href")).want(200).has("main a", "Without a token").has("main pre", "_authToken=TOKEN")

	deps := b.get(page+"?tab=dependencies").want(200).has("main section h2", "dependencies 2").has("main section h2", "peerDependencies 1").
		has("main .rows li", "@acme/tokens ^2.0.0").has("main .rows li", "clsx external ^2.0.0")
	if got := deps.attr("main .rows li a", "href"); got != "/acme/npm/@acme/tokens" {
		t.Errorf("our own dependency leads to %q", got)
	}
	b.get(page+"?tab=tags").want(200).has("tbody tr", "next 2.0.0-beta.1").has("tbody tr", "latest 1.1.0")
	b.get(page+"?tab=files").want(200).has("main .rows li", "button-1.1.0.tgz").has("main dt", "SHA-512")
	b.get(page+"/v/1.0.0").want(200).has("[role=status]", "Too old").has("h1", "Deprecated")
	b.get(page+"/v/next").want(200).has("h1 .chip", "2.0.0-beta.1").has("main", "The latest is 1.1.0")
	b.get(page+"/versions").want(200).has("tbody tr", "1.0.0 deprecated Too old").has("tbody tr", "2.0.0-beta.1 next pre-release")
	b.get("/acme/npm").want(200).has(".rows li", "@acme/tokens 2.1.0 just now Colours")
	b.get("/acme/-/packages/npm/@acme%2Fbutton/1.0.0").want(200).at("/acme/npm/@acme/button/v/1.0.0")
}

// The host of an image in the readme of a private package must not learn that somebody reads it.
func TestPrivateReadmeLoadsNothing(t *testing.T) {
	a := newApp(t)
	a.Organization(t, "hidden", access.Private)
	a.publishNpm("wim", "hidden", "button", "1.0.0", "latest", nil, buttonReadme)
	doc := a.as("rea").get("/hidden/npm/button").want(200).has("article a", "shot").hasNot("article img")
	if csp := doc.header.Get("Content-Security-Policy"); !strings.Contains(csp, "img-src 'self' data:;") {
		t.Errorf("Content-Security-Policy %q", csp)
	}
	doc.has("main pre", "TOKEN")
}

func TestContainerImage(t *testing.T) {
	a := newApp(t)
	amd64 := a.pushImage("wim", "acme/platform/gateway", "1.2.0", "latest")
	b := a.as("")
	page := "/acme/container/platform/gateway"
	b.get(page).want(200).has("h1", "platform/gateway").has("h1 .chip", "1.2.0").
		has("[aria-current=page]", "Tags 2").
		has("tbody tr", "latest").has("main summary", "Pull").has("main pre", "docker pull").
		has("[aria-label=Facts]", "Multi-platform image")
	doc := b.get(page+"?tab=platforms").want(200).has("tbody tr", "linux/amd64").has("tbody tr", "linux/arm64")
	if got := doc.attr("tbody tr:contains('amd64') a", "href"); got != page+"/v/"+amd64 {
		t.Errorf("a platform leads to %q", got)
	}
	b.get(page+"/v/1.2.0").want(200).has("h1 .chip", "1.2.0")
	b.get(page+"/v/latest?tab=platforms").want(200).has("h1 .chip", "latest")
	b.get(page+"/v/"+amd64+"?tab=layers").want(200).
		has("main ol li", "1 COPY gateway /usr/local/bin/").has("main ol li", `2 ENTRYPOINT ["gateway"]`).
		has("[aria-label=Facts]", "linux/amd64")
	b.get(page+"/v/"+amd64).want(200).has("h1 .chip", amd64[:11])
	b.get("/acme").want(200).has(".rows li", "platform/gateway 1.2.0 just now Edge gateway")

	deletion := page + "/v/1.2.0/delete"
	w := a.as("wim")
	confirm := w.get(deletion).want(200).attr("#confirm", "data-confirm")
	w.post(deletion, "confirm", confirm).want(200).at(page + "/versions")
	b.get(page + "/v/1.2.0").want(404)
}

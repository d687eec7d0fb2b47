package web_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const ociManifest = "application/vnd.oci.image.manifest.v1+json"

// pushArtifact pushes a manifest whose only blob is its configuration and
// returns its digest.
func (a *app) pushArtifact(login, repo, ref, extra string) string {
	a.t.Helper()
	config := "{}"
	a.Want(a.t, http.StatusCreated, login, http.MethodPost, "/v2/"+repo+"/blobs/uploads/?digest="+digestOf(config), config)
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":%q,"size":2},"layers":[]%s}`,
		ociManifest, digestOf(config), extra)
	if ref == "" {
		ref = digestOf(manifest)
	}
	a.Want(a.t, http.StatusCreated, login, http.MethodPut, "/v2/"+repo+"/manifests/"+ref, manifest, "Content-Type", ociManifest)
	return digestOf(manifest)
}

func digestOf(content string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(content))) }

func TestTagHistoryAndReferrers(t *testing.T) {
	a := newApp(t)
	old := a.pushArtifact("wim", "acme/app", "edge", `,"annotations":{"n":"1"}`)
	image := a.pushArtifact("ann", "acme/app", "edge", `,"annotations":{"n":"2"}`)
	about := fmt.Sprintf(`,"artifactType":"application/spdx+json","subject":{"mediaType":%q,"digest":%q,"size":2}`, ociManifest, image)
	sbom := a.pushArtifact("wim", "acme/app", "", about)
	signature := a.pushArtifact("wim", "acme/app", strings.Replace(image, ":", "-", 1)+".sig", `,"annotations":{"n":"3"}`)
	b := a.browser()

	page := "/acme/container/app/v/" + image
	b.get(page).want(200).has("nav[aria-label=Package] a", "Referrers").has("nav[aria-label=Package] a", "History")
	d := b.get(page+"?tab=referrers").want(200).has("td", "SBOM").has("td", "Signature").has("td", "application/spdx+json")
	for _, v := range []string{sbom, signature} {
		if d.Find("td a[href='/acme/container/app/v/"+v+"']").Length() != 1 {
			t.Errorf("no link to %s", v)
		}
	}
	d = b.get(page + "?tab=history").want(200)
	if n := d.Find("ul.rows > li").Length(); n != 3 {
		t.Errorf("%d moves, want 3", n)
	}
	d.has("li", "edge").has("li a", "ann").has("li a", "wim")
	if d.Find("li a[title='"+old+"']").Length() != 2 {
		t.Error("the old image is not named where the tag came from, and where it began")
	}
	// What nothing refers to has no such tab, and says so when it is asked.
	other := "/acme/container/app/v/" + old
	if text := b.get(other).want(200).Find("nav[aria-label=Package]").Text(); strings.Contains(text, "Referrers") {
		t.Errorf("tabs %q", text)
	}
	b.get(other+"?tab=referrers").want(200).has("main", "Nothing refers to this version")
}

// TestTabsArePaged reads long lists to their end: every row is on one page.
func TestTabsArePaged(t *testing.T) {
	a := newApp(t)
	const n = 55 // a page and a bit
	image := a.pushArtifact("wim", "acme/app", "", "")
	for i := range n {
		a.Want(t, http.StatusCreated, "wim", http.MethodPut, fmt.Sprintf("/api/packages/acme/generic/tool/1.0/f%02d", i), "x")
		about := fmt.Sprintf(`,"artifactType":"application/x","annotations":{"n":"%d"},"subject":{"mediaType":%q,"digest":%q,"size":2}`, i, ociManifest, image)
		a.pushArtifact("wim", "acme/app", fmt.Sprintf("t%02d", i), about)
	}
	for _, tt := range []struct {
		path, row string
		back      string // the page before the second
	}{
		{"/acme/generic/tool", "ul.rows > li", "before"},
		{"/acme/container/app/v/" + image + "?tab=referrers", "table.sheet tbody > tr", "?tab=referrers"},
		{"/acme/container/app?tab=history", "ul.rows > li", "?tab=history"},
		{"/acme/container/app?tab=tags", "table.sheet tbody > tr", "before"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			b := a.browser()
			first := b.get(tt.path).want(200).has("nav[aria-label=Pages]", fmt.Sprintf("50 of %d", n))
			if rows := first.Find(tt.row).Length(); rows != 50 {
				t.Fatalf("%d rows on the first page", rows)
			}
			second := b.get(first.attr("a[rel=next]", "href")).want(200)
			if rows := second.Find(tt.row).Length(); rows != n-50 {
				t.Fatalf("%d rows on the second page", rows)
			}
			if second.Find("a[rel=next]").Length() != 0 {
				t.Error("there is a third page")
			}
			back := second.attr("a[rel=prev]", "href")
			if !strings.Contains(back, tt.back) {
				t.Errorf("the way back is %s", back)
			}
			if again := b.get(back).want(200); again.Find(tt.row).First().Text() != first.Find(tt.row).First().Text() {
				t.Error("the way back leads to another page")
			}
		})
	}
}

func TestCopyVersion(t *testing.T) {
	a := newApp(t)
	image := a.pushArtifact("wim", "acme/app", "1.0", "")
	a.pushArtifact("wim", "acme/app", "", fmt.Sprintf(`,"artifactType":"application/spdx+json","subject":{"mediaType":%q,"digest":%q,"size":2}`, ociManifest, image))
	page := "/acme/container/app/v/" + image
	form := page + "/copy"
	if n := a.browser().get(page).want(200).Find("a[href='" + form + "']").Length(); n != 0 {
		t.Error("a visitor is offered the form")
	}
	a.browser().get(form).want(200).has("h1", "Sign in")
	// Who reads may copy to himself, and not back.
	b := a.as("rea")
	b.get(page).want(200).has("a[href='"+form+"']", "Copy to…")
	d := b.get(form).want(200).has("h1", "Copy sha256:").has("label", "Signatures, SBOMs and attestations").has("option", "rea")
	if text := d.Find("select").Text(); strings.Contains(text, "acme") {
		t.Errorf("owners %q: acme is not for readers to publish to", text)
	}
	b.post(form, "owner", "acme", "package", "app", "tags", "").want(403)
	b.post(form, "owner", "rea", "package", "NO", "tags", "1").want(422).has("p#package-error", "cannot be the name of an image")
	b.post(form, "owner", "rea", "package", "mine", "tags", "-x").want(422).has("p#tags-error", "is not a tag")
	b.post(form, "owner", "rea", "package", "mine", "tags", "1, stable", "referrers", "yes").want(200).
		at("/rea/container/mine/v/"+image).has("nav[aria-label=Package] a", "Referrers").has("main", "stable")
	b.post(form, "owner", "rea", "package", "bare", "tags", "1").want(200).at("/rea/container/bare/v/" + image)
	if text := b.get("/rea/container/bare").want(200).Find("nav[aria-label=Package]").Text(); strings.Contains(text, "Referrers") {
		t.Errorf("referrers were not to come along: %q", text)
	}
	// Types whose versions are not copied have no such page.
	a.Want(t, 201, "wim", "PUT", "/api/packages/acme/generic/tool/1.0/f.txt", "x")
	b.get("/acme/generic/tool/v/1.0/copy").want(404)
}

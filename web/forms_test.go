package web_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/server"
	"entrepot/server/servertest"
)

func TestSignInAndOut(t *testing.T) {
	a := newApp(t)
	b := a.as("")
	b.post("/sign-in", "login", "ann", "password", "wrong").want(401).has("[role=alert]", "rong user name or password").
		has("label", "Password")
	if value := b.post("/sign-in", "login", "ann", "password", "wrong").attr("input[name=login]", "value"); value != "ann" {
		t.Errorf("the login is to be typed again: %q", value)
	}
	b.post("/sign-in", "login", "ANN@example.com", "password", servertest.Password, "return_to", "/acme").want(200).at("/acme").
		has("summary[aria-label]", "A")
	b.get("/sign-in?return_to=/acme").at("/acme")
	b.post("/sign-out").want(200).at("/").has("a", "Sign in")
	b.get("/settings/profile").at("/sign-in?return_to=%2Fsettings%2Fprofile")
}

// A link to the sign-in page must not lead people to another site afterwards.
func TestReturnToStaysHere(t *testing.T) {
	a := newApp(t)
	for _, elsewhere := range []string{"https://evil.example/", "//evil.example/", `/\evil.example`, "javascript:alert(1)", "", "/\t/evil.example"} {
		b := a.as("")
		b.post("/sign-in", "login", "ann", "password", servertest.Password, "return_to", elsewhere).want(200).at("/")
	}
}

func TestFirstAdministrator(t *testing.T) {
	ctx := access.SystemContext(t.Context())
	c := server.DefaultConfig()
	c.Data = t.TempDir()
	c.Database.Fast = true
	srv, err := server.New(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(srv.Handler())
	t.Cleanup(func() {
		web.Close()
		if err := srv.Close(access.SystemContext(t.Context())); err != nil {
			t.Error(err)
		}
	})
	a := &app{Server: &servertest.Server{Server: srv, URL: web.URL}, t: t}
	token, err := srv.Auth().NewSetupToken(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b := a.as("")
	b.get("/sign-in").want(200).has("main", "There is no account yet")
	b.get("/setup/wrong").want(404)
	b.get("/setup/"+token).want(200).has("h1", "Welcome to Entrepot")
	b.post("/setup/"+token, "login", "no spaces", "email", "root@example.com", "password", servertest.Password).want(422).
		has("#login-error", "cannot be a user name")
	b.post("/setup/"+token, "login", "root", "email", "root", "password", servertest.Password).want(422).has("#email-error", "not an e-mail address")
	b.post("/setup/"+token, "login", "root", "email", "root@example.com", "password", "short").want(422).has("#password-error", "at least 8")
	b.post("/setup/"+token, "login", "root", "email", "root@example.com", "password", servertest.Password).want(200).at("/").
		has("main h2", "Publish your first package")
	b.get("/setup/" + token).want(404)
	a.as("").post("/setup/"+token, "login", "other", "email", "other@example.com", "password", servertest.Password).want(404)
}

var secretForm = regexp.MustCompile(`ent-[0-9A-Za-z]+`)

func TestTokens(t *testing.T) {
	a := newApp(t)
	b := a.as("wim")
	b.post("/settings/tokens", "action", "create", "name", "laptop", "expires", "30").want(422).has("fieldset", "scope")
	b.post("/settings/tokens", "action", "create", "name", "laptop", "expires", "forever", "scope", "read:package").want(422)
	doc := b.post("/settings/tokens", "action", "create", "name", "laptop", "expires", "30", "scope", "read:package", "scope", "write:package").
		want(200).has("[role=status]", "Token laptop created")
	secret := secretForm.FindString(doc.Find("#secret").Text())
	if secret == "" || doc.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("secret %q, Cache-Control %q", secret, doc.header.Get("Cache-Control"))
	}
	list := b.get("/settings/tokens").want(200).has(".rows li", "laptop read:package write:package").has(".rows li", "never used")
	if strings.Contains(list.text, secret) {
		t.Error("the secret is shown again")
	}
	put := func(want int) {
		t.Helper()
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, a.URL+"/api/packages/wim/generic/p/"+http.StatusText(want)[:2]+"/f", strings.NewReader("x"))
		req.SetBasicAuth("wim", secret)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("publishing with the token answered %d, want %d", res.StatusCode, want)
		}
	}
	put(http.StatusCreated)
	id := list.attr(".rows li:contains('laptop') input[name=id]", "value")
	a.as("rea").post("/settings/tokens", "action", "revoke", "id", id, "name", "laptop").want(404)
	b.post("/settings/tokens", "action", "revoke", "id", id, "name", "laptop").want(200).has("[role=status]", "Token laptop revoked")
	put(http.StatusUnauthorized)
	b.get("/settings/tokens").hasNot("[value=admin\\:site]")
	a.as("root").get("/settings/tokens").has("label", "Administer the site")
}

func TestProfileAndPassword(t *testing.T) {
	a := newApp(t)
	b := a.as("rea")
	b.post("/settings/profile", "action", "profile", "name", "Rea Reed", "email", "nothing").want(422).has("#email-error", "not an e-mail address")
	b.post("/settings/profile", "action", "profile", "name", "Rea Reed", "email", "rea.reed@example.com").want(200).
		has("[role=status]", "Profile saved").has("details", "Rea Reed")
	other := a.as("rea")
	b.post("/settings/profile", "action", "password", "current", "wrong", "new", "another long one").want(422).has("#current-error", "wrong")
	b.post("/settings/profile", "action", "password", "current", servertest.Password, "new", "short").want(422).has("#new-error", "at least 8")
	b.post("/settings/profile", "action", "password", "current", servertest.Password, "new", "another long one").want(200).
		has("[role=status]", "Password changed")
	b.get("/settings/profile").want(200).at("/settings/profile")
	other.get("/settings/profile").at("/sign-in?return_to=%2Fsettings%2Fprofile")
	a.as("").post("/sign-in", "login", "rea", "password", "another long one").want(200).at("/")
}

func TestTheme(t *testing.T) {
	a := newApp(t)
	b := a.as("")
	b.get("/").hasNot("html[data-theme]")
	doc := b.post("/settings/appearance", "theme", "dark", "return_to", "/search").want(200).at("/search")
	if got := doc.attr("html", "data-theme"); got != "dark" {
		t.Errorf("theme %q", got)
	}
	doc.has("footer", "Entrepot")
	if doc.attr("footer button[value=dark]", "aria-pressed") != "true" {
		t.Error("the switch does not show the theme")
	}
	b.post("/settings/appearance", "theme", "pink", "return_to", "/").want(200).hasNot("html[data-theme]")
}

func TestOrganizationAndMembers(t *testing.T) {
	a := newApp(t)
	b := a.as("out")
	b.post("/orgs/new", "name", "acme", "displayName", "", "visibility", "PUBLIC").want(409).has("#name-error", "taken")
	b.post("/orgs/new", "name", "a b", "displayName", "", "visibility", "PUBLIC").want(422).has("#name-error", "name")
	b.post("/orgs/new", "name", "harbour", "displayName", "Harbour Labs", "visibility", "PRIVATE").want(200).at("/harbour").
		has("h1", "Harbour Labs harbour").has("h1", "Private").has("[aria-labelledby=members] li", "out Owner")
	a.as("rea").get("/harbour").want(404)

	members := "/harbour/settings/members"
	b.post(members, "action", "add", "login", "nobody", "role", "READER").want(404).has("#login-error", "nobody")
	b.post(members, "action", "add", "login", "rea", "role", "READER").want(200).has("[role=status]", "rea is now reader").has(".rows", "rea")
	a.as("rea").get("/harbour").want(200).hasNot("a[href='/harbour/upload']")
	b.post(members, "action", "role", "login", "rea", "role", "WRITER").want(200)
	a.as("rea").get("/harbour").want(200).has("a[href='/harbour/upload']", "Upload")
	a.as("rea").post(members, "action", "remove", "login", "out").want(403)
	b.post(members, "action", "remove", "login", "rea").want(200).has("[role=status]", "no longer a member")
	a.as("rea").get("/harbour").want(404)
	b.post(members, "action", "remove", "login", "out").want(409).has("[role=alert]", "owner")

	general := "/harbour/settings/general"
	b.post(general, "action", "general", "displayName", "Harbour", "description", "Boats", "visibility", "PUBLIC").want(200).
		has("[role=status]", "Settings saved").has("header", "Boats")
	a.as("").get("/harbour").want(200).has("h1", "Harbour")
	b.post(general, "action", "delete", "confirm", "harbor").want(422).has("#confirm-error", "not the name")
	b.post(general, "action", "delete", "confirm", "harbour").want(200).at("/")
	a.as("out").get("/harbour").want(404)
}

func TestDeleteVersion(t *testing.T) {
	a := withPackages(t)
	b := a.as("wim")
	form := "/acme/generic/app/v/1.0.0/delete"
	b.get(form).want(200).has("main", "1 file with 3 B can no longer be downloaded").has("button", "Delete version 1.0.0")
	b.post(form, "confirm", "1.0").want(422).has("#confirm-error", "Type 1.0.0")
	a.as("rea").post(form, "confirm", "1.0.0").want(403)
	b.get("/acme/generic/app/v/1.0.0").want(200)
	b.post(form, "confirm", "1.0.0").want(200).at("/acme/generic/app/versions").has("[role=status]", "Version 1.0.0 is deleted")
	b.get("/acme/generic/app/v/1.0.0").want(404)
	b.post("/acme/generic/secret/v/1/delete", "confirm", "1").want(200).at("/acme").has("[role=status]", "Version 1 is deleted")
	b.get("/acme/generic/secret").want(404)
}

func TestPackageSettings(t *testing.T) {
	a := withPackages(t)
	settings := "/acme/generic/app/settings"
	a.as("rea").post(settings, "action", "visibility", "visibility", "PRIVATE").want(403)
	a.as("").post(settings, "action", "delete", "confirm", "app").want(403)
	b := a.as("wim")
	b.post(settings, "action", "visibility", "visibility", "PRIVATE").want(200).has("[role=status]", "Visibility saved").has("h1", "Private")
	a.as("").get("/acme/generic/app").want(404)
	b.post(settings, "action", "visibility", "visibility", "INHERIT").want(200)
	a.as("").get("/acme/generic/app").want(200)
	b.post(settings, "action", "visibility", "visibility", "WRONG").want(422)
	b.post(settings, "action", "delete", "confirm", "ap").want(422).has("#confirm-error", "Type app")
	b.post(settings, "action", "delete", "confirm", "app").want(200).at("/acme").has("[role=status]", "Package app is deleted")
	a.as("").get("/acme/generic/app").want(404)
}

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestJourney is the first quarter of an hour of a new installation, in the
// browser and, where a browser cannot, with npm: make the first administrator,
// sign in, create an organization and a token, publish with that token, find
// the package, copy its install line and run it, delete a version.
func TestJourney(t *testing.T) {
	for _, c := range []struct {
		setup    Setup
		viewport Viewport
	}{
		{setups[0], Desktop},
		{setups[1], Viewport{Name: "phone, dark", Width: Phone.Width, Height: Phone.Height, Dark: true}},
	} {
		t.Run(c.setup.Name+" "+c.viewport.Name, func(t *testing.T) {
			s := startWithoutAccounts(t, c.setup)
			log, err := s.Log()
			if err != nil {
				t.Fatal(err)
			}
			b := journey{t: t, ctx: StartBrowser(t, c.viewport), s: s}

			b.goTo(setupLink.FindString(log))
			b.fill("login", "ada")
			b.fill("email", "ada@example.com")
			b.fill("password", "correct horse battery")
			b.press("Create administrator")

			b.signOutAndIn("ada", "correct horse battery")

			b.goTo(s.URL + "/orgs/new")
			b.fill("name", "acme")
			b.press("Create organization")
			b.expect("h1", "acme")

			b.goTo(s.URL + "/settings/tokens")
			b.fill("name", "laptop")
			b.check("write:package")
			b.press("Create token")
			token := b.text("#secret")
			if !strings.HasPrefix(token, "ent-") {
				t.Fatalf("the token shown is %q", token)
			}

			publishWithNpm(t, s, "acme", token, "1.0.0")
			publishWithNpm(t, s, "acme", token, "1.1.0")

			b.goTo(s.URL + "/settings/profile")
			b.search("greeter")
			b.follow("@acme/greeter")
			b.expect("h1", "@acme/greeter")
			b.expect("h1", "1.1.0")
			b.expect("article", "Says good morning")
			installAsCopied(t, s, b.copied("Copy for npm"))

			b.goTo(s.URL + "/acme/npm/@acme/greeter/v/1.0.0/delete")
			b.fillFirst("main form input:not([type=hidden])", "1.0.0")
			b.press("Delete version 1.0.0")
			b.goTo(s.URL + "/acme/npm/@acme/greeter/versions")
			b.expect("main", "1.1.0")
			if list := b.text("main"); strings.Contains(list, "1.0.0") {
				t.Errorf("the deleted version is still listed:\n%s", list)
			}
			if _, err := s.Want(t.Context(), 404, Call{Method: "GET", URL: npmPath("acme", "@acme/greeter") + "/-/greeter-1.0.0.tgz"}); err != nil {
				t.Error(err)
			}
		})
	}
}

// journey is a browser with the words a user would use for what to do next.
// Each fails the test when it cannot be done.
type journey struct {
	t   *testing.T
	ctx context.Context
	s   *Server
}

// patience is how long one step may take.
const patience = 20 * time.Second

func (b journey) run(what string, actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.fail(what, err)
	}
}

// arrive does what leads to another page and waits for it.
func (b journey) arrive(what string, actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, actions...)
	if err == nil && response.Status != http.StatusOK {
		err = fmt.Errorf("status %d", response.Status)
	}
	if err != nil {
		b.fail(what, err)
	}
}

// fail ends the test with what the user would have seen.
func (b journey) fail(what string, err error) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	var url, text string
	// Best effort: the browser may be what is broken.
	_ = chromedp.Run(ctx, chromedp.Location(&url), chromedp.Text("body", &text, chromedp.ByQuery))
	b.t.Fatalf("%s: %v\nat %s:\n%s", what, err, url, text)
}

func (b journey) goTo(url string) {
	b.t.Helper()
	b.arrive("open "+url, chromedp.Navigate(url))
}

// fill types into the field of that name, which holds nothing yet.
func (b journey) fill(name, text string) {
	b.t.Helper()
	b.fillFirst("main [name="+name+"]", text)
}

func (b journey) fillFirst(selector, text string) {
	b.t.Helper()
	b.run("fill in "+selector, chromedp.SendKeys(selector, text, chromedp.ByQuery, chromedp.NodeVisible))
}

// check ticks the box with that value, if it is not ticked.
func (b journey) check(value string) {
	b.t.Helper()
	selector := `main input[type=checkbox][value="` + value + `"]`
	var checked bool
	b.run("look at "+value, chromedp.JavascriptAttribute(selector, "checked", &checked, chromedp.ByQuery))
	if !checked {
		b.run("tick "+value, chromedp.Click(selector, chromedp.ByQuery))
	}
}

// press clicks the button with that label and waits for the page it leads to.
func (b journey) press(label string) {
	b.t.Helper()
	b.leave("press "+label, `//main//button[normalize-space()="`+label+`"]`)
}

// follow clicks the link with the words in its text.
func (b journey) follow(words string) {
	b.t.Helper()
	b.leave("follow "+words, `//main//a[contains(normalize-space(), "`+words+`")]`)
}

func (b journey) leave(what, xpath string) {
	b.t.Helper()
	b.arrive(what, chromedp.Click(xpath, chromedp.BySearch, chromedp.NodeVisible))
}

func (b journey) text(selector string) string {
	b.t.Helper()
	var text string
	b.run("read "+selector, chromedp.Text(selector, &text, chromedp.ByQuery))
	return strings.TrimSpace(text)
}

func (b journey) expect(selector, text string) {
	b.t.Helper()
	if got := b.text(selector); !strings.Contains(got, text) {
		b.t.Fatalf("%s shows %q, want %q in it", selector, got, text)
	}
}

// search goes to the search field by the "/" key, types and presses enter.
func (b journey) search(words string) {
	b.t.Helper()
	b.run("go to the search field", chromedp.KeyEvent("/"), chromedp.WaitVisible("input[type=search]:focus", chromedp.ByQuery))
	b.arrive("search", chromedp.KeyEvent(words), chromedp.KeyEvent(kb.Enter))
}

// signOutAndIn forgets the session, as another browser would not have it, and signs in by the form.
func (b journey) signOutAndIn(login, password string) {
	b.t.Helper()
	b.run("sign out", clearCookies)
	b.goTo(b.s.URL + "/sign-in")
	b.fill("login", login)
	b.fill("password", password)
	b.press("Sign in")
}

// copied presses a copy button and returns what is on the clipboard then.
func (b journey) copied(label string) string {
	b.t.Helper()
	var text string
	b.run("copy",
		browser.GrantPermissions([]browser.PermissionType{browser.PermissionTypeClipboardReadWrite, browser.PermissionTypeClipboardSanitizedWrite}).WithOrigin(b.s.URL),
		chromedp.Click(`button[aria-label="`+label+`"]`, chromedp.ByQuery, chromedp.NodeVisible),
		chromedp.Evaluate(`navigator.clipboard.readText()`, &text, awaitPromise),
	)
	return text
}

// npmHome makes an empty home for npm with nothing but settings, one a line.
func npmHome(t *testing.T, settings ...string) (env []string) {
	t.Helper()
	home := t.TempDir()
	config := "audit=false\nfund=false\nupdate-notifier=false\n" + strings.Join(settings, "\n") + "\n"
	if err := os.WriteFile(filepath.Join(home, ".npmrc"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}
}

// publishWithNpm publishes @owner/greeter with npm and a token.
func publishWithNpm(t *testing.T, s *Server, owner, token, version string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"package.json": `{"name": "@` + owner + `/greeter", "version": "` + version + `", "description": "A friendly greeter", "license": "MIT"}`,
		"README.md":    "# Greeter\n\nSays good morning.\n",
		"index.js":     "module.exports = 'good morning'\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	registry := s.Host + "/api/packages/" + owner + "/npm/"
	npm := exec.CommandContext(t.Context(), "npm", "publish")
	npm.Dir = dir
	npm.Env = npmHome(t, "@"+owner+":registry=http://"+registry, "//"+registry+":_authToken="+token)
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm publish: %v\n%s", err, out)
	}
}

// installAsCopied does what a user does with the lines from the page: paste
// them into a shell, and use what they installed.
func installAsCopied(t *testing.T, s *Server, lines string) {
	t.Helper()
	shell := exec.CommandContext(t.Context(), "bash", "-euc", lines+"\nnode -p 'require(\"@acme/greeter\")'")
	shell.Dir = t.TempDir()
	shell.Env = npmHome(t, "@acme:registry="+s.URL+"/api/packages/acme/npm/")
	out, err := shell.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "good morning") {
		t.Fatalf("pasted %q: %v\n%s", lines, err, out)
	}
}

var clearCookies = chromedp.ActionFunc(func(ctx context.Context) error { return storage.ClearCookies().Do(ctx) })

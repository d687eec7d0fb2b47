//go:build e2e

package e2e

import "testing"

// TestCleanupPage writes a cleanup rule in the browser, looks at what it would
// do, changes it, lets it run and deletes it.
func TestCleanupPage(t *testing.T) {
	s := startWithoutAccounts(t, setups[0])
	log, err := s.Log()
	if err != nil {
		t.Fatal(err)
	}
	b := journey{t: t, ctx: StartBrowser(t, Desktop), s: s}
	b.goTo(setupLink.FindString(log))
	b.fill("login", "ada")
	b.fill("email", "ada@example.com")
	b.fill("password", "correct horse battery")
	b.press("Create administrator")
	b.goTo(s.URL + "/settings/tokens")
	b.fill("name", "laptop")
	b.check("write:package")
	b.press("Create token")
	token := b.text("#secret")
	for _, version := range []string{"1.0.0", "1.1.0", "1.2.0"} {
		publishWithNpm(t, s, "ada", token, version)
	}

	b.goTo(s.URL + "/ada/settings/cleanup")
	b.expect("main", "No rules yet")
	b.fillFirst(`main [name="spec.select.types"]`, "npm")
	b.press("Preview")
	b.expect("#preview", "0 items would go")
	b.expect("main", "@ada/greeter 1.0.0")
	b.expect("main", "it is among the newest 10 by version")

	b.fill("name", "few")
	b.press("Create rule")
	b.expect("main", "Rule few saved")
	b.expect("main", "Of npm, keeps the newest 10 and removes the rest.")
	b.follow("Edit")
	b.fillFirst(`main [name="spec.keep.publishedWithin"]`, "30")
	b.press("Save rule")
	b.expect("main", "keeps the newest 10, what was published within 30 days and removes the rest.")
	b.press("Run all now")
	b.expect("main", "0 items removed, 0 B freed")
	b.press("Delete")
	b.expect("main", "No rules yet")
}

//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var setupLink = regexp.MustCompile(`http://127\.0\.0\.1:\d+/setup/\S+`)

// The first start prints where the server is and a link that makes the first
// administrator. Once there is one it prints no other, and the old link is dead.
func TestFirstStart(t *testing.T) {
	for _, setup := range setups {
		t.Run(setup.Name, func(t *testing.T) {
			s := startWithoutAccounts(t, setup)
			log, err := s.Log()
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(log, s.URL) {
				t.Errorf("the URL %s is not printed:\n%s", s.URL, log)
			}
			link := setupLink.FindString(log)
			if link == "" {
				t.Fatalf("no set-up link is printed:\n%s", log)
			}
			page, err := s.Want(t.Context(), http.StatusOK, Call{Method: "GET", URL: link})
			if err != nil {
				t.Fatal(err)
			}
			if kind := page.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/html") {
				t.Errorf("the set-up link leads to %s, want a page", kind)
			}
			if page, err = s.Do(t.Context(), Call{Method: "GET", URL: "/setup/guessed"}); err != nil || page.Status < 400 {
				t.Errorf("a guessed set-up link: %s, %v; want a refusal", page, err)
			}

			if _, err := s.CreateUser(t.Context(), "warden", "--admin"); err != nil {
				t.Fatal(err)
			}
			if page, err = s.Do(t.Context(), Call{Method: "GET", URL: link}); err != nil || page.Status == http.StatusOK {
				t.Errorf("the set-up link with an administrator present: %s, %v; want a refusal", page, err)
			}
			if err := s.Restart(); err != nil {
				t.Fatal(err)
			}
			if log, err = s.Log(); err != nil {
				t.Fatal(err)
			}
			if links := setupLink.FindAllString(log, -1); len(links) != 1 {
				t.Errorf("%d set-up links printed in two starts, want 1", len(links))
			}
		})
	}
}

// Each command explains itself: what it does, its flags, and an exit code of 0.
func TestHelp(t *testing.T) {
	for _, c := range []struct {
		command string
		flags   []string
	}{
		{"", nil},
		{"serve", []string{"--listen", "--data", "--database", "--storage", "--url"}},
		{"user", nil},
		{"user create", []string{"--email", "--password-stdin", "--admin", "--data"}},
		{"org", nil},
		{"org create", []string{"--owner", "--visibility", "--data"}},
		{"org add", []string{"--role", "--data"}},
		{"token", nil},
		{"token create", []string{"--user", "--name", "--scopes", "--expires", "--data"}},
		{"gc", []string{"--data"}},
		{"doctor", []string{"--fix", "--data"}},
		{"config", []string{"--data"}},
		{"version", nil},
	} {
		t.Run("entrepot "+c.command, func(t *testing.T) {
			out, err := runProgram(t.Context(), nil, "", append(strings.Fields(c.command), "--help")...)
			if err != nil {
				t.Fatal(err)
			}
			if out.ExitCode != 0 || out.Stderr != "" {
				t.Errorf("exit code %d, stderr %q", out.ExitCode, out.Stderr)
			}
			first, rest, _ := strings.Cut(out.Stdout, "\n")
			if len(first) < 10 || !strings.Contains(rest, "Usage:") {
				t.Errorf("want a sentence and the usage, got\n%s", out.Stdout)
			}
			for _, flag := range c.flags {
				if !strings.Contains(out.Stdout, flag) {
					t.Errorf("%s is not explained in\n%s", flag, out.Stdout)
				}
			}
		})
	}
}

// version prints one line that begins with the program's name.
func TestVersion(t *testing.T) {
	out, err := runProgram(t.Context(), nil, "", "version")
	if err != nil {
		t.Fatal(err)
	}
	if out.ExitCode != 0 || !strings.HasPrefix(out.Stdout, "entrepot ") || strings.Count(out.Stdout, "\n") != 1 {
		t.Errorf("exit code %d, printed %q", out.ExitCode, out.Stdout)
	}
}

// config prints what is in effect: flags over environment over file over
// defaults, and never a secret.
func TestConfig(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "entrepot.toml")
	const content = "listen = \"127.0.0.1:1111\"\nurl = \"http://from-file.example.com\"\n[log]\nlevel = \"warn\"\n"
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{
		"ENTREPOT_URL=http://from-environment.example.com",
		"ENTREPOT_DATABASE_URL=postgres://me:hunter2@db.example.com/entrepot",
		"ENTREPOT_STORAGE_REMOTE=:s3,secret_access_key=hunter2:bucket",
	}
	out, err := runProgram(t.Context(), env, "", "config", "--config", file, "--data", dir)
	if err != nil {
		t.Fatal(err)
	}
	if out.ExitCode != 0 {
		t.Fatalf("exit code %d: %s", out.ExitCode, out.Stderr)
	}
	for _, line := range []string{`(?m)^data\s+= ` + dir, `(?m)^listen\s+= 127\.0\.0\.1:1111`, `(?m)^url\s+= http://from-environment`, `(?m)^log\.level\s+= warn`} {
		if !regexp.MustCompile(line).MatchString(out.Stdout) {
			t.Errorf("no line %s in\n%s", line, out.Stdout)
		}
	}
	if strings.Contains(out.Stdout+out.Stderr, "hunter2") {
		t.Errorf("a secret is printed:\n%s", out.Stdout)
	}

	if err := os.WriteFile(file, []byte("lissten = \"127.0.0.1:1111\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err = runProgram(t.Context(), nil, "", "config", "--config", file)
	if err != nil {
		t.Fatal(err)
	}
	if out.ExitCode == 0 || !strings.Contains(out.Stderr, "lissten") {
		t.Errorf("a misspelt key: exit code %d, stderr %q; want a failure that names it", out.ExitCode, out.Stderr)
	}
}

// What an operator gets wrong is refused with a sentence that names it, and changes nothing.
func TestCommandErrors(t *testing.T) {
	s := StartServer(t, setups[0])
	startOrg(t, s)
	for _, c := range []struct {
		command, stdin, says string
	}{
		{command: "frobnicate", says: "frobnicate"},
		{command: "user create bob --email bob@example.com", says: "--password-stdin"},
		{command: "user create alice --email other@example.com --password-stdin", stdin: "correct horse", says: "alice"},
		{command: "user create Alice --email other@example.com --password-stdin", stdin: "correct horse", says: "alice"},
		{command: "user create a/b --email ab@example.com --password-stdin", stdin: "correct horse", says: "a/b"},
		{command: "user create bob --email bob@example.com --password-stdin", stdin: "", says: "password"},
		{command: "org create acme --owner alice", says: "acme"},
		{command: "org create other --owner nobody", says: "nobody"},
		{command: "org create other --owner alice --visibility secret", says: "secret"},
		{command: "org add acme nobody --role reader", says: "nobody"},
		{command: "org add nowhere alice --role reader", says: "nowhere"},
		{command: "org add acme alice --role king", says: "king"},
		{command: "token create --user nobody --name x --scopes read:package", says: "nobody"},
		{command: "token create --user alice --name x --scopes read:everything", says: "read:everything"},
	} {
		t.Run(c.command, func(t *testing.T) {
			out, err := s.Run(t.Context(), c.stdin, strings.Fields(c.command)...)
			if err != nil {
				t.Fatal(err)
			}
			if out.ExitCode == 0 || out.Stdout != "" {
				t.Errorf("exit code %d, printed %q; want a failure", out.ExitCode, out.Stdout)
			}
			if !strings.Contains(strings.ToLower(out.Stderr), c.says) || strings.Contains(out.Stderr, "goroutine") {
				t.Errorf("stderr %q, want a sentence with %q", out.Stderr, c.says)
			}
		})
	}
}

// Two servers cannot have one port; the second says so and touches nothing.
func TestPortTaken(t *testing.T) {
	s := StartServer(t, setups[0])
	out, err := runProgram(t.Context(), s.env, "", "serve", "--listen", s.Host, "--data", filepath.Join(t.TempDir(), "second"))
	if err != nil {
		t.Fatal(err)
	}
	if out.ExitCode == 0 || !strings.Contains(out.Stderr, "address already in use") {
		t.Errorf("exit code %d, stderr %q", out.ExitCode, out.Stderr)
	}
}

package cmd

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// run runs a command line and returns its exit status and output.
func run(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = Main(args, strings.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

func TestAccountsByCommand(t *testing.T) {
	data := t.TempDir()
	for _, tt := range []struct {
		name, stdin string
		args        []string
		status      int
		stderr      string
	}{
		{"user", "long enough", []string{"user", "create", "ann", "--email", "ann@example.com", "--password-stdin"}, 0, "created the user ann"},
		{"user twice", "long enough", []string{"user", "create", "Ann", "--email", "x@example.com", "--password-stdin"}, 1, "taken"},
		{"short password", "short", []string{"user", "create", "bob", "--email", "bob@example.com", "--password-stdin"}, 1, "at least 8"},
		{"no password", "", []string{"user", "create", "bob", "--email", "bob@example.com"}, 2, "--password-stdin"},
		{"bad name", "long enough", []string{"user", "create", "api", "--email", "bob@example.com", "--password-stdin"}, 1, "cannot be a user name"},
		{"organization", "", []string{"org", "create", "acme", "--owner", "ann", "--visibility", "private"}, 0, "acme"},
		{"unknown owner", "", []string{"org", "create", "other", "--owner", "nobody"}, 1, "no user"},
		{"bad visibility", "", []string{"org", "create", "other", "--owner", "ann", "--visibility", "secret"}, 1, "no visibility"},
		{"bad role", "", []string{"org", "add", "acme", "ann", "--role", "king"}, 1, "no role"},
		{"unknown scope", "", []string{"token", "create", "--user", "ann", "--name", "x", "--scopes", "root"}, 2, "no scope"},
		{"unknown flag", "", []string{"token", "create", "--nope"}, 2, "--help"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, _, stderr := run(t, tt.stdin, append(tt.args, "--data", data)...)
			if status != tt.status || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("status %d, stderr %q; want %d and %q", status, stderr, tt.status, tt.stderr)
			}
		})
	}
	status, stdout, _ := run(t, "", "token", "create", "--user", "ann", "--name", "ci", "--scopes", "read:package,write:package", "--expires", "720h", "--data", data)
	if status != 0 || !strings.HasPrefix(stdout, "ent-") || strings.Count(stdout, "\n") != 1 {
		t.Errorf("token create: status %d, stdout %q; want the secret alone", status, stdout)
	}
}

func TestConfigurationSources(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "entrepot.toml")
	write := func(body string) {
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	setting := func(key string) string {
		t.Helper()
		status, stdout, stderr := run(t, "", "config", "--config", path, "--data", "from-flag")
		if status != 0 {
			t.Fatal(stderr)
		}
		for line := range strings.Lines(stdout) {
			if name, value, _ := strings.Cut(line, "="); strings.TrimSpace(name) == key {
				return strings.TrimSpace(value)
			}
		}
		t.Fatalf("no setting %s in %s", key, stdout)
		return ""
	}
	write("listen = \":1\"\ndata = \"from-file\"\n[storage]\ngrace = \"5m\"\nredirect = \"on\"\nredirect_types = [\"npm=off\", \"generic=on\"]\n[log]\nlevel = \"debug\"\n")
	t.Setenv("ENTREPOT_LOG_LEVEL", "warn")
	t.Setenv("ENTREPOT_STORAGE_REDIRECT_EXCLUDE_NETWORKS", "10.0.0.0/8,fd00::/8")
	t.Setenv("ENTREPOT_DATABASE_URL", "postgres://u:p@h/d")
	for key, want := range map[string]string{
		"listen": ":1", "data": "from-flag", "storage.grace": "5m0s", "storage.redirect": "on",
		"storage.redirect_types": "npm=off, generic=on", "storage.redirect_exclude_networks": "10.0.0.0/8, fd00::/8",
		"log.level": "warn", "database.url": "***",
	} {
		if got := setting(key); got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	for name, body := range map[string]string{
		"unknown key": "lisen = \":1\"", "unknown table": "[storge]\nx = 1", "not TOML": "= =", "wrong type": "[storage]\ngrace = \"soon\"",
	} {
		t.Run(name, func(t *testing.T) {
			write(body)
			if status, _, stderr := run(t, "", "config", "--config", path); status == 0 {
				t.Errorf("accepted; stderr %q", stderr)
			}
		})
	}
	t.Run("unknown variable", func(t *testing.T) {
		write("")
		t.Setenv("ENTREPOT_NO_SUCH", "x")
		if status, _, stderr := run(t, "", "config", "--config", path); status == 0 || !strings.Contains(stderr, "ENTREPOT_NO_SUCH") {
			t.Errorf("status %d, stderr %q", status, stderr)
		}
	})
	t.Run("missing file", func(t *testing.T) {
		if status, _, _ := run(t, "", "config", "--config", filepath.Join(dir, "none.toml")); status == 0 {
			t.Error("accepted")
		}
	})
}

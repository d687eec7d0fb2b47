package server_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"entrepot/server"
)

var update = flag.Bool("update", false, "rewrite docs/configuration.md")

// TestConfigurationPage holds docs/configuration.md against the struct it is
// generated from.
func TestConfigurationPage(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Configuration

<!-- Generated from server.Config by: go test ./server -run TestConfigurationPage -update -->

Nothing has to be set. What is set is taken from, in this order, the later winning: the file ` + "`entrepot.toml`" + ` (or the one that ` + "`--config`" + ` or ` + "`ENTREPOT_CONFIG`" + ` names), the environment, and flags. A key that does not exist is an error. ` + "`entrepot config`" + ` prints what is in effect, secrets masked.

The keys with dots are tables in the file: ` + "`storage.remote`" + ` is ` + "`remote`" + ` under ` + "`[storage]`" + `.

| Key | Environment | Default | Meaning |
|---|---|---|---|
`)
	for _, s := range server.DefaultConfig().Settings() {
		if s.Help == "" {
			t.Errorf("the setting %s has no help", s.Key)
		}
		value := s.Value
		if value != "" {
			value = "`" + value + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", s.Key, s.Env(), value, s.Help)
	}
	const page = "../docs/configuration.md"
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Error("docs/configuration.md is stale; run this test with -update")
	}
}

func TestValidate(t *testing.T) {
	for name, change := range map[string]func(*server.Config){
		"url with a path":    func(c *server.Config) { c.URL = "https://example.com/x" },
		"url without scheme": func(c *server.Config) { c.URL = "example.com" },
		"log level":          func(c *server.Config) { c.Log.Level = "loud" },
		"log format":         func(c *server.Config) { c.Log.Format = "xml" },
		"idle timeout":       func(c *server.Config) { c.Limits.IdleTimeout = 0 },
		"file size":          func(c *server.Config) { c.Limits.FileSize = -1 },
		"redirect":           func(c *server.Config) { c.Storage.Redirect = "true" },
		"type to redirect":   func(c *server.Config) { c.Storage.RedirectTypes = []string{"nmp=on"} },
		"how to redirect":    func(c *server.Config) { c.Storage.RedirectTypes = []string{"npm"} },
		"size to redirect":   func(c *server.Config) { c.Storage.RedirectMinSize = -1 },
		"network":            func(c *server.Config) { c.Storage.RedirectExcludeNetworks = []string{"10.0.0.0/33"} },
		"life of a link":     func(c *server.Config) { c.Storage.LinkTTL = 16 * time.Minute },
		"no life of a link":  func(c *server.Config) { c.Storage.LinkTTL = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			c := server.DefaultConfig()
			change(&c)
			if c.Validate() == nil {
				t.Error("the configuration was accepted")
			}
		})
	}
	if err := server.DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func TestSecretsAreMasked(t *testing.T) {
	c := server.DefaultConfig()
	c.Database.URL = "postgres://u:hunter2@host/db"
	c.Storage.Remote = ":s3,secret_access_key=hunter2:bucket"
	c.Metrics.Token = "hunter2"
	for _, s := range c.Settings() {
		if strings.Contains(s.Value, "hunter2") {
			t.Errorf("%s shows its secret", s.Key)
		}
	}
}

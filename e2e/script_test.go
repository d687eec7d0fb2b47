//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScript runs every script of testdata/script in both set-ups, each
// against a server of its own. Scripts are named type_scenario.txtar and speak
// testscript's language plus the commands of commands.go:
//
//	http     one request: status, body on stdout, head on stderr
//	json     checks a value in a JSON document, by JSON pointer
//	setjson  a variable from a JSON document
//	setenv   a variable from what the last command printed
//	expand   $VARIABLES in a configuration file
//	same     two files with equal bytes
//	sha256   the digest of a file
//	randfile a file of random bytes
//	ociimage a multi-arch image as an OCI layout
//	modzip   the zip of a Go module
//	tls      a server with TLS in front of $URL
//	cut      a server in front of $URL that cuts a download off
//	pub      a client of Dart packages
//	nuget3   a client of NuGet packages, version 3 of the protocol
//	swift    a client of Swift packages
//	pgpkey   an OpenPGP key for clients that sign
//
// The cast, the same in each script (see newCast):
//
//	$OWNER     acme, a public organization; $USER owns it
//	$PRIVATE   vault, a private one; $USER owns it, $READER may read it
//	$USER      alice, with $PASSWORD and $TOKEN
//	$READER    rita, with $READER_TOKEN: may read, never write
//	$OUTSIDER  oscar, with $OUTSIDER_TOKEN: belongs nowhere
//	$URL $HOST the server; $R is $URL/api/packages
//
// Clients get an empty home and no package index but ours: what a script does
// not point at $URL goes to a closed port and fails.
func TestScript(t *testing.T) {
	for _, setup := range setups {
		t.Run(setup.Name, func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Dir:                "testdata/script",
				Cmds:               scriptCommands,
				RequireUniqueNames: true,
				Setup:              func(env *testscript.Env) error { return setUpScript(t.Context(), env, setup) },
			})
		})
	}
}

// setUpScript starts a server for the script and describes it in the environment.
func setUpScript(ctx context.Context, env *testscript.Env, setup Setup) error {
	dir, err := os.MkdirTemp(scratch, "script-")
	if err != nil {
		return err
	}
	s, err := newServer(ctx, dir, setup)
	if err != nil {
		return err
	}
	if err := s.start(); err != nil {
		return err
	}
	env.Defer(func() {
		if err := s.Stop(); err != nil {
			env.T().Log("stop the server:", err)
			env.T().FailNow()
		}
		if failed, ok := env.T().(interface{ Failed() bool }); ok && failed.Failed() {
			env.T().Log("server log:\n" + tail(s.log, 16<<10))
		}
		if err := os.RemoveAll(dir); err != nil {
			env.T().Log(err)
		}
	})
	return describeServer(ctx, env, s)
}

// describeServer makes the cast and tells the script where the server is.
func describeServer(ctx context.Context, env *testscript.Env, s *Server) error {
	cast, err := newCast(ctx, s)
	if err != nil {
		return err
	}
	env.Vars = append(env.Vars, s.env...) // so that `exec entrepot` works on this server
	env.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+os.Getenv("PATH"))
	env.Setenv("URL", s.URL)
	env.Setenv("R", s.URL+"/api/packages")
	env.Setenv("HOST", s.Host)
	env.Setenv("DATA", s.DataDir)
	env.Vars = append(env.Vars, cast...)
	return isolateClients(env)
}

// newCast creates the accounts and organizations that scripts speak of and
// returns them as variables.
func newCast(ctx context.Context, s *Server) ([]string, error) {
	vars := []string{"OWNER=acme", "PRIVATE=vault"}
	for _, member := range []struct{ variable, prefix, name string }{
		{"USER", "", "alice"},
		{"READER", "READER_", "rita"},
		{"OUTSIDER", "OUTSIDER_", "oscar"},
	} {
		account, err := s.CreateUser(ctx, member.name)
		if err != nil {
			return nil, err
		}
		vars = append(vars, member.variable+"="+account.Name,
			member.prefix+"PASSWORD="+account.Password, member.prefix+"TOKEN="+account.Token)
	}
	for org, visibility := range map[string]string{"acme": "public", "vault": "private"} {
		if err := s.CreateOrg(ctx, org, "alice", visibility); err != nil {
			return nil, err
		}
		if err := s.AddMember(ctx, org, "rita", "reader"); err != nil {
			return nil, err
		}
	}
	return vars, nil
}

// isolateClients gives the clients a home of their own, empty but for settings
// without which they would talk to the public indexes, ask for updates or send statistics.
func isolateClients(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	for path, content := range map[string]string{
		"npmrc": "registry=" + nowhere + "\naudit=false\nfund=false\nupdate-notifier=false\nfetch-retries=0\n",
		".yarnrc.yml": fmt.Sprintf("npmRegistryServer: %q\nunsafeHttpWhitelist: [\"127.0.0.1\"]\n", nowhere) +
			"enableTelemetry: false\nenableGlobalCache: false\nnpmMinimalAgeGate: 0\nhttpRetry: 0\n",
		".bunfig.toml":     fmt.Sprintf("[install]\nregistry = %q\n", nowhere),
		".m2/settings.xml": "<settings><mirrors><mirror><id>nowhere</id><mirrorOf>*</mirrorOf><url>" + nowhere + "</url></mirror></mirrors></settings>\n",
		"../.cargo/config.toml": fmt.Sprintf("[source.crates-io]\nreplace-with = \"nowhere\"\n[source.nowhere]\nregistry = %q\n", "sparse+"+nowhere) +
			"[net]\nretry = 0\n[term]\ncolor = \"never\"\n",
	} {
		path = filepath.Join(home, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if _, err := os.Stat(path); err == nil {
			continue // the script brings its own
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	seed, err := filepath.Abs(filepath.Join(root, ".tools", "maven")) // Maven's plugins, for scripts to copy
	if err != nil {
		return err
	}
	knife, err := filepath.Abs("testdata/knife.rb") // a client of cookbooks
	if err != nil {
		return err
	}
	// A client of ALT's repositories, one of conda's channels, and what makes
	// conda's packages.
	programs := map[string]string{"APTRPM": "testdata/aptrpm.py", "RATTLER": "testdata/condasolve.py", "CONDAPACK": "testdata/condapack.py"}
	for key, path := range programs {
		if programs[key], err = filepath.Abs(path); err != nil {
			return err
		}
	}
	runtime := filepath.Join(home, ".run") // where skopeo keeps logins
	if err := os.MkdirAll(runtime, 0o700); err != nil {
		return err
	}
	for key, value := range map[string]string{
		"HOME":                    home,
		"XDG_CONFIG_HOME":         filepath.Join(home, ".config"),
		"XDG_CACHE_HOME":          filepath.Join(home, ".cache"),
		"XDG_DATA_HOME":           filepath.Join(home, ".local/share"),
		"XDG_RUNTIME_DIR":         runtime,
		"RUSTUP_HOME":             rustupHome(),
		"GOPROXY":                 nowhere,
		"GOSUMDB":                 "off",
		"GOTOOLCHAIN":             "local",
		"GOTELEMETRY":             "off",
		"GOFLAGS":                 "-modcacherw",
		"GOCACHE":                 filepath.Join(scratch, "go-build"), // for all scripts: it holds the standard library
		"npm_config_globalconfig": filepath.Join(home, "npmrc"),
		"KNIFE":                   knife,
		"MAVEN_SEED":              seed,
		"MAVEN_OPTS":              "-Duser.home=" + home + " -XX:TieredStopAtLevel=1 -Xmx256m -Dstyle.color=never",
		"NO_UPDATE_NOTIFIER":      "1",
		"DO_NOT_TRACK":            "1",
		"NO_COLOR":                "1",
		"LC_ALL":                  "C.UTF-8",
		"TZ":                      "UTC",
	} {
		env.Setenv(key, value)
	}
	for key, value := range pythonSettings {
		env.Setenv(key, value)
	}
	for key, value := range programs {
		env.Setenv(key, value)
	}
	return nil
}

// rustupHome is where a cargo that rustup installed finds its toolchain, which
// is in the real home; another cargo does not look there.
func rustupHome() string {
	if dir := os.Getenv("RUSTUP_HOME"); dir != "" {
		return dir
	}
	return filepath.Join(os.Getenv("HOME"), ".rustup")
}

// Every script belongs to a package type and begins by saying what it shows.
func TestScriptsSayWhatTheyShow(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range scripts {
		name := filepath.Base(path)
		kind, _, ok := strings.Cut(name, "_")
		if _, known := publishers[kind]; !ok || !known || filepath.Ext(name) != ".txtar" {
			t.Errorf("%s: want a name like generic_scenario.txtar", name)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(content), "# ") {
			t.Errorf("%s: must begin with a comment that says what it shows", name)
		}
	}
}

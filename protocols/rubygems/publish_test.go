package rubygems_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"mime/multipart"
	"strings"
	"sync"
	"testing"

	"entrepot/access"
	"entrepot/ent/packageversion"
)

func TestPublish(t *testing.T) {
	s := newServer(t)
	res := s.Want(t, 201, "ann", "POST", root+"/api/v1/gems/", gem{name: "Hello.rb", version: "1.0", more: dependsOn("rack", "~>", "2.0")}.pack(t))
	if res.Body != "Successfully registered gem: Hello.rb (1.0)\n" || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("%q, %s", res.Body, res.Header.Get("Content-Type"))
	}
	native := gem{name: "Hello.rb", version: "1.0", platform: "x86_64-linux"}.pack(t)
	if res := s.Want(t, 201, "wim", "POST", root+"/api/v1/gems", native, "Authorization", s.Tokens["wim"]); res.Body != "Successfully registered gem: Hello.rb (1.0-x86_64-linux)\n" {
		t.Errorf("%q", res.Body)
	}
	list := s.get("/info/Hello.rb")
	lines := strings.Split(list, "\n")
	if len(lines) != 4 || lines[0] != "---" || !strings.HasPrefix(lines[1], "1.0 rack:~> 2.0|checksum:") ||
		lines[2] != fmt.Sprintf("1.0-x86_64-linux |checksum:%x", sha256.Sum256([]byte(native))) {
		t.Errorf("list %q", list)
	}
	for _, path := range []string{"/gems/Hello.rb-1.0-x86_64-linux.gem", "/gems/hello.rb-1.0-X86_64-linux.gem"} {
		if got := s.Want(t, 200, "", "GET", root+path, ""); got.Body != native || got.Header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%s is not what was pushed", path)
		}
	}
	if got := s.Want(t, 206, "", "GET", root+"/gems/Hello.rb-1.0.gem", "", "Range", "bytes=0-10"); got.Body != "metadata.gz" {
		t.Errorf("range: %q", got.Body)
	}
	for _, path := range []string{"/gems/Hello.rb-1.0", "/gems/Hello.rb-1.0-java.gem", "/gems/x.gem", "/quick/Marshal.4.8/x-1.gemspec.rz", "/quick/Marshal.4.8/Hello.rb-1.0", "/info/hello.rb", "/info/x"} {
		if got := s.Want(t, 404, "", "GET", root+path, ""); !strings.HasPrefix(got.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %s", path, got.Header.Get("Content-Type"))
		}
	}
}

// TestRefused pushes what is wrong: each is told so and leaves nothing.
func TestRefused(t *testing.T) {
	s := newServer(t)
	good := gem{name: "a", version: "1"}.pack(t)
	form := func(fields ...string) (body, kind string) {
		var out bytes.Buffer
		w := multipart.NewWriter(&out)
		for i := 0; i < len(fields); i += 2 {
			if err := w.WriteField(fields[i], fields[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.String(), w.FormDataContentType()
	}
	for _, tt := range []struct {
		name    string
		status  int
		body    string
		message string
	}{
		{"nothing", 400, "", "no metadata.gz"},
		{"no tar", 400, strings.Repeat("x", 2000), "not a tar archive"},
		{"cut off", 400, good[:600], "cannot be read"},
		{"no metadata", 400, gem{name: "a", version: "1", without: "metadata.gz"}.pack(t), "no metadata.gz"},
		{"no data", 400, gem{name: "a", version: "1", without: "data.tar.gz"}.pack(t), "no data.tar.gz"},
		{"a wrong checksum", 422, gem{name: "a", version: "1", checksums: "SHA256:\n  data.tar.gz: 00ff\n"}.pack(t), "SHA256"},
		{"a wrong long checksum", 422, gem{name: "a", version: "1", checksums: "SHA512:\n  metadata.gz: 00ff\n"}.pack(t), "SHA512"},
		{"checksums that are no YAML", 400, gem{name: "a", version: "1", checksums: "["}.pack(t), "checksums.yaml.gz"},
		{"a bad name", 400, gem{name: "a b", version: "1"}.pack(t), "name"},
		{"a bad version", 400, gem{name: "a", version: "latest"}.pack(t), "version"},
		{"a bad platform", 400, gem{name: "a", version: "1", platform: "a b"}.pack(t), "platform"},
		{"a forged line", 400, gem{name: "a", version: "1", more: dependsOn(`"b\n1.0 x"`, ">=", "0")}.pack(t), "name"},
		{"a large gemspec", 413, gem{name: "a", version: "1", more: "description: " + strings.Repeat("x", 8<<20)}.pack(t), "unpacks to more"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := s.Want(t, tt.status, "ann", "POST", root+"/api/v1/gems", tt.body)
			if !strings.Contains(res.Body, tt.message) || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") || strings.Count(res.Body, "\n") > 2 {
				t.Errorf("%q, want %q", res.Body, tt.message)
			}
		})
	}
	for name, fields := range map[string][]string{
		"no gem": {"x", "y"}, "two gems": {"gem", good, "gem", good}, "attestations that are no list": {"gem", good, "attestations", "{}"},
	} {
		body, kind := form(fields...)
		if res := s.Want(t, 400, "ann", "POST", root+"/api/v1/gems", body, "Content-Type", kind); res.Body == "" {
			t.Errorf("%s: nothing is told", name)
		}
	}
	s.Want(t, 401, "", "POST", root+"/api/v1/gems", good)
	s.Want(t, 403, "rea", "POST", root+"/api/v1/gems", good)
	s.Want(t, 403, "out", "POST", root+"/api/v1/gems", good)
	s.Want(t, 401, "", "POST", root+"/api/v1/gems", good, "Authorization", "ent-nothing")
	ctx := access.SystemContext(t.Context())
	if n := s.Registry().Client().Pkg.Query().CountX(ctx); n != 0 {
		t.Errorf("%d packages are there", n)
	}
	if got := s.changes(); got != "" {
		t.Errorf("the journal: %s", got)
	}
}

func TestDuplicates(t *testing.T) {
	s := newServer(t)
	s.push(gem{name: "foo", version: "1.0"})
	s.push(gem{name: "foo", version: "1.0", platform: "java"})
	s.push(gem{name: "foo", version: "1.0", platform: "a-2"})
	for _, tt := range []struct {
		again   gem
		message string
	}{
		{gem{name: "foo", version: "1.0"}, "Repushing of gem versions is not allowed."},
		{gem{name: "foo", version: "1.0", platform: "java", more: "homepage: x\n"}, "Repushing of gem versions is not allowed."},
		{gem{name: "foo", version: "1.0.0"}, "there is a version 1.0 already"},
		{gem{name: "foo", version: "1", platform: "x86_64-linux"}, "there is a version 1.0 already"},
		{gem{name: "Foo", version: "2"}, "there is a gem foo already"},
		{gem{name: "foo-1.0-a", version: "2"}, "another gem has a file foo-1.0-a-2.gem"},
	} {
		if res := s.Want(t, 409, "ann", "POST", root+"/api/v1/gems", tt.again.pack(t)); !strings.Contains(res.Body, tt.message) {
			t.Errorf("%+v: %q", tt.again, res.Body)
		}
	}
	if got := s.changes(); got != "foo 1.0; foo 1.0-java; foo 1.0-a-2" {
		t.Errorf("the journal: %s", got)
	}
	v := s.Registry().Client().PackageVersion.Query().Where(packageversion.Version("1.0")).OnlyX(access.SystemContext(t.Context()))
	if v.Summary != "Says hello" || v.Homepage != "" {
		t.Errorf("a refused gem has changed the version: %+v", v)
	}
}

// TestFormWithAttestations pushes as newer clients do.
func TestFormWithAttestations(t *testing.T) {
	s := newServer(t)
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	file, err := w.CreateFormFile("gem", "a-1.0.gem")
	if err != nil {
		t.Fatal(err)
	}
	packed := gem{name: "a", version: "1.0"}.pack(t)
	if _, err := file.Write([]byte(packed)); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteField("attestations", `[{"mediaType":"x"}]`); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s.Want(t, 201, "ann", "POST", root+"/api/v1/gems", out.String(), "Content-Type", w.FormDataContentType())
	if got := s.get("/gems/a-1.0.gem"); got != packed {
		t.Error("the gem is not what was pushed")
	}
	if got := strings.Count(s.get("/info/a"), "\n"); got != 2 {
		t.Errorf("the list has %d lines", got)
	}
	ctx := access.SystemContext(t.Context())
	if n := s.Registry().Client().PackageFile.Query().CountX(ctx); n != 2 {
		t.Errorf("%d files are there", n)
	}
	s.yank(200, "a", "1.0", "")
	if n := s.Registry().Client().PackageFile.Query().CountX(ctx); n != 0 {
		t.Errorf("%d files are left", n)
	}
}

// TestParallel pushes with many clients at once: each list and the journal hold
// all that was taken, and the digests agree.
func TestParallel(t *testing.T) {
	s := newServer(t)
	const clients, each = 16, 4
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := range each {
				g := gem{name: fmt.Sprintf("gem%d", c%4), version: fmt.Sprintf("%d.%d", c, i)}
				if res := s.Do(t, "ann", "POST", root+"/api/v1/gems", g.pack(t)); res.StatusCode != 201 {
					t.Errorf("%+v: %d %s", g, res.StatusCode, res.Body)
				}
				s.Do(t, "rea", "GET", root+"/versions", "")
			}
		})
	}
	wg.Wait()
	if got := strings.Count(s.changes(), ";"); got != clients*each-1 {
		t.Errorf("%d changes", got+1)
	}
	for c := range 4 {
		s.agree(fmt.Sprintf("gem%d", c))
	}
	if got := s.get("/names"); got != "---\ngem0\ngem1\ngem2\ngem3\n" {
		t.Errorf("names %q", got)
	}
}

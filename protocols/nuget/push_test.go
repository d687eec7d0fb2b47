package nuget_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"entrepot/access"
	"entrepot/registry"
	"entrepot/server/servertest"
)

func TestPushForms(t *testing.T) {
	s := newServer(t)
	body, kind := form(t, nupkg(t, "One", "1.0"), "a later part")
	s.Want(t, 201, "wim", "PUT", root+"/", body, "Content-Type", kind)
	s.Want(t, 201, "wim", "PUT", root, nupkg(t, "Two", "1.0"))
	for id, version := range map[string]string{"one": "1.0.0", "two": "1.0.0"} {
		s.Want(t, 200, "", "GET", root+"/package/"+id+"/"+version+"/"+id+"."+version+".nupkg", "")
	}
	// As the classic client ends it outside Windows.
	bare, bareKind := form(t, nupkg(t, "Three", "1.0"))
	end := strings.LastIndex(bare, "\r\n--")
	s.Want(t, 201, "wim", "PUT", root+"/", bare[:end]+strings.TrimSuffix(bare[end+1:], "\r\n"), "Content-Type", bareKind)
	if res := s.Want(t, 200, "", "GET", root+"/package/three/1.0.0", ""); res.Body != nupkg(t, "Three", "1.0") {
		t.Error("the package changed")
	}
	s.fails(400, "wim", "PUT", root, body[:len(body)-8], "Content-Type", kind)
	s.fails(400, "wim", "PUT", root, body[:200], "Content-Type", kind)
	s.fails(400, "wim", "PUT", root, "--x--", "Content-Type", "multipart/form-data; boundary=x")
	s.fails(400, "wim", "PUT", root, body, "Content-Type", "multipart/form-data")
	large, kind := form(t, nupkg(t, "Four", "1.0"), strings.Repeat("x", 2<<20))
	s.fails(413, "wim", "PUT", root, large, "Content-Type", kind)
	s.Want(t, 404, "", "GET", root+"/package/four/index.json", "")
}

// What is pushed comes back as it was, whatever is in it.
func TestPushKeepsThePackage(t *testing.T) {
	s := newServer(t)
	manifest := nuspec("Acme.Lib", "1.2.3-Beta+build.7", `<readme>docs\README.md</readme>`, `<icon>icon.png</icon>`, `<license type="file">LICENSE.txt</license>`)
	pkg := pack(t,
		entry{"Acme.Lib.NUSPEC", manifest}, entry{`docs\README.md`, "\ufeff# Hello"}, entry{"icon.png", "\x89PNG\r\n\x1a\nrest"},
		entry{"LICENSE.txt", "Do as you like"}, entry{"lib/nested.nuspec", "not the manifest"})
	s.push(pkg)
	const folder = root + "/package/acme.lib/1.2.3-beta"
	for path, want := range map[string]struct{ body, kind string }{
		"/acme.lib.1.2.3-beta.nupkg": {pkg, "application/octet-stream"},
		"/Acme.Lib.1.2.3-Beta.nupkg": {pkg, "application/octet-stream"},
		"/acme.lib.nuspec":           {manifest, "application/xml"},
		"/readme":                    {"# Hello", "text/markdown; charset=utf-8"},
		"/icon":                      {"\x89PNG\r\n\x1a\nrest", "image/png"},
		"/license":                   {"Do as you like", "text/plain; charset=utf-8"},
		"":                           {pkg, "application/octet-stream"},
	} {
		res := s.Want(t, 200, "", "GET", folder+path, "")
		if res.Body != want.body || res.Header.Get("Content-Type") != want.kind {
			t.Errorf("%s: %q of type %q", path, res.Body, res.Header.Get("Content-Type"))
		}
		s.Want(t, 304, "", "GET", folder+path, "", "If-None-Match", res.Header.Get("ETag"))
		if head := s.Want(t, 200, "", "HEAD", folder+path, ""); head.Body != "" || head.Header.Get("ETag") != res.Header.Get("ETag") {
			t.Errorf("HEAD of %s: %q, %v", path, head.Body, head.Header)
		}
	}
	s.Want(t, 200, "", "GET", root+"/package/ACME.LIB/1.2.3.0-BETA/acme.lib.nuspec", "")
	for _, path := range []string{"/acme.lib.1.2.3-beta.snupkg", "/other.nupkg", "/acme.lib.nupkg"} {
		s.fails(404, "", "GET", folder+path, "")
	}
	s.publish("Plain", "1.0")
	for _, path := range []string{"readme", "icon", "license"} {
		s.fails(404, "", "GET", root+"/package/plain/1.0.0/"+path, "")
		s.fails(404, "", "GET", root+"/package/plain/2.0.0/"+path, "")
	}
}

func TestPushOnce(t *testing.T) {
	s := newServer(t)
	s.publish("Acme.Lib", "1.0")
	for _, version := range []string{"1", "1.0.0.0", "1.0.0+other"} {
		s.fails(409, "wim", "PUT", root, nupkg(t, "acme.LIB", version, "<title>another</title>"))
	}
	s.Want(t, 201, "wim", "PUT", root, nupkg(t, "ACME.LIB", "1.0.0.1"))
	if got := s.object(root + "/query?q=acme.lib"); words(at(got, "data"), "id") != "Acme.Lib" {
		t.Errorf("the first spelling is lost: %v", got)
	}
}

func TestPushRefused(t *testing.T) {
	s := newServer(t)
	with := func(more ...string) string { return nupkg(t, "Bad", "1.0", more...) }
	dependency := func(id, version string) string {
		return with(`<dependencies><dependency id="` + id + `" version="` + version + `"/></dependencies>`)
	}
	latin := strings.Replace(nuspec("Bad", "1.0"), "A package", "\xe4", 1)
	for name, pkg := range map[string]string{
		"nothing":              "",
		"no zip":               "hello",
		"a zip that is cut":    with()[:100],
		"no manifest":          pack(t, entry{"a.txt", "a"}),
		"a manifest in lib":    pack(t, entry{"lib/Bad.nuspec", nuspec("Bad", "1.0")}),
		"two manifests":        pack(t, entry{"a.nuspec", nuspec("Bad", "1.0")}, entry{"B.NuSpec", nuspec("Bad", "1.0")}),
		"no XML":               pack(t, entry{"a.nuspec", "hello"}),
		"XML of something":     pack(t, entry{"a.nuspec", "<project/>"}),
		"two documents":        pack(t, entry{"a.nuspec", nuspec("Bad", "1.0") + "<more/>"}),
		"an entity":            pack(t, entry{"a.nuspec", `<!DOCTYPE a [<!ENTITY x "y">]><package><metadata><id>&x;</id></metadata></package>`}),
		"neither UTF-8 nor 16": pack(t, entry{"a.nuspec", latin}),
		"half of UTF-16":       pack(t, entry{"a.nuspec", "\xff\xfe<"}),
		"a long manifest":      pack(t, entry{"a.nuspec", nuspec("Bad", "1.0", "<summary>"+strings.Repeat("x", 3<<20)+"</summary>")}),
		"no id":                nupkg(t, "", "1.0"),
		"a bad id":             nupkg(t, "a b", "1.0"),
		"a long id":            nupkg(t, strings.Repeat("a", 101), "1.0"),
		"no version":           nupkg(t, "Bad", ""),
		"a bad version":        nupkg(t, "Bad", "latest"),
		"a long version":       nupkg(t, "Bad", "1.0.0-"+strings.Repeat("a", 59)),
		"symbols":              with(symbolsType),
		"a bad dependency":     dependency("a b", "1.0"),
		"a bad range":          dependency("A", "[2.0,1.0]"),
	} {
		t.Run(name, func(t *testing.T) {
			s := &testServer{s.Server, t}
			s.fails(400, "wim", "PUT", root, pkg)
		})
	}
	s.Want(t, 404, "", "GET", root+"/registration/bad/index.json", "")
	if got := s.object(root + "/query"); at(got, "totalHits") != 0.0 {
		t.Errorf("something is there: %v", got)
	}
	s.fails(401, "", "PUT", root, with())
	s.fails(403, "rea", "PUT", root, with())
	s.fails(401, "", "PUT", root, with(), "X-NuGet-ApiKey", "dummy")
	s.fails(401, "", "PUT", root, with(), "X-NuGet-ApiKey", s.Tokens["wim"], "Authorization", "Bearer ent-none")
	// A key carries its token's scope.
	reads := s.Token(t, "wim", access.ReadPackage)
	s.fails(403, "", "PUT", root, with(), "X-NuGet-ApiKey", reads)
	s.Want(t, 201, "", "PUT", root, with(), "X-NuGet-ApiKey", s.Tokens["wim"])
	s.Want(t, 201, "wim", "PUT", root, nupkg(t, "Dummy", "1.0"), "X-NuGet-ApiKey", "dummy")
	s.fails(405, "wim", "PATCH", root, "")
}

// A push that is refused is read to its end, or .NET does not learn why.
func TestRefusedPushIsRead(t *testing.T) {
	s := newServer(t)
	body := strings.Repeat("x", 8<<20)
	for range 3 {
		s.fails(401, "", "PUT", root, body)
		s.fails(403, "rea", "PUT", root, body)
	}
}

func TestManifestsInUTF16(t *testing.T) {
	s := newServer(t)
	for name, order := range map[string]binary.AppendByteOrder{"Little": binary.LittleEndian, "Big": binary.BigEndian} {
		wide := order.AppendUint16(nil, 0xfeff)
		for _, unit := range utf16.Encode([]rune(strings.Replace(nuspec(name, "1.0"), "utf-8", "utf-16", 1))) {
			wide = order.AppendUint16(wide, unit)
		}
		s.push(pack(t, entry{name + ".nuspec", string(wide)}))
		s.Want(t, 200, "", "GET", root+"/registration/"+strings.ToLower(name)+"/index.json", "")
	}
	s.push(pack(t, entry{"Bom.nuspec", "\ufeff" + nuspec("Bom", "1.0")}))
	s.push(pack(t, entry{"Bare.nuspec", strings.Replace(nuspec("Bare", "1.0"), ` xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"`, "", 1)}))
}

func TestDelete(t *testing.T) {
	s := newServer(t)
	s.publish("Acme.Lib", "1.0")
	s.publish("Acme.Lib", "2.0")
	s.fails(404, "wim", "DELETE", root+"/acme.lib/3.0", "")
	s.fails(404, "wim", "DELETE", root+"/acme.lib/x", "")
	s.fails(404, "wim", "DELETE", root+"/other/1.0", "")
	s.fails(403, "rea", "DELETE", root+"/acme.lib/1.0", "")
	s.fails(403, "", "DELETE", root+"/acme.lib/1.0", "", "X-NuGet-ApiKey", s.Token(t, "wim", access.ReadPackage, access.WritePackage))
	s.Want(t, 204, "wim", "DELETE", root+"/Acme.Lib/1.0.0.0", "")
	if got := words(s.object(root + "/package/acme.lib/index.json")["versions"], ""); got != "2.0.0" {
		t.Errorf("versions = %s", got)
	}
	s.fails(404, "wim", "DELETE", root+"/acme.lib/1.0", "")
	s.Want(t, 204, "wim", "DELETE", root+"/acme.lib/2.0.0", "")
	s.fails(404, "", "GET", root+"/package/acme.lib/index.json", "")
	s.fails(404, "", "GET", root+"/registration/acme.lib/index.json", "")
	s.publish("Acme.Lib", "1.0")
}

func TestUnlist(t *testing.T) {
	s := newServer(t)
	unlist := "unlist"
	if _, err := s.Registry().UpdateOwner(access.SystemContext(t.Context()), "acme", registry.OwnerChange{NuGetDelete: &unlist}); err != nil {
		t.Fatal(err)
	}
	s.publish("Acme.Lib", "1.0")
	s.publish("Acme.Lib", "2.0")
	leaf := func() servertest.Object { return s.object(root + "/registration/acme.lib/2.0.0.json") }
	if got := leaf(); got["listed"] != true || strings.HasPrefix(fmt.Sprint(got["published"]), "1900") {
		t.Errorf("listed: %v", got)
	}
	s.Want(t, 204, "wim", "DELETE", root+"/Acme.Lib/2.0", "")
	if got := leaf(); got["listed"] != false || !strings.HasPrefix(fmt.Sprint(got["published"]), "1900") {
		t.Errorf("unlisted: %v", got)
	}
	if got := words(s.object(root + "/package/acme.lib/index.json")["versions"], ""); got != "1.0.0 2.0.0" {
		t.Errorf("versions = %s", got)
	}
	if got := s.object(root + "/query?q=acme"); at(got, "data", 0, "version") != "1.0" {
		t.Errorf("search = %v", got)
	}
	if got := s.feed("FindPackagesById()?id='Acme.Lib'"); got.versions() != "Acme.Lib@1.0 Acme.Lib@2.0" || got.Entries[1].property("Listed") != "false" ||
		!strings.HasPrefix(got.Entries[1].property("Published"), "1900") || got.Entries[0].property("IsLatestVersion") != "true" {
		t.Errorf("feed = %+v", got)
	}
	s.Want(t, 200, "", "GET", root+"/package/acme.lib/2.0.0/acme.lib.2.0.0.nupkg", "")
	s.fails(404, "wim", "POST", root+"/acme.lib/3.0", "")
	s.fails(403, "rea", "POST", root+"/acme.lib/2.0", "")
	s.Want(t, 200, "wim", "POST", root+"/acme.lib/2.0", "")
	s.Want(t, 200, "wim", "POST", root+"/acme.lib/2.0", "")
	if got := leaf(); got["listed"] != true {
		t.Errorf("relisted: %v", got)
	}
}

func TestSymbols(t *testing.T) {
	s := newServer(t)
	const key = "30313233-3435-3637-3839-414243444546"
	guid := "33323130" + "3534" + "3736" + "3839414243444546"
	id := strings.ReplaceAll(key, "-", "")
	content := pdb(guid)
	s.fails(404, "wim", "PUT", root+"/symbolpackage", snupkg(t, "Acme.Lib", "1.0", entry{"lib/a/Acme.Lib.pdb", content}))
	s.publish("Acme.Lib", "1.0")
	for name, entries := range map[string][]entry{
		"no PDB":                 nil,
		"an assembly":            {{"lib/a/Acme.Lib.pdb", content}, {"lib/a/Acme.Lib.DLL", "MZ"}},
		"no Portable PDB":        {{"lib/a/Acme.Lib.pdb", "hello"}},
		"an empty one":           {{"lib/a/Acme.Lib.pdb", ""}},
		"one that is cut":        {{"lib/a/Acme.Lib.pdb", content[:60]}},
		"one without its stream": {{"lib/a/Acme.Lib.pdb", strings.Replace(content, "#Pdb", "#Pdx", 1)}},
		"a Windows PDB":          {{"lib/a/Acme.Lib.pdb", "Microsoft C/C++ MSF 7.00\r\n\x1aDS"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &testServer{s.Server, t}
			message := s.fails(400, "wim", "PUT", root+"/symbolpackage", snupkg(t, "Acme.Lib", "1.0", entries...))
			if len(entries) > 0 && !strings.Contains(message, "Acme.Lib.") {
				t.Errorf("%q does not name the file", message)
			}
		})
	}
	s.fails(400, "wim", "PUT", root+"/symbolpackage", nupkg(t, "Acme.Lib", "1.0"))
	s.fails(400, "wim", "PUT", root+"/symbolpackage", "hello")
	s.fails(404, "wim", "PUT", root+"/symbolpackage", snupkg(t, "Acme.Lib", "2.0", entry{"a.pdb", content}))
	s.fails(403, "rea", "PUT", root+"/symbolpackage", "hello")
	pkg := snupkg(t, "acme.lib", "1.0.0.0", entry{"lib/a/Acme.Lib.pdb", content}, entry{`lib\b\Acme.Lib.pdb`, content},
		entry{"lib/c/Acme.Lib.pdb", pdb("00000000000000000000000000000001")}, entry{"README.md", "hello"}, entry{"_rels/.rels", "<x/>"})
	body, kind := form(t, pkg)
	s.Want(t, 201, "wim", "PUT", root+"/symbolpackage/", body, "Content-Type", kind)
	s.fails(409, "wim", "PUT", root+"/symbolpackage", pkg)
	if got := s.Want(t, 200, "", "GET", root+"/package/acme.lib/1.0.0/acme.lib.1.0.0.snupkg", "").Body; got != pkg {
		t.Errorf("the package of symbols has changed: %d bytes", len(got))
	}
	for _, path := range []string{
		"/symbols/Acme.Lib.pdb/" + id + "FFFFFFFF/Acme.Lib.pdb", "/symbols/acme.lib.pdb/" + strings.ToUpper(id) + "ffffffff/Acme.LIB.pdb",
	} {
		if got := s.Want(t, 200, "", "GET", root+path, ""); got.Body != content || got.Header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%s: %q", path, got.Body)
		}
	}
	s.fails(400, "", "GET", root+"/symbols/a.pdb/"+id+"FFFFFFFF/b.pdb", "")
	for _, path := range []string{
		"/symbols/Acme.Lib.pdb/" + id + "1/Acme.Lib.pdb", "/symbols/other.pdb/" + id + "FFFFFFFF/other.pdb", "/symbols/Acme.Lib.pdb/x/Acme.Lib.pdb",
		"/symbols/Acme%25.pdb/" + id + "FFFFFFFF/Acme%25.pdb",
	} {
		s.fails(404, "", "GET", root+path, "")
	}
	// The same symbols in another package serve as well, and stay when the
	// first goes.
	s.publish("Other", "1.0")
	s.Want(t, 201, "wim", "PUT", root+"/symbolpackage", snupkg(t, "Other", "1.0", entry{"Acme.Lib.pdb", content}))
	s.Want(t, 204, "wim", "DELETE", root+"/acme.lib/1.0", "")
	if got := s.Want(t, 200, "", "GET", root+"/symbols/Acme.Lib.pdb/"+id+"FFFFFFFF/Acme.Lib.pdb", "").Body; got != content {
		t.Errorf("%q", got)
	}
}

// Clients publish at once: each gets its version, or one gets the one all want.
func TestParallelPushes(t *testing.T) {
	s := newServer(t)
	const clients = 16
	var same [clients]int
	var wait sync.WaitGroup
	for i := range clients {
		own, one := nupkg(t, "Many", fmt.Sprintf("1.0.%d", i)), nupkg(t, "Same", "1.0", fmt.Sprintf("<title>%d</title>", i))
		wait.Go(func() {
			if got := s.Do(t, "wim", "PUT", root, own).StatusCode; got != 201 {
				t.Errorf("push %d: %d", i, got)
			}
			same[i] = s.Do(t, "wim", "PUT", root, one).StatusCode
		})
	}
	wait.Wait()
	created := 0
	for _, status := range same {
		switch status {
		case 201:
			created++
		case 409:
		default:
			t.Errorf("a push that came second: %d", status)
		}
	}
	if created != 1 {
		t.Errorf("%d pushes of one version went through", created)
	}
	if got, _ := s.object(root + "/package/many/index.json")["versions"].([]any); len(got) != clients {
		t.Errorf("%d versions", len(got))
	}
}

func TestPDBIsFoundWhereverItLies(t *testing.T) {
	s := newServer(t)
	s.publish("Large", "1.0")
	content := pdb("000102030405060708090a0b0c0d0e0f") + string(bytes.Repeat([]byte("x"), 3<<20))
	s.Want(t, 201, "wim", "PUT", root+"/symbolpackage", snupkg(t, "Large", "1.0", entry{"Large.pdb", content}))
	got := s.Want(t, 200, "", "GET", root+"/symbols/large.pdb/0302010005040706"+"08090a0b0c0d0e0fffffffff/large.pdb", "").Body
	if got != content {
		t.Errorf("%d bytes", len(got))
	}
}

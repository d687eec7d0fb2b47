package swift_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"entrepot/server"
	"entrepot/server/servertest"
)

// TestPublish publishes a release as SwiftPM does, in parts without file names,
// and as curl does, and reads all that there is of it.
func TestPublish(t *testing.T) {
	s := newServer(t)
	for i, parts := range [][]part{
		{archivePart(sources(t, "0")), metadataPart(`{"description":"Lists"}`)},
		{metadataPart(`{"description":"Lists"}`), {"other", "ignored", ""}, archivePart(sources(t, "1"))},
		{{`source-archive"; filename="list.zip`, sources(t, "2"), ""}, {`metadata"; filename="m.json`, "\ufeff" + `{"description":"Lists"}`, ""}},
		{{"source-archive", base64.StdEncoding.EncodeToString([]byte(sources(t, "3"))), "Content-Transfer-Encoding: base64\r\n"}, metadataPart(`{"description":"Lists"}`)},
	} {
		version := fmt.Sprint("1.0.", i)
		res := s.Want(t, 201, "ann", "PUT", root+"/acme/LinkedList/"+version, form(parts...), formHeaders()...)
		if res.Header.Get("Location") != s.URL+root+"/acme/LinkedList/"+version || res.Header.Get("Content-Version") != "1" {
			t.Errorf("headers = %v", res.Header)
		}
		archive := sources(t, fmt.Sprint(i))
		d := s.get("acme/LinkedList/" + version)
		resource := servertest.Encode(t, list(d["resources"])[0])
		if want := fmt.Sprintf(`{"checksum":%q,"name":"source-archive","type":"application/zip"}`, sum(archive)); resource != want {
			t.Errorf("resource = %s, want %s", resource, want)
		}
		if servertest.Encode(t, d["metadata"]) != `{"description":"Lists"}` || d["id"] != "acme.LinkedList" || d["version"] != version {
			t.Errorf("release = %v", d)
		}
		if at := fmt.Sprint(d["publishedAt"]); len(at) != len("2006-01-02T15:04:05Z") || !strings.HasSuffix(at, "Z") {
			t.Errorf("publishedAt = %s: the client reads whole seconds alone", at)
		}
		zip := s.Want(t, 200, "", "GET", root+"/acme/LinkedList/"+version+".zip", "", "Accept", "application/vnd.swift.registry.v1+zip")
		if zip.Body != archive {
			t.Error("other bytes came back")
		}
	}
}

// TestRefusals sends what cannot be published.
func TestRefusals(t *testing.T) {
	s := newServer(t)
	good := sources(t, "good")
	send := func(archive string, more ...part) string { return form(append(more, archivePart(archive))...) }
	many := make([]entry, 100_001)
	for i := range many {
		many[i].name = fmt.Sprint("f", i)
	}
	link := func(target string) string {
		return sources(t, "", entry{"LinkedList/Sources/link", target, fs.ModeSymlink})
	}
	const path = "acme/LinkedList/1.0.0"
	for _, c := range []struct {
		name, path, body string
		status           int
		says             string
		headers          []string
	}{
		{"scope with underscore", "ac_me/LinkedList/1.0.0", send(good), 400, "scope", nil},
		{"scope with two hyphens", "ac--me/LinkedList/1.0.0", send(good), 400, "scope", nil},
		{"scope ends in hyphen", "acme-/LinkedList/1.0.0", send(good), 400, "scope", nil},
		{"long scope", strings.Repeat("a", 40) + "/LinkedList/1.0.0", send(good), 400, "scope", nil},
		{"name with dot", "acme/Linked.List/1.0.0", send(good), 400, "name", nil},
		{"name with two separators", "acme/Linked-_List/1.0.0", send(good), 400, "name", nil},
		{"long name", "acme/" + strings.Repeat("a", 101) + "/1.0.0", send(good), 400, "name", nil},
		{"version with v", "acme/LinkedList/v1.0.0", send(good), 400, "version", nil},
		{"short version", "acme/LinkedList/1.0", send(good), 400, "version", nil},
		{"leading zero", "acme/LinkedList/1.0.01", send(good), 400, "version", nil},
		{"ends in zip", "acme/LinkedList/1.0.0+a.zip", send(good), 400, ".zip", nil},
		{"ends in json", "acme/LinkedList/1.0.0-a.json", send(good), 400, ".json", nil},
		{"other version of the protocol", path, send(good), 415, "version 1", []string{"Accept", "application/vnd.swift.registry.v2+json"}},
		{"other type", path, send(good), 400, "Accept", []string{"Accept", "text/html"}},
		{"other vendor type", path, send(good), 400, "Accept", []string{"Accept", "application/vnd.swift.registry.one"}},
		{"signature format", path, send(good), 400, "cms-1.0.0", []string{"X-Swift-Package-Signature-Format", "pgp"}},
		{"no form", path, good, 422, "form", []string{"Content-Type", "application/zip"}},
		{"no archive", path, form(metadataPart("{}")), 422, "source-archive", nil},
		{"two archives", path, send(good, archivePart(good)), 422, "several", nil},
		{"two metadata", path, send(good, metadataPart("{}"), metadataPart("{}")), 422, "twice", nil},
		{"too many parts", path, form(make([]part, 21)...), 422, "parts", nil},
		{"cut off", path, strings.TrimSuffix(send(good), "--"+boundary+"--\r\n"), 400, "", nil},
		{"bad base64", path, form(part{"metadata", "****", "Content-Transfer-Encoding: base64\r\n"}, archivePart(good)), 422, "Base64", nil},
		{"large metadata", path, send(good, metadataPart(strings.Repeat(" ", 1<<20+1))), 413, "metadata", nil},
		{"metadata is no JSON", path, send(good, metadataPart("{")), 422, "JSON", nil},
		{"metadata is a list", path, send(good, metadataPart("[]")), 422, "object", nil},
		{"metadata of another kind", path, send(good, metadataPart(`{"description":7}`)), 422, "description", nil},
		{"author of another kind", path, send(good, metadataPart(`{"author":{"name":["Ann"]}}`)), 422, "author.name", nil},
		{"bad URL", path, send(good, metadataPart(`{"licenseURL":"LICENSE"}`)), 422, "licenseURL", nil},
		{"bad repository", path, send(good, metadataPart(`{"repositoryURLs":["nowhere"]}`)), 422, "repositoryURL", nil},
		{"bad time", path, send(good, metadataPart(`{"originalPublicationTime":"yesterday"}`)), 422, "originalPublicationTime", nil},
		{"signature without format", path, send(good, part{"source-archive-signature", sign(t, "Ann", good), ""}), 400, "X-Swift-Package-Signature-Format", nil},
		{"bad signature", path, send(good, part{"source-archive-signature", "signed, Ann", ""}), 422, "CMS", []string{"X-Swift-Package-Signature-Format", "cms-1.0.0"}},
		{"no zip", path, send("text"), 422, "zip", nil},
		{"zip cut off", path, send(good[:len(good)-10]), 422, "zip", nil},
		{"no manifest", path, send(zipOf(t, entry{name: "README.md"})), 422, "Package.swift", nil},
		{"manifest too deep", path, send(zipOf(t, entry{name: "a/b/Package.swift"})), 422, "Package.swift", nil},
		{"manifest in one of two folders", path, send(zipOf(t, entry{name: "a/Package.swift"}, entry{name: "b/x"})), 422, "Package.swift", nil},
		{"alternate alone", path, send(zipOf(t, entry{name: "Package@swift-5.9.swift"})), 422, "Package.swift", nil},
		{"manifest twice", path, send(sources(t, "", entry{name: "LinkedList/Package.swift"})), 422, "two manifests", nil},
		{"alternate twice", path, send(sources(t, "", entry{name: "LinkedList/Package@swift-5.swift"}, entry{name: "LinkedList/Package@swift-5.0.swift"})), 422, "two manifests", nil},
		{"large manifest", path, send(zipOf(t, entry{name: "Package.swift", body: strings.Repeat("/", 128<<10+1)})), 422, "larger", nil},
		{"manifest is no text", path, send(zipOf(t, entry{name: "Package.swift", body: "\xff"})), 422, "UTF-8", nil},
		{"manifest is a link", path, send(zipOf(t, entry{"Package.swift", "other", fs.ModeSymlink})), 422, "no file", nil},
		{"absolute name", path, send(sources(t, "", entry{name: "/etc/passwd"})), 422, "within", nil},
		{"name that leads out", path, send(sources(t, "", entry{name: "LinkedList/../../x"})), 422, "within", nil},
		{"link that leads out", path, send(link("../../../x")), 422, "leads out", nil},
		{"absolute link", path, send(link("/etc/passwd")), 422, "leads out", nil},
		{"too many entries", path, send(zipOf(t, many...)), 422, "entries", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if detail := s.in(t).fails(c.status, "ann", "PUT", c.path, c.body, formHeaders(c.headers...)...); !strings.Contains(detail, c.says) {
				t.Errorf("detail = %s, want %q in it", detail, c.says)
			}
		})
	}
	s.fails(404, "", "GET", "acme/LinkedList", "")
	s.fails(404, "", "GET", "identifiers?url=https://example.com/acme/LinkedList", "")
	// What stays within is taken.
	s.release("acme/LinkedList/1.0.0", link("../Sources/LinkedList"))
}

func TestTooLarge(t *testing.T) {
	s := newServer(t, func(c *server.Config) { c.Limits.FileSize = 1000 })
	random := strings.Repeat("x", 2000)
	s.fails(413, "ann", "PUT", "acme/LinkedList/1.0.0", form(archivePart(random)), formHeaders()...)
	s.fails(404, "", "GET", "acme/LinkedList", "")
}

// TestConflicts publishes what is there, in this spelling or another.
func TestConflicts(t *testing.T) {
	s := newServer(t)
	archive := sources(t, "first")
	s.release("acme/LinkedList/1.0.0", archive)
	for _, path := range []string{"acme/LinkedList/1.0.0", "ACME/linkedlist/1.0.0"} {
		if detail := s.fails(409, "ann", "PUT", path, form(archivePart(archive)), formHeaders()...); detail != "acme.LinkedList 1.0.0 is already published" {
			t.Errorf("detail = %s", detail)
		}
	}
	// Versions are kept whole: these are four more.
	for _, version := range []string{"1.0.0-beta.1", "1.0.0-BETA.1", "1.0.0+a", "1.0.0+b"} {
		s.Want(t, 201, "ann", "PUT", root+"/Acme/LINKEDLIST/"+version, form(archivePart(sources(t, version))), formHeaders()...)
	}
	if got, want := versions(t, s, "acme/LinkedList"), "1.0.0+b 1.0.0+a 1.0.0 1.0.0-beta.1 1.0.0-BETA.1"; got != want {
		t.Errorf("releases = %s, want %s", got, want)
	}
	if d := s.get("ACME/linkedlist/1.0.0-beta.1"); d["id"] != "acme.LinkedList" {
		t.Errorf("id = %v, want the first spelling", d["id"])
	}
	s.fails(404, "", "GET", "acme/LinkedList/1.0.0-Beta.1", "")
	// Another scope is another package.
	s.release("acme2/LinkedList/1.0.0", archive)
}

// TestRace publishes one release, and different ones, many times at once.
func TestRace(t *testing.T) {
	s := newServer(t)
	answers := make(chan [2]int, 32)
	for i := range cap(answers) {
		version := fmt.Sprint("1.0.", min(i, 16))
		body := form(archivePart(sources(t, fmt.Sprint(i))))
		go func() {
			req, _ := http.NewRequest("PUT", s.URL+root+"/acme/Race/"+version, strings.NewReader(body))
			req.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
			req.SetBasicAuth("ann", s.Tokens["ann"])
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				answers <- [2]int{i, 0}
				return
			}
			res.Body.Close()
			answers <- [2]int{i, res.StatusCode}
		}()
	}
	same := map[int]int{}
	for range cap(answers) {
		if a := <-answers; a[0] >= 16 {
			same[a[1]]++
		} else if a[1] != 201 {
			t.Errorf("release %d: %d", a[0], a[1])
		}
	}
	if same[201] != 1 || same[409] != 15 {
		t.Errorf("the same release: %v", same)
	}
	if n := len(strings.Fields(versions(t, s, "acme/Race"))); n != 17 {
		t.Errorf("%d releases, want 17", n)
	}
}

// TestSignatures publishes signed releases; the signatures come back to the
// byte, and the page tells who signed.
func TestSignatures(t *testing.T) {
	s := newServer(t)
	archive := sources(t, "signed")
	signature, ofMetadata := sign(t, "Ann of Acme", archive), sign(t, "Bob", "{}")
	headers := formHeaders("X-Swift-Package-Signature-Format", "cms-1.0.0")
	s.Want(t, 201, "ann", "PUT", root+"/acme/LinkedList/1.0.0", form(
		archivePart(archive), part{"source-archive-signature", signature, "Content-Type: application/octet-stream\r\n"},
		metadataPart("{}"), part{"metadata-signature", ofMetadata, ""},
	), headers...)
	encoded := base64.StdEncoding.EncodeToString([]byte(signature))
	signing := servertest.At(list(s.get("acme/LinkedList/1.0.0")["resources"])[0], "signing")
	if servertest.At(signing, "signatureBase64Encoded") != encoded || servertest.At(signing, "signatureFormat") != "cms-1.0.0" {
		t.Errorf("signing = %v", signing)
	}
	res := s.Want(t, 200, "", "GET", root+"/acme/LinkedList/1.0.0.zip", "")
	if res.Header.Get("X-Swift-Package-Signature") != encoded || res.Header.Get("X-Swift-Package-Signature-Format") != "cms-1.0.0" {
		t.Errorf("headers = %v", res.Header)
	}
	facts := s.Want(t, 200, "ann", "POST", "/graphql",
		`{"query":"{package(owner:\"acme\",type:\"swift\",name:\"acme.LinkedList\"){version(version:\"1.0.0\"){facts{name value} instructions{client steps{body}}}}}"}`,
		"Content-Type", "application/json").Body
	for _, want := range []string{"Ann of Acme", `"5.7"`, `.package(id: \"acme.LinkedList\", from: \"1.0.0\")`} {
		if !strings.Contains(facts, want) {
			t.Errorf("no %s in %s", want, facts)
		}
	}

	// A server can ask for signatures.
	s = newServer(t, func(c *server.Config) { c.Swift.RequireSignature = true })
	if detail := s.fails(422, "ann", "PUT", "acme/LinkedList/1.0.1", form(archivePart(archive)), headers...); !strings.Contains(detail, "signed") {
		t.Errorf("detail = %s", detail)
	}
	s.Want(t, 201, "ann", "PUT", root+"/acme/LinkedList/1.0.1", form(archivePart(archive), part{"source-archive-signature", signature, ""}), headers...)
}

// TestMetadata publishes metadata in its two forms.
func TestMetadata(t *testing.T) {
	s := newServer(t)
	for i, c := range []struct{ sent, want string }{
		{`{}`, `{}`}, {``, `{}`}, {`{"author":{}}`, `{}`}, {`{"author":{"email":"ann@example.com"}}`, `{}`}, {`{"author":null,"more":[1]}`, `{}`},
		{`{"author":{"name":"Ann","organization":{"name":"Acme","url":"https://example.com"}}}`, `{"author":{"name":"Ann","organization":{"name":"Acme","url":"https://example.com"}}}`},
		{`{"author":{"name":"Ann","organization":{"email":"x"}}}`, `{"author":{"name":"Ann"}}`},
		{`{"originalPublicationTime":"2024-02-03T10:11:12.345+02:00"}`, `{"originalPublicationTime":"2024-02-03T08:11:12Z"}`},
		{`{"licenseURL":"https://example.com/l","readmeURL":"https://example.com/r","repositoryURLs":["https://example.com/a.git","git@example.com:b.git"]}`,
			`{"licenseURL":"https://example.com/l","readmeURL":"https://example.com/r","repositoryURLs":["https://example.com/a.git","git@example.com:b.git"]}`},
		{`{"@type":"SoftwareSourceCode","codeRepository":"https://example.com/c","license":"https://example.com/l","author":{"@type":"Person","givenName":"Ann","familyName":"Bee"},"keywords":["list"]}`,
			`{"author":{"name":"Ann Bee"},"licenseURL":"https://example.com/l","repositoryURLs":["https://example.com/c"]}`},
	} {
		path := fmt.Sprint("acme/Meta/1.0.", i)
		s.release(path, sources(t, path), metadataPart(c.sent))
		if got := servertest.Encode(t, s.get(path)["metadata"]); got != c.want {
			t.Errorf("%s gives %s, want %s", c.sent, got, c.want)
		}
	}
	// SwiftPM calls plain JSON quoted-printable; others may send what is.
	long := strings.Repeat("long ", 2000)
	for i, sent := range []string{
		`{"description":"` + long + `","readmeURL":"https://example.com/?a=3D"}`,
		"{\"description\":\"" + strings.ReplaceAll(long, "long long ", "long long =\r\n") + "\",\r\n\"readmeURL\":\"https://example.com/?a=3D3D\"}",
	} {
		path := fmt.Sprint("acme/Quoted/1.0.", i)
		s.release(path, sources(t, path), metadataPart(sent))
		metadata := s.get(path)["metadata"]
		if servertest.At(metadata, "readmeURL") != "https://example.com/?a=3D" || servertest.At(metadata, "description") != strings.TrimSpace(long) {
			t.Errorf("metadata %d = %v", i, metadata)
		}
	}
	res := s.Want(t, 200, "", "GET", root+"/acme/Meta/1.0.0", "")
	if !bytes.Contains([]byte(res.Body), []byte(`"metadata":{}`)) {
		t.Errorf("release = %s", res.Body)
	}
}

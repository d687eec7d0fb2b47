package npm_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"entrepot/server/servertest"
)

func TestPublish(t *testing.T) {
	s := newRegistry(t)
	r := s.publish("@acme/tool", "1.0.0", object{"description": "A tool", "dependencies": object{"@acme/base": "^1.0.0"}})

	doc := s.get("/@acme%2ftool")
	v := servertest.At(doc, "versions", "1.0.0")
	for key, want := range map[string]any{
		"name": "@acme/tool", "version": "1.0.0", "license": "MIT", "_id": "@acme/tool@1.0.0", "_hasShrinkwrap": false,
	} {
		if got := servertest.At(v, key); got != want {
			t.Errorf("%s = %v, want %v", key, got, want)
		}
	}
	if got := servertest.At(v, "_npmUser", "name"); got != "ann" {
		t.Errorf("_npmUser.name = %v", got)
	}
	dist := servertest.At(v, "dist")
	tarball := s.URL + root + "/@acme/tool/-/tool-1.0.0.tgz"
	if got := servertest.At(dist, "tarball"); got != tarball {
		t.Errorf("dist.tarball = %v, want %v", got, tarball)
	}
	if servertest.At(dist, "integrity") != servertest.At(r.manifest, "dist", "integrity") || servertest.At(dist, "shasum") != servertest.At(r.manifest, "dist", "shasum") {
		t.Errorf("dist = %v, want the digests of %v", dist, r.manifest["dist"])
	}
	if servertest.At(dist, "fileCount") != 2.0 || servertest.At(dist, "unpackedSize") == 0.0 {
		t.Errorf("dist = %v", dist)
	}
	for key, want := range map[string]any{
		"name": "@acme/tool", "_id": "@acme/tool", "description": "A tool", "license": "MIT",
	} {
		if doc[key] != want {
			t.Errorf("packument: %s = %v, want %v", key, doc[key], want)
		}
	}
	if got := servertest.At(doc, "dist-tags", "latest"); got != "1.0.0" {
		t.Errorf("latest = %v", got)
	}
	for _, key := range []string{"created", "modified", "1.0.0"} {
		if got, _ := servertest.At(doc, "time", key).(string); len(got) != len("2006-01-02T15:04:05.000Z") {
			t.Errorf("time.%s = %q", key, got)
		}
	}
	if got := s.Want(t, 200, "", "GET", tarball, ""); got.Body != string(r.tarball) {
		t.Error("the tarball is not what was published")
	}
}

// TestVerbatim holds every member of a manifest against what is served.
func TestVerbatim(t *testing.T) {
	s := newRegistry(t)
	odd := object{
		"x-unknown": object{"deep": []any{1.5, nil, "<&>", "\u2028"}}, "keywords": 7, "author": []any{}, "license": "MIT",
		"repository": "https://example.com/x.git", "bin": "./cli.js", "bundledDependencies": []any{"a"},
		"peerDependenciesMeta": object{"p": object{"optional": true}}, "os": []any{"linux"}, "engines": object{"node": ">=1"},
		"scripts": object{"postinstall": "true"}, "description": 12, "homepage": object{}, "bugs": false, "contributors": "x",
		"exports": object{"z": "1", "a": "2"}, "dependencies": []any{"not an object"},
	}
	s.publish("odd", "1.0.0", odd)
	v := servertest.At(s.get("/odd"), "versions", "1.0.0").(object)
	want := map[string]string{
		"bin": `{"odd":"./cli.js"}`, "repository": `{"type":"git","url":"https://example.com/x.git"}`,
		"bundleDependencies": `["a"]`, "hasInstallScript": `true`,
	}
	for key, value := range odd {
		if _, ok := want[key]; !ok && key != "bundledDependencies" {
			want[key] = servertest.Encode(t, value)
		}
	}
	for key, value := range want {
		if got := servertest.Encode(t, v[key]); got != value {
			t.Errorf("%s = %s, want %s", key, got, value)
		}
	}
	if _, there := v["bundledDependencies"]; there {
		t.Error("bundledDependencies is there beside bundleDependencies")
	}
}

// TestOrder publishes with the attachments first, as yarn does, and with
// escapes in the base64.
func TestOrder(t *testing.T) {
	s := newRegistry(t)
	r := newRelease(t, "order", "1.0.0")
	data := r.attachment()["data"].(string)
	data = strings.ReplaceAll(strings.ReplaceAll(data, "/", `\/`), "+", `\u002b`)
	body := fmt.Sprintf(` {"access":"restricted", "_attachments" : {"order-1.0.0.tgz": {"length": %d, "data": "%s"}}, "versions":%s,
		"unknown":[{"a":[]},{}], "dist-tags":{"latest":"1.0.0"}, "name":"order"}`+"\n", len(r.tarball), data, servertest.Encode(t, r.body["versions"]))
	s.Want(t, 201, "ann", "PUT", root+"/order", body)
	if got := s.Want(t, 200, "", "GET", root+"/order/-/order-1.0.0.tgz", ""); got.Body != string(r.tarball) {
		t.Error("the tarball is not what was published")
	}
}

func TestPublishRefusals(t *testing.T) {
	s := newRegistry(t)
	s.publish("known", "1.0.0")
	manifest := func(key string, value any) func(*release) {
		return func(r *release) { r.manifest[key] = value }
	}
	dist := func(key string, value any) func(*release) {
		return func(r *release) { r.manifest["dist"].(object)[key] = value }
	}
	attached := func(key string, value any) func(*release) {
		return func(r *release) { r.attachment()[key] = value }
	}
	repack := func(files map[string]string) func(*release) {
		return func(r *release) {
			r.tarball = pack(t, files)
			r.attachment()["data"] = base64.StdEncoding.EncodeToString(r.tarball)
			delete(r.attachment(), "length")
			delete(r.manifest, "dist")
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*release)
		status int
		want   string
	}{
		{"another _id", func(r *release) { r.body["_id"] = "other" }, 400, "_id"},
		{"another name", func(r *release) { r.body["name"] = "other" }, 400, "name"},
		{"no version", func(r *release) { r.body["versions"] = object{} }, 400, "one version"},
		{"no versions", func(r *release) { delete(r.body, "versions") }, 400, "one version"},
		{"two versions", func(r *release) { r.body["versions"].(object)["1.0.1"] = r.manifest }, 400, "one version"},
		{"a loose version", func(r *release) { r.body["versions"] = object{"v1.0.0": r.manifest} }, 400, "version"},
		{"a version under another", func(r *release) { r.body["versions"] = object{"1.0.1": r.manifest} }, 400, "stands under"},
		{"the manifest's name", manifest("name", "other"), 400, "name"},
		{"the manifest's version", manifest("version", "1.0.1"), 400, "version"},
		{"no tarball", func(r *release) { r.body["_attachments"] = object{"x.txt": object{}} }, 400, "not wanted"},
		{"two tarballs", func(r *release) { r.body["_attachments"].(object)["b.tgz"] = r.attachment() }, 400, "not wanted"},
		{"a tarball without data", func(r *release) { delete(r.attachment(), "data") }, 400, "no tarball"},
		{"another length", attached("length", 5), 400, "length"},
		{"a length that is none", attached("length", "long"), 400, "length"},
		{"no base64", attached("data", "!!!!"), 400, "base64"},
		{"half base64", attached("data", "H4sI"+"A"), 400, "base64"},
		{"no text", attached("data", 1), 400, "string"},
		{"no gzip", attached("data", "aGFsbG8gd2VsdCwgaGFsbG8="), 400, "gzip"},
		{"a wrong sha512", dist("integrity", "sha512-"+strings.Repeat("A", 86)+"=="), 400, "integrity"},
		{"one of two is wrong", func(r *release) {
			d := r.manifest["dist"].(object)
			d["integrity"] = d["integrity"].(string) + " sha1-AAAA"
		}, 400, "integrity"},
		{"an unknown algorithm alone", dist("integrity", "md5-AAAA"), 400, "algorithm"},
		{"a wrong shasum", func(r *release) { r.manifest["dist"] = object{"shasum": strings.Repeat("0", 40)} }, 400, "shasum"},
		{"a tag like a range", func(r *release) { r.body["dist-tags"] = object{"1.x": "1.0.0"} }, 400, "range"},
		{"a tag on a missing version", func(r *release) { r.body["dist-tags"] = object{"latest": "1.0.0", "next": "9.0.0"} }, 400, "9.0.0"},
		{"a tag on no version", func(r *release) { r.body["dist-tags"] = object{"latest": "latest"} }, 400, "no version"},
		{"no package.json", repack(map[string]string{"index.js": ""}), 400, "package.json"},
		{"package.json deeper down", repack(map[string]string{"lib/package.json": "{}"}), 400, "package.json"},
		{"package.json is no JSON", repack(map[string]string{"package.json": "{"}), 400, "JSON"},
		{"package.json of another package", repack(map[string]string{"package.json": `{"name":"other","version":"1.0.0"}`}), 400, "other"},
		{"package.json of another version", repack(map[string]string{"package.json": `{"name":"bad","version":"1.0.1"}`}), 400, "1.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := s.in(t)
			r := newRelease(t, "bad", "1.0.0")
			tt.change(r)
			message := s.fails(tt.status, "ann", "PUT", "/bad", servertest.Encode(t, r.body))
			if !strings.Contains(message, tt.want) {
				t.Errorf("message %q does not speak of %q", message, tt.want)
			}
		})
	}
	s.fails(404, "ann", "GET", "/bad", "")

	for name, body := range map[string]string{
		"empty": "", "a list": "[]", "cut off": `{"versions":{"1.0.0":{`, "text behind": `{} {}`, "a bad escape": `{"\x":1}`,
		"too deep": strings.Repeat(`{"a":`, 300), "bad UTF-8": "{\"versions\":{\"1.0.0\":{\"a\":\"\xff\"}}}", "nothing": "{}",
	} {
		t.Run(name, func(t *testing.T) { s.in(t).fails(400, "ann", "PUT", "/known", body) })
	}
	t.Run("too large", func(t *testing.T) {
		s := s.in(t)
		r := newRelease(t, "large", "1.0.0", object{"x": strings.Repeat("x", 5<<20)})
		s.fails(413, "ann", "PUT", "/large", servertest.Encode(t, r.body))
	})
	for _, name := range []string{"UPPER", ".dot", "_under", "node_modules", "favicon.ico", "@acme/-", "a%20b", strings.Repeat("n", 215), "known/1.0.0", "@acme%2fa%2fb"} {
		t.Run("name "+name, func(t *testing.T) {
			s.in(t).fails(400, "ann", "PUT", "/"+name, servertest.Encode(t, newRelease(t, "x", "1.0.0").body))
		})
	}
}

func TestDuplicate(t *testing.T) {
	s := newRegistry(t)
	s.publish("twice", "1.0.0-RC")
	const sentence = "You cannot publish over the previously published versions: 1.0.0-RC."
	r := newRelease(t, "twice", "1.0.0-RC", object{"new": true})
	if got := s.fails(409, "ann", "PUT", "/twice", servertest.Encode(t, r.body)); got != sentence {
		t.Errorf("error = %q, want %q", got, sentence)
	}
	s.publish("twice", "1.0.0-rc") // case counts
	s.publish("twice", "1.0.0+a")
	s.fails(409, "ann", "PUT", "/twice", servertest.Encode(t, newRelease(t, "twice", "1.0.0+b").body)) // build metadata does not
}

// TestRace publishes one version many times at once: one wins, the others are
// told as npm expects it.
func TestRace(t *testing.T) {
	s := newRegistry(t)
	const clients = 24
	answers := make(chan int, clients)
	for i := range clients {
		body := servertest.Encode(t, newRelease(t, "race", "1.0.0", object{"client": i}).body)
		go func() {
			req, _ := http.NewRequest("PUT", s.URL+root+"/race", strings.NewReader(body))
			req.SetBasicAuth("ann", s.Tokens["ann"])
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				answers <- 0
				return
			}
			res.Body.Close()
			answers <- res.StatusCode
		}()
	}
	counts := map[int]int{}
	for range clients {
		counts[<-answers]++
	}
	if counts[201] != 1 || counts[409] != clients-1 {
		t.Errorf("answers = %v, want one 201 and %d 409", counts, clients-1)
	}
}

func TestFirstTagAndOtherTags(t *testing.T) {
	s := newRegistry(t)
	first := newRelease(t, "tagged", "1.0.0-beta.1")
	first.body["dist-tags"] = object{"beta": "1.0.0-beta.1"}
	s.put(201, first)
	if got := servertest.Encode(t, s.get("/tagged")["dist-tags"]); got != `{"beta":"1.0.0-beta.1","latest":"1.0.0-beta.1"}` {
		t.Errorf("dist-tags = %s", got)
	}
	second := newRelease(t, "tagged", "1.0.0")
	second.body["dist-tags"] = object{"next": "1.0.0", "old": "1.0.0-beta.1"}
	s.put(201, second)
	want := `{"beta":"1.0.0-beta.1","latest":"1.0.0-beta.1","next":"1.0.0","old":"1.0.0-beta.1"}`
	if got := servertest.Encode(t, s.get("/tagged")["dist-tags"]); got != want {
		t.Errorf("dist-tags = %s, want %s", got, want)
	}
}

func TestProvenance(t *testing.T) {
	s := newRegistry(t)
	r := newRelease(t, "@acme/signed", "1.0.0")
	bundle := `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","n":"ä"}`
	r.body["_attachments"].(object)["@acme/signed-1.0.0.sigstore"] = object{
		"content_type": "application/vnd.dev.sigstore.bundle.v0.3+json", "data": bundle, "length": len(bundle) - 1,
	}
	s.put(201, r)
	res := s.Want(t, 200, "", "GET", root+"/@acme/signed/-/signed-1.0.0.sigstore", "")
	if res.Body != bundle || res.Header.Get("Content-Type") != "application/json" {
		t.Errorf("attestation = %q as %q", res.Body, res.Header.Get("Content-Type"))
	}
}

func TestReadme(t *testing.T) {
	s := newRegistry(t)
	r := newRelease(t, "readme", "1.0.0")
	r.tarball = pack(t, map[string]string{
		"package.json": `{"name":"readme","version":"1.0.0"}`, "README": "plain", "readme.md": "# From the tarball\x00",
	})
	r.attachment()["data"] = base64.StdEncoding.EncodeToString(r.tarball)
	r.attachment()["length"] = len(r.tarball)
	delete(r.manifest, "dist")
	r.manifest["readme"] = "ERROR: No README data found!"
	s.put(201, r)
	doc := s.get("/readme")
	if doc["readme"] != "# From the tarball\ufffd" || doc["readmeFilename"] != "readme.md" {
		t.Errorf("readme = %q of %q", doc["readme"], doc["readmeFilename"])
	}
	r = newRelease(t, "readme", "2.0.0", object{"readme": "# From the manifest", "readmeFilename": "README.md"})
	s.put(201, r)
	doc = s.get("/readme")
	if doc["readme"] != "# From the manifest" {
		t.Errorf("readme = %q", doc["readme"])
	}
	if _, there := servertest.At(doc, "versions", "2.0.0").(object)["readme"]; there {
		t.Error("the packument repeats the readme with every version")
	}
	if got := s.get("/readme/2.0.0")["readme"]; got != "# From the manifest" {
		t.Errorf("the version's own document: readme = %q", got)
	}
}

// TestVersionsOfTools are versions as clients tidy them up for the manifest
// and not in the file.
func TestVersionsOfTools(t *testing.T) {
	s := newRegistry(t)
	for i, packed := range []string{" v1.0.0 ", "=1.0.0", "1.0.0+build.7"} {
		r := newRelease(t, fmt.Sprint("loose", i), "1.0.0")
		r.tarball = pack(t, map[string]string{"package.json": "\ufeff" + servertest.Encode(t, object{"name": r.name, "version": packed})})
		r.attachment()["data"] = base64.StdEncoding.EncodeToString(r.tarball)
		delete(r.attachment(), "length")
		delete(r.manifest, "dist")
		s.put(201, r)
	}
}

func TestRights(t *testing.T) {
	s := newRegistry(t)
	s.Organization(t, "vault", "PRIVATE")
	body := servertest.Encode(t, newRelease(t, "x", "1.0.0").body)
	for _, tt := range []struct {
		login, path string
		status      int
	}{
		{"", "/api/packages/acme/npm/x", 401}, {"rea", "/api/packages/acme/npm/x", 403}, {"out", "/api/packages/acme/npm/x", 403},
		{"", "/api/packages/vault/npm/x", 401}, {"", "/api/packages/nowhere/npm/x", 401}, {"out", "/api/packages/vault/npm/x", 404},
		{"rea", "/api/packages/vault/npm/x", 403}, {"wim", "/api/packages/vault/npm/x", 201},
	} {
		res := s.Want(t, tt.status, tt.login, "PUT", tt.path, body)
		challenge := res.Header.Get("WWW-Authenticate")
		if tt.status == 401 && (!strings.HasPrefix(challenge, "Basic realm=") || strings.Contains(challenge, "otp") || strings.Contains(challenge, "ipaddress")) {
			t.Errorf("challenge %q", challenge)
		}
	}
	s.Want(t, 401, "", "GET", "/api/packages/vault/npm/x", "")
	s.Want(t, 401, "", "GET", "/api/packages/vault/npm/y", "")
	s.Want(t, 200, "rea", "GET", "/api/packages/vault/npm/x", "")
	if res := s.Want(t, 200, "rea", "GET", "/api/packages/vault/npm/x/-/x-1.0.0.tgz", ""); !slices.Contains(res.Header["Cache-Control"], "private, no-cache") {
		t.Errorf("Cache-Control = %q", res.Header["Cache-Control"])
	}
}

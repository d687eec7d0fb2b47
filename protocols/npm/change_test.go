package npm_test

import (
	"strings"
	"testing"
	"time"

	"entrepot/server/servertest"
)

// revOf is the package's revision.
func (s *registry) revOf(name string) string {
	s.tb.Helper()
	rev, _ := s.get("/" + name)["_rev"].(string)
	return rev
}

// without is the package's packument without a version, its dist-tags as npm
// would leave them.
func (s *registry) without(name string, versions ...string) object {
	s.tb.Helper()
	doc := s.get("/" + name)
	for _, v := range versions {
		delete(doc["versions"].(object), v)
		for tag, target := range doc["dist-tags"].(object) {
			if target == v {
				delete(doc["dist-tags"].(object), tag)
			}
		}
	}
	return doc
}

func TestDeprecate(t *testing.T) {
	s := newRegistry(t)
	s.publish("old", "1.0.0")
	s.publish("old", "1.1.0")
	before := s.get("/old")

	doc := s.get("/old?write=true")
	servertest.At(doc, "versions", "1.0.0").(object)["deprecated"] = "use <1.1.0>"
	servertest.At(doc, "versions", "1.1.0").(object)["description"] = "ignored"
	doc["readme"] = "ignored"
	s.Want(t, 200, "wim", "PUT", root+"/old", servertest.Encode(t, doc))

	after := s.get("/old")
	if got := servertest.At(after, "versions", "1.0.0", "deprecated"); got != "use <1.1.0>" {
		t.Errorf("deprecated = %v", got)
	}
	if _, there := servertest.At(after, "versions", "1.1.0").(object)["deprecated"]; there {
		t.Error("the other version is deprecated, too")
	}
	if after["readme"] != before["readme"] || servertest.At(after, "versions", "1.1.0", "description") != nil {
		t.Error("something else was taken over")
	}
	if servertest.At(after, "time", "1.0.0") != servertest.At(before, "time", "1.0.0") || after["_rev"] == before["_rev"] {
		t.Errorf("time %v, _rev %v; before %v, %v", after["time"], after["_rev"], before["time"], before["_rev"])
	}
	if got := servertest.At(s.get("/old", "Accept", abbreviatedType), "versions", "1.0.0", "deprecated"); got != "use <1.1.0>" {
		t.Errorf("abbreviated: deprecated = %v", got)
	}
	if got := s.get("/old/1.0.0")["deprecated"]; got != "use <1.1.0>" {
		t.Errorf("one version: deprecated = %v", got)
	}

	s.Want(t, 200, "wim", "PUT", root+"/old", `{"versions":{"1.1.0":{}}}`) // absent: unchanged
	if got := servertest.At(s.get("/old"), "versions", "1.0.0", "deprecated"); got == nil {
		t.Error("an absent member took the mark away")
	}
	s.Want(t, 200, "wim", "PUT", root+"/old", `{"versions":{"1.0.0":{"deprecated":""}}}`)
	if got := servertest.At(s.get("/old"), "versions", "1.0.0", "deprecated"); got != nil {
		t.Errorf("deprecated = %v after it was cleared", got)
	}

	s.fails(400, "wim", "PUT", "/old", `{"versions":{"9.9.9":{"deprecated":"x"}}}`)
	s.fails(400, "wim", "PUT", "/old", `{}`)
	s.fails(404, "wim", "PUT", "/unknown", `{"versions":{"1.0.0":{"deprecated":"x"}}}`)
	s.fails(403, "rea", "PUT", "/old", `{"versions":{"1.0.0":{"deprecated":"x"}}}`)
}

// TestDeprecatedFromTheStart publishes a manifest that says so itself.
func TestDeprecatedFromTheStart(t *testing.T) {
	s := newRegistry(t)
	s.publish("stillborn", "1.0.0", object{"deprecated": "never use"})
	if got := servertest.At(s.get("/stillborn"), "versions", "1.0.0", "deprecated"); got != "never use" {
		t.Errorf("deprecated = %v", got)
	}
}

func TestUnpublish(t *testing.T) {
	s := newRegistry(t)
	for _, v := range []string{"1.0.0", "1.1.0", "1.2.0", "2.0.0-beta.1"} {
		s.publish("gone", v) // each becomes the latest
	}
	s.Want(t, 200, "ann", "PUT", root+"/-/package/gone/dist-tags/latest", `"1.1.0"`)
	s.Want(t, 200, "ann", "PUT", root+"/-/package/gone/dist-tags/beta", `"2.0.0-beta.1"`)
	s.Want(t, 200, "ann", "PUT", root+"/-/package/gone/dist-tags/old", `"1.0.0"`)
	s.Want(t, 200, "ann", "PUT", root+"/-/package/gone/dist-tags/stale", `"1.0.0"`)
	s.Want(t, 200, "ann", "PUT", root+"/gone", `{"versions":{"1.2.0":{"deprecated":"broken"}}}`)
	before := s.get("/gone")

	// The version behind latest goes. npm would make the beta the latest; the
	// highest stable version that is not deprecated is.
	doc := s.without("gone", "1.1.0")
	doc["dist-tags"].(object)["latest"] = "2.0.0-beta.1"
	doc["dist-tags"].(object)["old"] = "1.2.0"
	delete(doc["dist-tags"].(object), "stale")
	s.Want(t, 200, "ann", "PUT", root+"/gone/-rev/"+s.revOf("gone"), servertest.Encode(t, doc))
	after := s.get("/gone")
	if got := servertest.Encode(t, after["dist-tags"]); got != `{"beta":"2.0.0-beta.1","latest":"1.0.0","old":"1.2.0"}` {
		t.Errorf("dist-tags = %s", got)
	}
	if got := servertest.At(after, "versions").(object); len(got) != 3 || got["1.1.0"] != nil || servertest.At(after, "time", "1.1.0") != nil {
		t.Errorf("versions = %v, time = %v", got, after["time"])
	}
	if !parseTime(t, servertest.At(after, "time", "modified")).After(parseTime(t, servertest.At(before, "time", "modified"))) {
		t.Error("modified did not move on")
	}
	s.fails(404, "", "GET", "/gone/-/gone-1.1.0.tgz", "")
	s.fails(404, "ann", "DELETE", "/gone/-/gone-1.1.0.tgz/-rev/"+s.revOf("gone"), "")
	s.Want(t, 200, "", "GET", root+"/gone/-/gone-1.2.0.tgz", "")

	// A tag on a version that goes disappears.
	s.Want(t, 200, "ann", "PUT", root+"/gone/-rev/undefined", servertest.Encode(t, s.without("gone", "2.0.0-beta.1")))
	if got := servertest.Encode(t, s.get("/gone")["dist-tags"]); got != `{"latest":"1.0.0","old":"1.2.0"}` {
		t.Errorf("dist-tags = %s", got)
	}

	// The number may be used again.
	s.publish("gone", "1.1.0")

	// A tarball's DELETE is the older way; the last version takes the package
	// along.
	for _, file := range []string{"gone-1.0.0.tgz", "1.1.0/gone-1.1.0.tgz", "gone-1.2.0.tgz"} {
		s.Want(t, 200, "ann", "DELETE", root+"/gone/-/"+file+"/-rev/x", "")
	}
	s.fails(404, "", "GET", "/gone", "")
}

func parseTime(t *testing.T, v any) time.Time {
	t.Helper()
	text, _ := v.(string)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestUnpublishGuards(t *testing.T) {
	s := newRegistry(t)
	s.publish("kept", "1.0.0")
	s.publish("kept", "1.1.0")
	rev := s.revOf("kept")
	for name, tt := range map[string]struct {
		login, rev, body string
		status           int
	}{
		"no versions":           {"ann", rev, `{"_id":"kept"}`, 400},
		"versions empty":        {"ann", rev, `{"versions":{}}`, 400},
		"an unknown version":    {"ann", rev, `{"versions":{"1.0.0":{},"3.0.0":{}}}`, 400},
		"a stale revision":      {"ann", "1-abc", `{"versions":{"1.0.0":{}}}`, 409},
		"a tag on nothing":      {"ann", rev, `{"versions":{"1.0.0":{}},"dist-tags":{"next":"1.1.0"}}`, 400},
		"a tag like a range":    {"ann", rev, `{"versions":{"1.0.0":{}},"dist-tags":{"1":"1.0.0"}}`, 400},
		"a list for versions":   {"ann", rev, `{"versions":[]}`, 400},
		"a reader":              {"rea", rev, `{"versions":{"1.0.0":{}}}`, 403},
		"nobody":                {"", rev, `{"versions":{"1.0.0":{}}}`, 401},
		"owners are not ours":   {"ann", rev, `{"_id":"kept","_rev":"` + rev + `","maintainers":[{"name":"eve"}]}`, 200},
		"all versions are kept": {"ann", rev, `{"versions":{"1.0.0":{},"1.1.0":{}}}`, 200},
	} {
		t.Run(name, func(t *testing.T) {
			s.Want(t, tt.status, tt.login, "PUT", root+"/kept/-rev/"+tt.rev, tt.body)
			if got := s.in(t).revOf("kept"); got != rev {
				t.Errorf("the package has changed: %s, was %s", got, rev)
			}
		})
	}
	s.fails(404, "ann", "PUT", "/unknown/-rev/undefined", `{"versions":{"1.0.0":{}}}`)
}

func TestDeletePackage(t *testing.T) {
	s := newRegistry(t)
	s.publish("@acme/all", "1.0.0")
	rev := s.revOf("@acme/all")
	s.fails(403, "rea", "DELETE", "/@acme%2fall/-rev/"+rev, "")
	s.Want(t, 200, "ann", "DELETE", root+"/@acme%2fall/-rev/"+rev, "")
	s.fails(404, "ann", "DELETE", "/@acme%2fall/-rev/"+rev, "")
	s.fails(404, "", "GET", "/@acme%2fall", "")
	s.publish("@acme/all", "1.0.0")
	if again := s.revOf("@acme/all"); again == rev {
		t.Error("the new package has the old one's revision")
	}
}

func TestDistTags(t *testing.T) {
	s := newRegistry(t)
	s.publish("@acme/t", "1.0.0")
	s.publish("@acme/t", "1.1.0")
	const tags = "/-/package/@acme%2ft/dist-tags"
	s.Want(t, 200, "wim", "PUT", root+tags+"/stable", `"1.0.0"`)
	s.Want(t, 200, "wim", "POST", root+tags+"/Stable~1.x_y", `"1.0.0+meta"`)
	s.Want(t, 200, "wim", "PUT", root+tags+"/stable", ` "1.1.0" `)
	if got := servertest.Encode(t, s.get(tags)); got != `{"Stable~1.x_y":"1.0.0","latest":"1.1.0","stable":"1.1.0"}` {
		t.Errorf("dist-tags = %s", got)
	}
	s.Want(t, 200, "wim", "DELETE", root+tags+"/stable", "")
	s.Want(t, 200, "wim", "DELETE", root+tags+"/stable", "")
	s.fails(400, "wim", "DELETE", tags+"/latest", "")
	for _, tag := range []string{"1", "1.0", "v1", "x", "X", "1.x", "1.0.0", "v1.2.3-beta", "1.2.3beta", "~1", "a%20b", "a*", strings.Repeat("t", 129)} {
		s.fails(400, "wim", "PUT", tags+"/"+tag, `"1.0.0"`)
		s.fails(400, "wim", "DELETE", tags+"/"+tag, "")
	}
	for _, tag := range []string{"1-beta", "v", "1.2.3.4", "latest-1", strings.Repeat("t", 128)} {
		s.Want(t, 200, "wim", "PUT", root+tags+"/"+tag, `"1.0.0"`)
	}
	for body, status := range map[string]int{
		`"9.9.9"`: 404, `1.0.0`: 400, `"latest"`: 400, ``: 400, `{"a":1}`: 400, `"` + strings.Repeat("1", 5000) + `"`: 413,
	} {
		s.fails(status, "wim", "PUT", tags+"/next", body)
	}
	s.fails(404, "wim", "PUT", "/-/package/unknown/dist-tags/next", `"1.0.0"`)
	s.fails(404, "", "GET", "/-/package/unknown/dist-tags", "")
	s.fails(403, "rea", "PUT", tags+"/next", `"1.0.0"`)
	s.fails(401, "", "PUT", tags+"/next", `"1.0.0"`)
}

func TestSearch(t *testing.T) {
	s := newRegistry(t)
	s.publish("@acme/hello", "1.0.0", object{
		"description": "Says Hello", "keywords": []any{"greeting"}, "author": "Ann <ann@example.com>", "homepage": "https://example.com/",
		"repository": object{"type": "git", "url": "git+https://example.com/acme/hello.git"}, "bugs": "https://example.com/bugs",
	})
	s.publish("bye", "1.0.0", object{"description": "Says 100% bye"})
	s.publish("bye", "2.0.0-beta.1", object{"description": "Says bye, soon"})
	s.Want(t, 200, "ann", "PUT", root+"/-/package/bye/dist-tags/latest", `"1.0.0"`)
	names := func(query, login string) string {
		t.Helper()
		doc := servertest.Decode(t, s.Want(t, 200, login, "GET", root+"/-/v1/search?"+query, "").Body)
		var found []string
		for _, o := range doc["objects"].([]any) {
			found = append(found, servertest.At(o, "package", "name").(string)+"@"+servertest.At(o, "package", "version").(string))
			if _, ok := servertest.At(o, "package", "maintainers").([]any); !ok {
				t.Errorf("%s: maintainers = %v", query, servertest.At(o, "package", "maintainers"))
			}
		}
		return strings.Join(found, " ")
	}
	const hello, bye = "@acme/hello@1.0.0", "bye@1.0.0"
	for query, want := range map[string]string{
		"text=": hello + " " + bye, "": hello + " " + bye, "text=GREET": hello, "text=says": hello + " " + bye, "text=says+bye": bye,
		"text=zebra": "", "text=100%25": bye, "text=%25": bye, "text=_": "", "size=1": hello, "size=1&from=1": bye, "from=2": "",
		"size=0": "", "size=x&from=-1": hello + " " + bye, "text=%00": "",
	} {
		if got := names(query, ""); got != want {
			t.Errorf("search %q = %q, want %q", query, got, want)
		}
	}
	found := servertest.At(s.get("/-/v1/search?text=hello")["objects"].([]any)[0], "package")
	for key, want := range map[string]string{
		"scope": `"acme"`, "description": `"Says Hello"`, "keywords": `["greeting"]`, "author": `{"name":"Ann"}`, "publisher": `{"username":"ann"}`,
		"links": `{"bugs":"https://example.com/bugs","homepage":"https://example.com/","npm":"` + s.URL + `/acme/npm/@acme/hello","repository":"https://example.com/acme/hello"}`,
	} {
		if got := servertest.Encode(t, servertest.At(found, key)); got != want {
			t.Errorf("%s = %s, want %s", key, got, want)
		}
	}
	if got := s.get("/-/v1/search?text=bye")["objects"].([]any); servertest.At(got[0], "package", "scope") != "unscoped" {
		t.Errorf("scope = %v", servertest.At(got[0], "package", "scope"))
	}
}

func TestAccount(t *testing.T) {
	s := newRegistry(t)
	if got := servertest.Encode(t, s.get("/-/ping")); got != "{}" {
		t.Errorf("ping = %s", got)
	}
	s.fails(401, "", "GET", "/-/whoami", "")
	if got := servertest.Decode(t, s.Want(t, 200, "rea", "GET", root+"/-/whoami", "").Body); got["username"] != "rea" {
		t.Errorf("whoami = %v", got)
	}

	const user = "/-/user/org.couchdb.user:ann"
	body := `{"_id":"org.couchdb.user:ann","name":"ann","password":"` + servertest.Password + `","type":"user","roles":[],"date":"x"}`
	// A client may still send the token that has expired.
	res := s.Want(t, 201, "", "PUT", root+user, body, "Authorization", "Bearer ent-old")
	answer := servertest.Decode(t, res.Body)
	token, _ := answer["token"].(string)
	if answer["ok"] != true || answer["id"] != "org.couchdb.user:ann" || !strings.HasPrefix(token, "ent-") {
		t.Fatalf("login = %v", answer)
	}
	bearer := []string{"Authorization", "Bearer " + token}
	if got := servertest.Decode(t, s.Want(t, 200, "", "GET", root+"/-/whoami", "", bearer...).Body); got["username"] != "ann" {
		t.Errorf("whoami with the new token = %v", got)
	}
	s.Want(t, 201, "", "PUT", root+"/loggedin", servertest.Encode(t, newRelease(t, "loggedin", "1.0.0").body), bearer...)

	s.fails(401, "", "DELETE", "/-/user/token/"+token, "")
	s.Want(t, 200, "", "DELETE", root+"/-/user/token/"+token, "", bearer...)
	s.Want(t, 401, "", "GET", root+"/-/whoami", "", bearer...)
	s.fails(404, "ann", "DELETE", "/-/user/token/"+token, "")

	for body, status := range map[string]int{
		`{"name":"ann","password":"wrong"}`: 401, `{"name":"nobody","password":"x"}`: 400, `{"name":"ann"}`: 401, `[]`: 400, ``: 400,
		`{"name":"ann","password":"` + strings.Repeat("x", 20<<10) + `"}`: 413,
	} {
		s.fails(status, "", "PUT", user, body)
	}
	s.fails(404, "", "PUT", "/-/user/ann", body)
	s.fails(404, "", "POST", "/-/v1/login", `{}`)
	s.fails(404, "", "POST", "/-/npm/v1/security/advisories/bulk", "\x1f\x8b")
}

// TestLoginGivesNoMore logs in with a token in place of the password: the new
// one can do no more than that one.
func TestLoginGivesNoMore(t *testing.T) {
	s := newRegistry(t)
	weak := s.Token(t, "ann", "read:package")
	res := s.Want(t, 201, "", "PUT", root+"/-/user/org.couchdb.user:ann", `{"name":"ann","password":"`+weak+`"}`)
	token := servertest.Decode(t, res.Body)["token"].(string)
	body := servertest.Encode(t, newRelease(t, "x", "1.0.0").body)
	s.Want(t, 403, "", "PUT", root+"/x", body, "Authorization", "Bearer "+token)
}

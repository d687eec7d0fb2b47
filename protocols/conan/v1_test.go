package conan_test

import (
	"crypto/md5"
	"encoding/hex"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/server/servertest"
)

// TestVersion1 uploads and reads as Conan 1 does without revisions.
func TestVersion1(t *testing.T) {
	r := newRemote(t)
	const ref = "pkg/1.0/acme/stable"
	at := root + "/v1/conans/" + ref
	for _, path := range []string{"", "/digest", "/download_urls", "/search", "/packages/p1", "/packages/p1/download_urls"} {
		r.get(404, at+path)
	}
	post := func(status int, path, body string) object {
		t.Helper()
		res := r.Want(t, status, "wim", "POST", at+path, body)
		if res.Body == "" {
			return nil
		}
		return servertest.Decode(t, res.Body)
	}
	// upload asks where the files go and puts them there, in order, each first
	// without its content.
	upload := func(path string, files ...string) {
		t.Helper()
		sizes := object{}
		for i := 0; i < len(files); i += 2 {
			sizes[files[i]] = len(files[i+1])
		}
		urls := post(200, path+"/upload_urls", servertest.Encode(t, sizes))
		for i := 0; i < len(files); i += 2 {
			url, _ := urls[files[i]].(string)
			sum := sha1Of(files[i+1])
			r.put(404, url, "", "X-Checksum-Deploy", "true", "X-Checksum-Sha1", sum)
			r.put(201, strings.Replace(url, "/v1/files/", "/v1/files;build=1;x=y/", 1), files[i+1], "X-Checksum-Sha1", sum)
			if got := r.get(200, url).Body; got != files[i+1] {
				t.Errorf("%s: %q", url, got)
			}
		}
	}
	upload("", "conan_sources.tgz", "sources", "conanfile.py", conanfile, "conanmanifest.txt", "m")
	upload("/packages/p1", "conan_package.tgz", "archive", "conaninfo.txt", conaninfo, "conanmanifest.txt", "m")
	upload("/packages/p2", "conaninfo.txt", "", "conanmanifest.txt", "m")

	sum := md5.Sum([]byte("sources"))
	if got := r.json(at); len(got) != 3 || got["conan_sources.tgz"] != hex.EncodeToString(sum[:]) {
		t.Errorf("snapshot %v", got)
	}
	if got := r.json(at + "/packages/p1"); len(got) != 3 {
		t.Errorf("snapshot of the binary %v", got)
	}
	for path, file := range map[string]string{"/digest": "/0/recipe/conanmanifest.txt", "/packages/p1/digest": "/0/package/p1/0/conanmanifest.txt"} {
		if got := r.json(at + path); len(got) != 1 || got["conanmanifest.txt"] != r.URL+root+"/v1/files/"+ref+file {
			t.Errorf("%s: %v", path, got)
		}
	}
	for path, n := range map[string]int{"/download_urls": 3, "/packages/p1/download_urls": 3, "/packages/p2/download_urls": 2} {
		got := r.json(at + path)
		for _, url := range got {
			r.get(200, url.(string))
		}
		if len(got) != n {
			t.Errorf("%s: %v", path, got)
		}
	}
	if got := r.json(at + "/search?q=os=Linux"); len(got) != 2 || servertest.At(got, "p1", "settings", "os") != "Linux" {
		t.Errorf("binaries %v", got)
	}
	r.get(404, at+"/packages/p3")
	r.get(404, root+"/v1/other/"+ref+"/0/recipe/conanfile.py")
	r.put(404, root+"/v1/filesx/"+ref+"/0/recipe/conanfile.py", "")

	for name, body := range map[string]string{
		"not JSON": "{", "a list": "[]", "unknown file": `{"x":1}`, "no number": `{"conanfile.py":"1"}`, "negative": `{"conanfile.py":-1}`,
	} {
		if post(400, "/upload_urls", body)["errors"] == nil {
			t.Error(name)
		}
	}
	post(413, "/upload_urls", `{"conanfile.py":1`+strings.Repeat(" ", 1<<20)+"}")
	post(400, "/remove_files", "x")
	post(400, "/packages/delete", "x")

	// A client with revisions adds one, which is then what is read.
	r.publish(ref, "r1")
	if got := r.json(at + "/digest"); got["conanmanifest.txt"] != r.URL+root+"/v1/files/"+ref+"/r1/recipe/conanmanifest.txt" {
		t.Errorf("digest %v", got)
	}
	r.build(ref, "r1", "p1", "v1", conaninfo)
	if got := r.json(at + "/packages/p1/digest"); got["conanmanifest.txt"] != r.URL+root+"/v1/files/"+ref+"/r1/package/p1/v1/conanmanifest.txt" {
		t.Errorf("digest of the binary %v", got)
	}
	if got := r.json(at + "/search"); len(got) != 2 {
		t.Errorf("binaries %v", got)
	}

	upload("", "conanfile.py", conanfile+"\n", "conanmanifest.txt", "m2")
	post(200, "/remove_files", `{"files":["conan_sources.tgz"]}`)
	post(404, "/remove_files", `{"files":["conan_sources.tgz"]}`)
	if got := r.json(at); len(got) != 2 {
		t.Errorf("snapshot %v", got)
	}
	post(200, "/packages/delete", `{"package_ids":["p1"]}`)
	post(404, "/packages/delete", `{"package_ids":["p1"]}`)
	if got := r.json(at + "/search"); len(got) != 1 {
		t.Errorf("binaries %v", got)
	}
	post(200, "/packages/delete", `{"package_ids":[]}`)
	post(404, "/packages/delete", `{"package_ids":[]}`)
	if got := r.json(at + "/search"); len(got) != 0 {
		t.Errorf("binaries %v", got)
	}
	r.Want(t, 200, "wim", "DELETE", at, "")
	r.Want(t, 404, "wim", "DELETE", at, "")
	r.get(404, at)
}

func TestSignIn(t *testing.T) {
	r := newRemote(t)
	r.SetVisibility(t, "acme", access.Private)
	r.publish("pkg/1.0/_/_", "r1")
	latest := recipe("pkg/1.0/_/_") + "/latest"
	for _, api := range []string{"/v1", "/v2"} {
		if res := r.get(200, root+api+"/ping"); res.Header.Get("X-Conan-Server-Capabilities") != "revisions" || res.Body != "" {
			t.Errorf("ping: %v %q", res.Header, res.Body)
		}
		r.get(200, "/api/packages/nobody/conan"+api+"/ping")
		for _, path := range []string{"/users/authenticate", "/users/check_credentials"} {
			if res := r.get(401, root+api+path); !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), `Basic realm="`) {
				t.Errorf("%v", res.Header)
			}
		}
		for _, token := range []string{"unset", "eyJ.x.y", "nonsense"} {
			r.get(401, root+api+"/users/check_credentials", "Authorization", "Bearer "+token)
		}
	}
	signIn := func(login string) string {
		t.Helper()
		res := r.Want(t, 200, login, "GET", root+"/v2/users/authenticate", "")
		if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") || strings.TrimSpace(res.Body) != res.Body {
			t.Errorf("%q", res.Body)
		}
		return "Bearer " + res.Body
	}
	r.get(401, latest)
	r.get(401, latest, "Authorization", "Bearer eyJ.x.y")
	r.get(404, latest, "Authorization", signIn("out"))
	reader, writer := signIn("rea"), signIn("wim")
	r.get(200, latest, "Authorization", reader)
	if res := r.get(200, root+"/v2/users/check_credentials", "Authorization", reader); res.Body != "rea" {
		t.Errorf("%q", res.Body)
	}
	put := func(status int, credential string) {
		t.Helper()
		r.Want(t, status, "", "PUT", revision("pkg/1.0/_/_", "r1")+"/files/metadata/a", "x", "Authorization", credential)
	}
	put(403, reader)
	put(201, writer)
	put(201, "Bearer "+r.Tokens["wim"]) // a personal token will do as well
	// What comes of a token that may only read may only read.
	reading := r.Token(t, "wim", access.ReadPackage)
	res := r.get(200, root+"/v2/users/authenticate", "Authorization", "Bearer "+reading)
	put(403, "Bearer "+res.Body)
	r.get(200, latest, "Authorization", "Bearer "+res.Body)
}

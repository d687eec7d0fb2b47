package container_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/registry"
	"entrepot/server/servertest"
)

func TestManifest(t *testing.T) {
	s := servertest.New(t)
	blob(t, s, root, emptyConfig)
	blob(t, s, root, "layer")
	m := " " + image(`,"unknown":{"a":[1,2.50]}`, "layer") + "\n\n"
	d := digest(m)
	res := s.Want(t, 201, "wim", "PUT", root+"/manifests/v1", m, "Content-Type", ociImage+"; charset=utf-8")
	if res.Header.Get("Location") != root+"/manifests/"+d || res.Header.Get("Docker-Content-Digest") != d {
		t.Errorf("created with %v", res.Header)
	}
	for _, ref := range []string{"v1", d} {
		for _, method := range []string{"GET", "HEAD"} {
			res := s.Want(t, 200, "", method, root+"/manifests/"+ref, "", "Accept", "text/html")
			for name, want := range map[string]string{
				"Content-Type": ociImage, "Content-Length": fmt.Sprint(len(m)), "Docker-Content-Digest": d, "ETag": `"` + d + `"`,
			} {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s %s %s = %q, want %q", method, ref, name, got, want)
				}
			}
			if method == "GET" && res.Body != m {
				t.Errorf("the bytes changed: %q", res.Body)
			}
		}
		s.Want(t, 304, "", "GET", root+"/manifests/"+ref, "", "If-None-Match", `"`+d+`"`)
	}
	// A tag may go back to an older manifest: dates say nothing.
	if got := s.Want(t, 200, "", "GET", root+"/manifests/v1", "").Header; got.Get("Last-Modified") != "" || strings.Contains(got.Get("Cache-Control"), "immutable") {
		t.Errorf("tag served with %v", got)
	}
	refuse(t, s.Do(t, "rea", "GET", root+"/manifests/v2", ""), 404, "MANIFEST_UNKNOWN")
	refuse(t, s.Do(t, "rea", "GET", root+"/manifests/"+zeroes, ""), 404, "MANIFEST_UNKNOWN")
	refuse(t, s.Do(t, "rea", "GET", "/v2/acme/none/manifests/v1", ""), 404, "NAME_UNKNOWN")
	refuse(t, s.Do(t, "rea", "GET", root+"/manifests/sha256:x", ""), 400, "DIGEST_INVALID")
	if res := s.Want(t, 404, "rea", "HEAD", root+"/manifests/v2", ""); res.Body != "" {
		t.Errorf("HEAD has a body: %q", res.Body)
	}
	refuse(t, s.Do(t, "wim", "PUT", root+"/manifests/"+zeroes, m, "Content-Type", ociImage), 400, "DIGEST_INVALID")
	refuse(t, s.Do(t, "wim", "PUT", root+"/manifests/.bad", m, "Content-Type", ociImage), 400, "MANIFEST_INVALID")
	refuse(t, s.Do(t, "wim", "PUT", root+"/manifests/big", strings.Repeat(" ", 10<<20)+m, "Content-Type", ociImage), 413, "SIZE_INVALID")
	// SHA-512 stays the name under which it was pushed.
	res = s.Want(t, 201, "wim", "PUT", root+"/manifests/"+digest512(m), m, "Content-Type", ociImage)
	if res.Header.Get("Docker-Content-Digest") != digest512(m) {
		t.Errorf("%v", res.Header)
	}
	if got := s.Want(t, 200, "", "GET", root+"/manifests/"+digest512(m), ""); got.Body != m || got.Header.Get("Docker-Content-Digest") != digest512(m) {
		t.Errorf("%v", got.Header)
	}
}

func TestManifestParts(t *testing.T) {
	s := servertest.New(t)
	blob(t, s, root, emptyConfig)
	put := func(ref, m, typ string) servertest.Response {
		t.Helper()
		return s.Do(t, "wim", "PUT", root+"/manifests/"+ref, m, "Content-Type", typ)
	}
	res := put("1", image("", "absent", "gone"), ociImage)
	refuse(t, res, 404, "MANIFEST_BLOB_UNKNOWN")
	if !strings.Contains(res.Body, digest("absent")) || !strings.Contains(res.Body, digest("gone")) {
		t.Errorf("the detail does not name the blobs: %s", res.Body)
	}
	wrong := strings.Replace(image("", emptyConfig), `"size":2`, `"size":3`, 1)
	refuse(t, put("1", wrong, ociImage), 400, "SIZE_INVALID")
	foreign := strings.Replace(image("", "elsewhere"), `"layers":[{`, `"layers":[{"urls":["https://example.com/l"],`, 1)
	if res := put("foreign", foreign, ociImage); res.StatusCode != 201 {
		t.Errorf("a layer with urls is refused: %s", res.Body)
	}
	index := func(children ...string) string {
		list := make([]string, len(children))
		for i, c := range children {
			list[i] = descriptorOf(ociImage, c)
		}
		return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, ociIndex, strings.Join(list, ","))
	}
	child := image(`,"annotations":{"a":"b"}`)
	refuse(t, put("i", index(child), ociIndex), 404, "MANIFEST_BLOB_UNKNOWN")
	for _, tt := range []struct{ name, manifest string }{
		{"empty", index()},
		{"of a blob", index(emptyConfig)},
		{"of an index", index(index())},
	} {
		if res := put("i", tt.manifest, ociIndex); res.StatusCode != 201 {
			t.Errorf("index %s: %d %s", tt.name, res.StatusCode, res.Body)
		}
	}
	// The owner may allow what is not all there.
	sparse := true
	if _, err := s.Registry().UpdateOwner(access.SystemContext(context.Background()), "acme", registry.OwnerChange{ContainerSparseIndex: &sparse}); err != nil {
		t.Fatal(err)
	}
	if res := put("sparse", index(child), ociIndex); res.StatusCode != 201 {
		t.Errorf("sparse index: %s", res.Body)
	}
}

func TestTags(t *testing.T) {
	s := servertest.New(t)
	one := push(t, s, root, "latest", "", "one")
	two := push(t, s, root, "latest", "", "two")
	if one == two {
		t.Fatal("the images are the same")
	}
	if got := s.Want(t, 200, "", "HEAD", root+"/manifests/latest", "").Header.Get("Docker-Content-Digest"); got != two {
		t.Errorf("latest = %s, want %s", got, two)
	}
	// The old one stays for who pinned it.
	s.Want(t, 200, "", "GET", root+"/manifests/"+one, "")
	// Tags are told apart by case.
	push(t, s, root, "v1", "", "one")
	push(t, s, root, "V1", "", "two")
	push(t, s, root, "10", "", "one")
	push(t, s, root, "9", "", "one")
	for _, tt := range []struct{ query, body, link string }{
		{"", `{"name":"acme/app","tags":["10","9","V1","latest","v1"]}`, ""},
		{"?n=2", `{"name":"acme/app","tags":["10","9"]}`, `</v2/acme/app/tags/list?last=9&n=2>; rel="next"`},
		{"?n=2&last=9", `{"name":"acme/app","tags":["V1","latest"]}`, `</v2/acme/app/tags/list?last=latest&n=2>; rel="next"`},
		{"?n=2&last=latest", `{"name":"acme/app","tags":["v1"]}`, ""},
		{"?n=5", `{"name":"acme/app","tags":["10","9","V1","latest","v1"]}`, ""},
		{"?last=W", `{"name":"acme/app","tags":["latest","v1"]}`, ""},
		{"?n=0", `{"name":"acme/app","tags":[]}`, ""},
		{"?last=zzz", `{"name":"acme/app","tags":[]}`, ""},
	} {
		res := s.Want(t, 200, "", "GET", root+"/tags/list"+tt.query, "")
		if strings.TrimSpace(res.Body) != tt.body || res.Header.Get("Link") != tt.link {
			t.Errorf("tags%s: %s Link %q", tt.query, res.Body, res.Header.Get("Link"))
		}
	}
	for _, n := range []string{"-1", "x", "1.5", ""} {
		refuse(t, s.Do(t, "", "GET", root+"/tags/list?n="+n, ""), 400, "PAGINATION_NUMBER_INVALID")
	}
	refuse(t, s.Do(t, "rea", "GET", "/v2/acme/none/tags/list", ""), 404, "NAME_UNKNOWN")
	// A tag goes alone, a digest with all its tags.
	s.Want(t, 202, "wim", "DELETE", root+"/manifests/V1", "")
	refuse(t, s.Do(t, "wim", "DELETE", root+"/manifests/V1", ""), 404, "MANIFEST_UNKNOWN")
	s.Want(t, 200, "", "GET", root+"/manifests/"+two, "")
	s.Want(t, 202, "wim", "DELETE", root+"/manifests/"+one, "")
	refuse(t, s.Do(t, "wim", "DELETE", root+"/manifests/"+one, ""), 404, "MANIFEST_UNKNOWN")
	if got := s.Want(t, 200, "", "GET", root+"/tags/list", "").Body; strings.TrimSpace(got) != `{"name":"acme/app","tags":["latest"]}` {
		t.Errorf("tags %s", got)
	}
	// With the last manifest the repository goes.
	s.Want(t, 202, "wim", "DELETE", root+"/manifests/"+two, "")
	refuse(t, s.Do(t, "wim", "GET", root+"/tags/list", ""), 404, "NAME_UNKNOWN")
	refuse(t, s.Do(t, "wim", "DELETE", root+"/blobs/"+digest("one"), ""), 404, "NAME_UNKNOWN")
}

func TestTagParameters(t *testing.T) {
	s := servertest.New(t)
	blob(t, s, root, emptyConfig)
	m := image("")
	res := s.Want(t, 201, "wim", "PUT", root+"/manifests/"+digest(m)+"?tag=b&tag=a&tag=b", m, "Content-Type", ociImage)
	if got := strings.Join(res.Header.Values("OCI-Tag"), " "); got != "a b" {
		t.Errorf("OCI-Tag = %q", got)
	}
	if got := s.Want(t, 200, "", "GET", root+"/tags/list", "").Body; !strings.Contains(got, `["a","b"]`) {
		t.Errorf("tags %s", got)
	}
	refuse(t, s.Do(t, "wim", "PUT", root+"/manifests/x?tag=a", m, "Content-Type", ociImage), 400, "MANIFEST_INVALID")
	refuse(t, s.Do(t, "wim", "PUT", root+"/manifests/"+digest(m)+"?tag=.a", m, "Content-Type", ociImage), 400, "MANIFEST_INVALID")
	many := "?"
	for i := range 101 {
		many += fmt.Sprintf("tag=t%d&", i)
	}
	refuse(t, s.Do(t, "wim", "PUT", root+"/manifests/"+digest(m)+many, m, "Content-Type", ociImage), 414, "MANIFEST_INVALID")
}

func TestConditionalTagMove(t *testing.T) {
	s := servertest.New(t)
	one := push(t, s, root, "v1", "", "one")
	two := push(t, s, root, "v2", "", "two")
	m := image("", "two")
	put := func(tag, header, value string) int {
		return s.Do(t, "wim", "PUT", root+"/manifests/"+tag, m, "Content-Type", ociImage, header, value).StatusCode
	}
	for _, tt := range []struct {
		tag, header, value string
		want               int
	}{
		{"v1", "If-None-Match", "*", 412},
		{"v1", "If-Match", `"` + two + `"`, 412},
		{"new", "If-Match", "*", 412},
		{"v1", "If-Match", `"` + one + `"`, 201},
		{"new", "If-None-Match", "*", 201},
	} {
		if got := put(tt.tag, tt.header, tt.value); got != tt.want {
			t.Errorf("%s with %s: %s answered %d, want %d", tt.tag, tt.header, tt.value, got, tt.want)
		}
	}
}

func TestImmutableTags(t *testing.T) {
	s := servertest.New(t)
	patterns := []string{"app:v*", "*/x:*"}
	if _, err := s.Registry().UpdateOwner(access.SystemContext(context.Background()), "acme", registry.OwnerChange{ContainerImmutableTags: &patterns}); err != nil {
		t.Fatal(err)
	}
	one := push(t, s, root, "v1", "", "one")
	push(t, s, root, "v1", "", "one") // the same is no move
	push(t, s, root, "free", "", "one")
	push(t, s, root, "free", "", "two")
	refuse(t, s.Do(t, "wim", "PUT", root+"/manifests/v1", image("", "two"), "Content-Type", ociImage), 403, "DENIED")
	refuse(t, s.Do(t, "wim", "DELETE", root+"/manifests/v1", ""), 403, "DENIED")
	refuse(t, s.Do(t, "wim", "DELETE", root+"/manifests/"+one, ""), 403, "DENIED")
	s.Want(t, 202, "wim", "DELETE", root+"/manifests/free", "")
}

func TestReferrers(t *testing.T) {
	s := servertest.New(t)
	subject := digest("not here yet")
	path := root + "/referrers/" + subject
	none := `{"schemaVersion":2,"mediaType":"` + ociIndex + `","manifests":[]}`
	// Nothing is there, not even the repository.
	if res := s.Want(t, 200, "", "GET", path, ""); res.Body != none || res.Header.Get("Content-Type") != ociIndex {
		t.Errorf("%s, %v", res.Body, res.Header)
	}
	refers := fmt.Sprintf(`,"subject":{"mediaType":%q,"digest":%q,"size":1}`, ociImage, subject)
	m := image(refers + `,"artifactType":"application/x.sbom","annotations":{"k":"v"}`)
	blob(t, s, root, emptyConfig)
	res := s.Want(t, 201, "wim", "PUT", root+"/manifests/"+digest(m), m, "Content-Type", ociImage)
	if got := res.Header.Get("OCI-Subject"); got != subject {
		t.Errorf("OCI-Subject = %q", got)
	}
	plain := image(refers)
	s.Want(t, 201, "wim", "PUT", root+"/manifests/sha256-x", plain, "Content-Type", ociImage)
	list := func(query string) (string, http.Header) {
		res := s.Want(t, 200, "", "GET", path+query, "")
		var index struct {
			Manifests []struct{ Digest, ArtifactType string }
		}
		if err := json.Unmarshal([]byte(res.Body), &index); err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, m := range index.Manifests {
			found = append(found, m.Digest+" "+m.ArtifactType)
		}
		return strings.Join(found, "\n"), res.Header
	}
	sbom := digest(m) + " application/x.sbom"
	if got, _ := list(""); got != sbom+"\n"+digest(plain)+" application/vnd.oci.empty.v1+json" {
		t.Errorf("referrers:\n%s", got)
	}
	if got, h := list("?artifactType=application/x.sbom"); got != sbom || h.Get("OCI-Filters-Applied") != "artifactType" {
		t.Errorf("filtered: %s, %v", got, h)
	}
	refuse(t, s.Do(t, "", "GET", root+"/referrers/x", ""), 400, "DIGEST_INVALID")
	s.Want(t, 202, "wim", "DELETE", root+"/manifests/"+digest(m), "")
	if got, _ := list("?artifactType=application/x.sbom"); got != "" {
		t.Errorf("after deletion: %s", got)
	}
	s.SetVisibility(t, "acme", access.Private)
	refuse(t, s.Do(t, "out", "GET", path, ""), 404, "NAME_UNKNOWN")
}

func TestDeletionKeepsWhatIsNeeded(t *testing.T) {
	s := servertest.New(t)
	push(t, s, root, "1", "", "layer")
	loose := blob(t, s, root, "loose")
	for _, needed := range []string{"layer", emptyConfig} {
		refuse(t, s.Do(t, "wim", "DELETE", root+"/blobs/"+digest(needed), ""), 405, "DENIED")
	}
	s.Want(t, 202, "wim", "DELETE", root+"/blobs/"+loose, "")
	refuse(t, s.Do(t, "wim", "DELETE", root+"/blobs/"+loose, ""), 404, "BLOB_UNKNOWN")
	refuse(t, s.Do(t, "rea", "DELETE", root+"/blobs/"+digest("layer"), ""), 403, "DENIED")
	refuse(t, s.Do(t, "rea", "DELETE", root+"/manifests/1", ""), 403, "DENIED")
}

func TestPackageVisibility(t *testing.T) {
	s := servertest.New(t)
	push(t, s, root, "1", "", "layer")
	space, err := s.Registry().Enter(access.SystemContext(context.Background()), "acme", "container", access.Manage)
	if err != nil {
		t.Fatal(err)
	}
	p, err := space.AnyPackage(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	if err := space.SetVisibility(t.Context(), p, access.Private); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/manifests/1", "/blobs/" + digest("layer"), "/tags/list"} {
		refuse(t, s.Do(t, "", "GET", root+path, ""), 401, "UNAUTHORIZED")
		refuse(t, s.Do(t, "out", "GET", root+path, ""), 404, "NAME_UNKNOWN")
		s.Want(t, 200, "rea", "GET", root+path, "")
	}
	if got := s.Want(t, 200, "out", "GET", "/v2/_catalog", "").Body; strings.Contains(got, "app") {
		t.Errorf("the catalog tells: %s", got)
	}
	s.Want(t, 202, "out", "POST", "/v2/out/x/blobs/uploads/?mount="+digest("layer")+"&from=acme/app", "")
}

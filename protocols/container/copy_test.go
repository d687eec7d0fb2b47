package container_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"entrepot/server/servertest"
)

// An image that is copied to another owner is pulled there by the same digests:
// each platform, its layers, and what signs it.
func TestCopiedImageIsPulled(t *testing.T) {
	s := servertest.New(t)
	one := push(t, s, root, "", "", "shared", "one")
	two := push(t, s, root, "", "", "shared", "two")
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"digest":%q,"size":%d},{"mediaType":%q,"digest":%q,"size":%d}]}`,
		ociIndex, ociImage, one, len(image("", "shared", "one")), ociImage, two, len(image("", "shared", "two")))
	s.Want(t, 201, "wim", "PUT", root+"/manifests/dev", manifest, "Content-Type", ociIndex)
	index := digest(manifest)
	about := fmt.Sprintf(`,"artifactType":"application/spdx+json","subject":{"mediaType":%q,"digest":%q,"size":%d}`, ociIndex, index, len(manifest))
	sbom := push(t, s, root, "", about, "sbom")
	tag := strings.Replace(index, ":", "-", 1) + ".sig"
	signature := push(t, s, root, tag, "", "signature")

	found := query(t, s, fmt.Sprintf(`{package(owner:"acme",type:"container",name:"app"){version(version:%q){id
		referrers(first:9){totalCount edges{kind artifactType node{version}}}}}}`, index))
	for _, want := range []string{
		`"totalCount":2`,
		`{"kind":"SBOM","artifactType":"application/spdx+json","node":{"version":"` + sbom + `"}}`,
		`{"kind":"SIGNATURE","artifactType":"application/vnd.oci.empty.v1+json","node":{"version":"` + signature + `"}}`,
	} {
		if !strings.Contains(found, want) {
			t.Errorf("%s is missing in %s", want, found)
		}
	}
	id := regexp.MustCompile(`"id":"(.+?)"`).FindStringSubmatch(found)[1]
	for range 2 { // once more changes nothing
		query(t, s, fmt.Sprintf(`mutation{copyVersion(input:{version:%q,owner:"wim",package:"stable/app",tags:["1.0"]}){version{version}}}`, id))
	}
	const copied = "/v2/wim/stable/app"
	for path, want := range map[string]string{
		"/manifests/1.0":                manifest,
		"/manifests/" + one:             image("", "shared", "one"),
		"/manifests/" + two:             image("", "shared", "two"),
		"/manifests/" + sbom:            image(about, "sbom"),
		"/manifests/" + tag:             image("", "signature"),
		"/blobs/" + digest("shared"):    "shared",
		"/blobs/" + digest("two"):       "two",
		"/blobs/" + digest("sbom"):      "sbom",
		"/blobs/" + digest(emptyConfig): emptyConfig,
	} {
		if res := s.Want(t, 200, "wim", "GET", copied+path, ""); res.Body != want {
			t.Errorf("%s: got %s, want %s", path, res.Body, want)
		}
	}
	var list struct {
		Manifests []struct{ Digest, ArtifactType string }
	}
	res := s.Want(t, 200, "wim", "GET", copied+"/referrers/"+index, "")
	if err := json.Unmarshal([]byte(res.Body), &list); err != nil || len(list.Manifests) != 1 || list.Manifests[0].Digest != sbom {
		t.Errorf("referrers %s, %v", res.Body, err)
	}
	for _, name := range []string{"App", "a//b", strings.Repeat("a", 260)} {
		res := s.Want(t, 200, "wim", "POST", "/graphql", graphQL(fmt.Sprintf(`mutation{copyVersion(input:{version:%q,owner:"wim",package:%q}){version{version}}}`, id, name)), "Content-Type", "application/json")
		if !strings.Contains(res.Body, `"field":"package"`) || !strings.Contains(res.Body, `"INVALID"`) {
			t.Errorf("copied to %.20q: %s", name, res.Body)
		}
	}
	// The original may go: the copy has all it needs.
	s.Want(t, 202, "wim", "DELETE", root+"/manifests/"+index, "")
	s.Want(t, 200, "wim", "GET", copied+"/manifests/"+signature, "")
}

func graphQL(text string) string {
	raw, err := json.Marshal(map[string]string{"query": text})
	if err != nil {
		panic(err) // a string alone
	}
	return string(raw)
}

// query asks the API as wim.
func query(t *testing.T, s *servertest.Server, text string) string {
	t.Helper()
	res := s.Want(t, 200, "wim", "POST", "/graphql", graphQL(text), "Content-Type", "application/json")
	if strings.Contains(res.Body, `"errors"`) {
		t.Fatalf("%s: %s", text, res.Body)
	}
	return res.Body
}

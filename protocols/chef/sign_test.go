package chef_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/server/servertest"
)

// TestSigned shares and removes cookbooks by requests that are signed, in the
// three forms there are.
func TestSigned(t *testing.T) {
	s := newServer(t)
	key := s.key("ann", "laptop")
	other := s.key("ann", "desk")
	for i, version := range []string{"1.0", "1.1", "1.3"} {
		archive := cookbook(t, "foo", fmt.Sprint("1.0.", i))
		sig := signing{version: version, user: "ann", method: "POST", path: api + "/cookbooks", content: archive, at: time.Now().Add(-14 * time.Minute), key: key}
		if i == 1 {
			sig.key, sig.user, sig.at = other, "ANN", time.Now().Add(14*time.Minute)
		}
		headers := sig.headers(t)
		s.Want(t, 201, "", "POST", api+"/cookbooks", sent(archive), append(headers, formHeaders...)...)
		if message := s.fails(409, "", "POST", "/api/v1/cookbooks", sent(archive), append(headers, formHeaders...)...); message != "Version already exists" {
			t.Errorf("message = %s", message)
		}
		sig.method, sig.path, sig.content = "PUT", api+"/cookbooks/foo/deprecate", `{"replacement":"bar"}`
		s.Want(t, 200, "", "PUT", sig.path, sig.content, sig.headers(t)...)
		sig.method, sig.path, sig.content = "DELETE", api+"/cookbooks/foo/versions/1_0_"+fmt.Sprint(i), ""
		// Repeated slashes, and one at the end, are not signed.
		s.Want(t, 200, "", "DELETE", sig.path+"/", "", sig.headers(t)...)
		// The first request does not undo that.
		if message := s.fails(401, "", "POST", "/api/v1/cookbooks", sent(archive), append(headers, formHeaders...)...); !strings.Contains(message, "used before") {
			t.Errorf("message = %s", message)
		}
	}
	// Below a token in the path, it is the signature that counts.
	archive, path := cookbook(t, "foo", "1.0.0"), root+"/t/"+s.Tokens["rea"]+"/api/v1/cookbooks"
	s.Want(t, 401, "", "POST", path, sent(archive), formHeaders...)
	sig := signing{version: "1.0", user: "ann", method: "POST", path: path, content: archive, at: time.Now(), key: key}
	res := s.Want(t, 201, "", "POST", path, sent(archive), append(sig.headers(t), formHeaders...)...)
	if !strings.Contains(res.Body, s.URL+path+"/foo") {
		t.Errorf("answer = %s", res.Body)
	}
}

// TestBadSignatures sends requests whose signature is not good.
func TestBadSignatures(t *testing.T) {
	s := newServer(t)
	key, foreign := s.key("ann", "laptop"), s.key("out", "laptop")
	gone := s.key("ann", "old")
	s.Want(t, 204, "ann", "DELETE", root+"/keys/old", "")
	archive := cookbook(t, "foo", "1.0.0")
	good := signing{version: "1.0", user: "ann", method: "POST", path: api + "/cookbooks", content: archive, at: time.Now(), key: key}
	change := func(f func(*signing), headers ...string) []string {
		changed := good
		f(&changed)
		return with(changed.headers(t), headers...)
	}
	none := func(*signing) {}
	for _, c := range []struct {
		name    string
		headers []string
		says    string
	}{
		{"another's key", change(func(s *signing) { s.key = foreign }), `not one of a key of "ann"`},
		{"a key that is gone", change(func(s *signing) { s.key = gone }), `not one of a key of "ann"`},
		{"nobody", change(func(s *signing) { s.user = "nobody" }), `not one of a key of "nobody"`},
		{"an organization", change(func(s *signing) { s.user = "acme" }), `not one of a key of "acme"`},
		{"long name", change(none, "X-Ops-Userid", strings.Repeat("a", 1000)), "not one of a key of"},
		{"another method", change(func(s *signing) { s.method = "PUT" }), "not one of a key"},
		{"another path", change(func(s *signing) { s.path += "x" }), "not one of a key"},
		{"old", change(func(s *signing) { s.at = time.Now().Add(-16 * time.Minute) }), "time stamp"},
		{"from the future", change(func(s *signing) { s.at = time.Now().Add(16 * time.Minute) }), "time stamp"},
		{"another time", change(none, "X-Ops-Timestamp", good.at.Add(time.Second).UTC().Format("2006-01-02T15:04:05Z")), "not one of a key"},
		{"no time", change(none, "X-Ops-Timestamp", ""), "time stamp"},
		{"bad time", change(none, "X-Ops-Timestamp", "yesterday"), "time stamp"},
		{"other content", change(func(s *signing) { s.content = "other" }), "content differs"},
		{"other content, 1.3", change(func(s *signing) { s.version, s.content = "1.3", "other" }), "content differs"},
		{"no hash", change(none, "X-Ops-Content-Hash", ""), "X-Ops-Content-Hash"},
		{"no user", change(none, "X-Ops-Userid", ""), "X-Ops-Userid"},
		{"no form", change(none, "X-Ops-Sign", ""), "form"},
		{"version 1.2", change(none, "X-Ops-Sign", "algorithm=sha256;version=1.2"), "form"},
		{"sha256 with 1.0", change(none, "X-Ops-Sign", "algorithm=sha256;version=1.0"), "form"},
		{"form of another", change(none, "X-Ops-Sign", "version=1.3"), "not one of a key"},
		{"line 0", change(none, "X-Ops-Authorization-0", "AAAA"), "numbered from 1"},
		{"line 21", change(none, "X-Ops-Authorization-21", "AAAA"), "numbered from 1"},
		{"line x", change(none, "X-Ops-Authorization-X", "AAAA"), "numbered from 1"},
		{"line 01", change(none, "X-Ops-Authorization-01", "AAAA"), "numbered from 1"},
		{"gap", change(none, "X-Ops-Authorization-2", ""), "missing"},
		{"no Base64", change(none, "X-Ops-Authorization-1", "****"), "Base64"},
		{"short", change(none, "X-Ops-Authorization-6", ""), "not one of a key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			message := s.in(t).fails(401, "", "POST", "/api/v1/cookbooks", sent(archive), append(c.headers, formHeaders...)...)
			if !strings.Contains(message, c.says) {
				t.Errorf("message = %s, want %q in it", message, c.says)
			}
		})
	}
	s.fails(404, "", "GET", "/api/v1/cookbooks/foo", "")
	// Two credentials must be of one account.
	s.fails(401, "wim", "POST", "/api/v1/cookbooks", sent(archive), append(good.headers(t), formHeaders...)...)
	bad := good
	bad.key = foreign
	s.fails(401, "ann", "POST", "/api/v1/cookbooks", sent(archive), append(bad.headers(t), formHeaders...)...)
	// A stranger's good signature is no right.
	stranger := good
	stranger.key, stranger.user = foreign, "out"
	s.fails(403, "", "POST", "/api/v1/cookbooks", sent(archive), append(stranger.headers(t), formHeaders...)...)
	// The body of other requests is signed, too.
	s.share("foo", "1.0.0")
	put := signing{version: "1.1", user: "ann", method: "PUT", path: api + "/cookbooks/foo/deprecate", content: `{}`, at: time.Now(), key: key}
	s.fails(401, "", "PUT", "/api/v1/cookbooks/foo/deprecate", `{"replacement":"evil"}`, put.headers(t)...)
}

// TestKeys manages the keys of an account.
func TestKeys(t *testing.T) {
	s := newServer(t)
	s.fails(401, "", "GET", "/keys", "")
	s.fails(401, "", "PUT", "/keys/laptop", "")
	if got := servertest.Encode(t, s.get("ann", "/keys")); got != `{"keys":[]}` {
		t.Errorf("keys = %s", got)
	}
	// The server makes one.
	res := s.Want(t, 201, "ann", "PUT", root+"/keys/laptop", "")
	block, _ := pem.Decode([]byte(res.Body))
	if block == nil || res.Header.Get("Content-Type") != "application/x-pem-file" || res.Header.Get("Content-Disposition") != `attachment; filename="ann.priv"` || res.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("headers = %v", res.Header)
	}
	first, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	check(t, err)
	if first.N.BitLen() != 4096 {
		t.Errorf("the key has %d bits", first.N.BitLen())
	}
	share := func(status int, key *rsa.PrivateKey, version string) {
		t.Helper()
		archive := cookbook(t, "foo", version)
		sig := signing{version: "1.3", user: "ann", method: "POST", path: api + "/cookbooks", content: archive, at: time.Now(), key: key}
		s.Want(t, status, "", "POST", api+"/cookbooks", sent(archive), append(sig.headers(t), formHeaders...)...)
	}
	share(201, first, "1.0.0")
	// Another one of the name takes its place at once.
	second := s.key("ann", "laptop")
	share(401, first, "1.1.0")
	share(201, second, "1.1.0")
	s.Want(t, 201, "ann", "PUT", root+"/keys/old-form", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&first.PublicKey)})))
	share(201, first, "1.2.0")
	if keys := list(s.get("ann", "/keys")["keys"]); len(keys) != 2 || servertest.At(keys[0], "name") != "laptop" || len(fmt.Sprint(servertest.At(keys[0], "fingerprint"))) != 64 ||
		servertest.At(keys[0], "expires_at") == nil {
		t.Errorf("keys = %v", keys)
	}
	s.Want(t, 204, "ann", "DELETE", root+"/keys/old-form", "")
	share(401, first, "1.3.0")
	s.fails(404, "ann", "DELETE", "/keys/old-form", "")
	s.fails(404, "wim", "DELETE", "/keys/laptop", "")

	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	check(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	for sent, says := range map[string]string{
		"text": "PEM", res.Body: "private", publicPEM(t, &weak.PublicKey): "1024 bits", publicPEM(t, &curve.PublicKey): "no RSA",
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n": "cannot be read",
	} {
		if message := s.fails(400, "ann", "PUT", "/keys/other", sent); !strings.Contains(message, says) {
			t.Errorf("message = %s, want %q in it", message, says)
		}
	}
	s.fails(400, "ann", "PUT", "/keys/"+strings.Repeat("a", 101), publicPEM(t, &second.PublicKey))
	// Who may not write may not have a key that may.
	reading := s.Token(t, "ann", access.ReadPackage)
	s.fails(403, "", "PUT", "/keys/other", publicPEM(t, &second.PublicKey), "Authorization", "Bearer "+reading)
	for i := range 19 {
		s.Want(t, 201, "ann", "PUT", fmt.Sprint(root, "/keys/k", i), publicPEM(t, &second.PublicKey))
	}
	s.fails(409, "ann", "PUT", "/keys/k19", publicPEM(t, &second.PublicKey))
}

package storage

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rclone/rclone/fs/config/configmap"
)

// serviceAccountFile is a credentials file as Google's console hands it out, and its key.
func serviceAccountFile(t *testing.T) (credentials string, key *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "signer@acme.iam.example.com", "private_key_id": "1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"token_uri":   "https://example.com/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(file), key
}

// TestGCSLink checks signatures against the canonical request and the string to sign of
// https://cloud.google.com/storage/docs/authentication/canonical-requests and .../signatures, written out.
func TestGCSLink(t *testing.T) {
	credentials, key := serviceAccountFile(t)
	file := filepath.Join(t.TempDir(), "account.json")
	if err := os.WriteFile(file, []byte(credentials), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
	const (
		common = "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=signer%40acme.iam.example.com%2F20260304%2Fauto%2Fstorage%2Fgoog4_request" +
			"&X-Goog-Date=20260304T050607Z&X-Goog-Expires=300&X-Goog-SignedHeaders=host"
		named = common + "&response-content-disposition=attachment%3B%20filename%3D%22a%20b%2Bc.tgz%22%3B%20filename%2A%3DUTF-8%27%27%25C3%25A4&response-content-type=application%2Fgzip"
	)
	for _, test := range []struct {
		name           string
		settings       configmap.Simple
		root, public   string
		options        LinkOptions
		server         string
		host           string
		resource       string
		canonicalQuery string
	}{
		{
			name: "credentials in the settings", settings: configmap.Simple{"service_account_credentials": credentials}, root: "bucket",
			server: "https://storage.googleapis.com", host: "storage.googleapis.com", resource: "/bucket/b/ab/key", canonicalQuery: common,
		},
		{
			name: "file, type and name", settings: configmap.Simple{"service_account_file": file}, root: "bucket/pre fix/(1)",
			options: LinkOptions{ContentType: "application/gzip", Disposition: `attachment; filename="a b+c.tgz"; filename*=UTF-8''%C3%A4`},
			server:  "https://storage.googleapis.com", host: "storage.googleapis.com", resource: "/bucket/pre%20fix/%281%29/b/ab/key", canonicalQuery: named,
		},
		{
			name: "environment, somebody else pays", settings: configmap.Simple{"env_auth": "true", "user_project": "payer"}, root: "bucket",
			server: "https://storage.googleapis.com", host: "storage.googleapis.com", resource: "/bucket/b/ab/key", canonicalQuery: common + "&userProject=payer",
		},
		{
			name: "endpoint of one's own", settings: configmap.Simple{"service_account_credentials": credentials, "endpoint": "http://127.0.0.1:4443/storage/v1/"}, root: "bucket",
			server: "http://127.0.0.1:4443", host: "127.0.0.1", resource: "/bucket/b/ab/key", canonicalQuery: common,
		},
		{
			name: "private endpoint of Google's", settings: configmap.Simple{"service_account_credentials": credentials}, root: "bucket", public: "https://storage-acme.p.googleapis.com",
			server: "https://storage-acme.p.googleapis.com", host: "storage-acme.p.googleapis.com", resource: "/bucket/b/ab/key", canonicalQuery: common,
		},
		{
			name: "host bound to the bucket", settings: configmap.Simple{"service_account_credentials": credentials}, root: "bucket/pre", public: "https://files.example.com",
			server: "https://files.example.com", host: "files.example.com", resource: "/pre/b/ab/key", canonicalQuery: common,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			made, err := testLinker(t, "google cloud storage", test.root, test.public, test.settings)
			if err != nil || made == nil {
				t.Fatalf("%v, %v", made, err)
			}
			test.options.TTL = 5 * time.Minute
			link, err := made.(*gcsLinker).linkAt("b/ab/key", test.options, time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))
			if err != nil {
				t.Fatal(err)
			}
			unsigned, signature, _ := strings.Cut(link, "&X-Goog-Signature=")
			if want := test.server + test.resource + "?" + test.canonicalQuery; unsigned != want {
				t.Errorf("link\n%s, want\n%s", unsigned, want)
			}
			request := sha256.Sum256([]byte("GET\n" + test.resource + "\n" + test.canonicalQuery + "\nhost:" + test.host + "\n\nhost\nUNSIGNED-PAYLOAD"))
			signed := sha256.Sum256([]byte("GOOG4-RSA-SHA256\n20260304T050607Z\n20260304/auto/storage/goog4_request\n" + hex.EncodeToString(request[:])))
			raw, err := hex.DecodeString(signature)
			if err != nil {
				t.Fatal(err)
			}
			if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, signed[:], raw); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestGCSCannotSign(t *testing.T) {
	credentials, _ := serviceAccountFile(t)
	person := filepath.Join(t.TempDir(), "person.json")
	if err := os.WriteFile(person, []byte(`{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", person)
	for _, test := range []struct {
		name, root string
		settings   configmap.Simple
	}{
		{"anonymous", "bucket", configmap.Simple{"anonymous": "true", "service_account_credentials": credentials}},
		{"access token", "bucket", configmap.Simple{"access_token": "t"}},
		{"a person", "bucket", configmap.Simple{"env_auth": "true"}},
		{"no bucket", "", configmap.Simple{"service_account_credentials": credentials}},
	} {
		if l, err := testLinker(t, "google cloud storage", test.root, "", test.settings); l != nil || err != nil {
			t.Errorf("%s: %v, %v", test.name, l, err)
		}
	}
	broken := strings.Replace(credentials, "BEGIN PRIVATE", "BEGIN", 1)
	if _, err := testLinker(t, "google cloud storage", "bucket", "", configmap.Simple{"service_account_credentials": broken}); err == nil || strings.Contains(err.Error(), "BEGIN") {
		t.Errorf("a broken key: %v", err)
	}
}

package storage

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/rclone/rclone/fs/config/configmap"
)

// azureTestKey is an account's key, in base64 as the portal shows it.
const azureTestKey = "bm90IGEgc2VjcmV0IGluIGEgdGVzdA=="

var (
	azureTestEnd  = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	azureTestLink = LinkOptions{ContentType: "application/gzip", Disposition: `attachment; filename="a b.tgz"; filename*=UTF-8''%C3%A4%20b.tgz`}
)

// sign is an HMAC as Azure writes it.
func sign(t *testing.T, key string, lines ...string) string {
	t.Helper()
	secret, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	h := hmac.New(sha256.New, secret)
	io.WriteString(h, strings.Join(lines, "\n"))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// TestAzureLink signs each link again, from the fields of the string to sign in the order in which
// https://learn.microsoft.com/rest/api/storageservices/create-service-sas lists them.
func TestAzureLink(t *testing.T) {
	for _, test := range []struct {
		name     string
		settings configmap.Simple
		root     string
		public   string
		where    string
		account  string
		key      string
		protocol string
	}{
		{
			name: "account and key", settings: configmap.Simple{"account": "acme", "key": azureTestKey},
			root: "packages/pre fix", where: "https://acme.blob.core.windows.net/packages/pre%20fix/b/ab/key",
			account: "acme", key: azureTestKey, protocol: "https",
		},
		{
			name: "connection string", root: "packages",
			settings: configmap.Simple{"connection_string": "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=" + azureTestKey + ";EndpointSuffix=core.example.com"},
			where:    "https://acme.blob.core.example.com/packages/b/ab/key",
			account:  "acme", key: azureTestKey, protocol: "https",
		},
		{
			name: "private endpoint inside, public one outside", root: "packages",
			settings: configmap.Simple{"account": "acme", "key": azureTestKey, "endpoint": "http://10.0.0.1/acme"}, public: "https://cdn.example.com/",
			where: "https://cdn.example.com/packages/b/ab/key", account: "acme", key: azureTestKey, protocol: "https",
		},
		{
			name: "without TLS", root: "packages",
			settings: configmap.Simple{"account": "acme", "key": azureTestKey, "endpoint": "http://127.0.0.1:10000/acme"},
			where:    "http://127.0.0.1:10000/acme/packages/b/ab/key", account: "acme", key: azureTestKey, protocol: "https,http",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			made, err := testLinker(t, "azureblob", test.root, test.public, test.settings)
			if err != nil || made == nil {
				t.Fatalf("%v, %v", made, err)
			}
			link, err := made.(*azureLinker).linkUntil(t.Context(), "b/ab/key", azureTestLink, azureTestEnd)
			if err != nil {
				t.Fatal(err)
			}
			where, query := split(t, link)
			if where != test.where {
				t.Errorf("goes to %s", where)
			}
			for name, want := range map[string]string{
				"sp": "r", "sr": "b", "se": "2026-03-04T05:06:07Z", "st": "", "spr": test.protocol,
				"rsct": azureTestLink.ContentType, "rscd": azureTestLink.Disposition,
			} {
				if got := query.Get(name); got != want {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
			blob := strings.TrimPrefix(strings.TrimSuffix(test.root+"/b/ab/key", "/"), "/")
			want := sign(t, test.key,
				"r",                    // signedPermissions
				"",                     // signedStart
				"2026-03-04T05:06:07Z", // signedExpiry
				"/blob/"+test.account+"/"+blob,
				"",                        // signedIdentifier
				"",                        // signedIP
				test.protocol,             // signedProtocol
				query.Get("sv"),           // signedVersion
				"b",                       // signedResource
				"",                        // signedSnapshotTime
				"",                        // signedEncryptionScope
				"",                        // rscc
				azureTestLink.Disposition, // rscd
				"",                        // rsce
				"",                        // rscl
				azureTestLink.ContentType, // rsct
			)
			if got := query.Get("sig"); got != want {
				t.Errorf("signature %s, want %s", got, want)
			}
		})
	}
}

// TestAzureDelegation signs with a key that the service lends to an identity of Entra, see
// https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas.
func TestAzureDelegation(t *testing.T) {
	asked, refuse := 0, false
	azure := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.Method != http.MethodPost || r.URL.Query().Get("comp") != "userdelegationkey" || r.URL.Query().Get("restype") != "service" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		if refuse {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprintf(w, `<?xml version="1.0" encoding="utf-8"?><UserDelegationKey><SignedOid>oid</SignedOid><SignedTid>tid</SignedTid>`+
			`<SignedStart>2026-03-04T00:00:00Z</SignedStart><SignedExpiry>2026-03-04T09:00:00Z</SignedExpiry>`+
			`<SignedService>b</SignedService><SignedVersion>2023-11-03</SignedVersion><Value>%s</Value></UserDelegationKey>`, azureTestKey)
	}))
	defer azure.Close()
	client, err := service.NewClientWithNoCredential(azure.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := &azureLinker{
		endpoint: "https://acme.blob.core.windows.net", container: "packages", encode: func(s string) string { return s },
		delegation: delegation{client: client},
	}
	account, _, _ := strings.Cut(strings.TrimPrefix(azure.URL, "http://"), ".") // the first label of the host, here 127

	end := time.Now().Add(DefaultLinkTTL).UTC().Truncate(time.Second)
	for range 3 {
		link, err := l.linkUntil(t.Context(), "b/ab/key", azureTestLink, end)
		if err != nil {
			t.Fatal(err)
		}
		where, query := split(t, link)
		if where != "https://acme.blob.core.windows.net/packages/b/ab/key" {
			t.Errorf("goes to %s", where)
		}
		want := sign(t, azureTestKey,
			"r", "", end.Format(time.RFC3339), "/blob/"+account+"/packages/b/ab/key",
			"oid", "tid", "2026-03-04T00:00:00Z", "2026-03-04T09:00:00Z", "b", "2023-11-03", // of the key
			"", "", "", // signedAuthorizedUserObjectId, signedUnauthorizedUserObjectId, signedCorrelationId
			"", "", // signedKeyDelegatedUserTenantId, signedDelegatedUserObjectId
			"", "https", query.Get("sv"), "b", "", "", // signedIP ... signedEncryptionScope
			"", "", // signed headers and query parameters
			"", azureTestLink.Disposition, "", "", azureTestLink.ContentType)
		if got := query.Get("sig"); got != want {
			t.Errorf("signature %s, want %s", got, want)
		}
	}
	if asked != 1 {
		t.Errorf("three links asked %d times for a key", asked)
	}
	if _, err := l.linkUntil(t.Context(), "b/ab/key", azureTestLink, time.Now().Add(delegationPeriod)); err != nil || asked != 2 {
		t.Errorf("a link beyond the key's end: %v, %d keys", err, asked)
	}
	refuse, l.delegation.key = true, nil
	if link, err := l.link(t.Context(), "b/ab/key", LinkOptions{TTL: time.Minute}); err == nil {
		t.Errorf("a link without a key: %s", link)
	}
}

func TestAzureCannotSign(t *testing.T) {
	for _, test := range []struct {
		name     string
		root     string
		settings configmap.Simple
	}{
		{"anonymous", "packages", configmap.Simple{"account": "acme"}},
		{"somebody's signature", "packages", configmap.Simple{"sas_url": "https://acme.blob.core.windows.net/packages?sv=2023-11-03&sr=c&sp=rwdl&sig=x"}},
		{"connection string with a signature", "packages", configmap.Simple{"connection_string": "BlobEndpoint=https://acme.blob.core.windows.net;SharedAccessSignature=sv=2023-11-03&sig=x"}},
		{"no container", "", configmap.Simple{"account": "acme", "key": azureTestKey}},
	} {
		if l, err := testLinker(t, "azureblob", test.root, "", test.settings); l != nil || err != nil {
			t.Errorf("%s: %v, %v", test.name, l, err)
		}
	}
}

func TestAzureIdentitySigns(t *testing.T) {
	l, err := testLinker(t, "azureblob", "packages", "", configmap.Simple{"account": "acme", "tenant": "00000000-0000-0000-0000-000000000001", "client_id": "id", "client_secret": "secret"})
	if err != nil {
		t.Fatal(err)
	}
	azure, ok := l.(*azureLinker)
	if !ok || azure.key != nil || azure.delegation.client == nil || azure.endpoint != "https://acme.blob.core.windows.net" {
		t.Errorf("%+v", l)
	}
}

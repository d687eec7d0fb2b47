package storage

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configmap"
)

// rooted is as much of a backend as signers look at that only read its settings.
type rooted struct {
	fs.Fs
	root string
}

func (r rooted) Root() string { return r.root }

// testLinker makes the signer of a backend from settings, as Open does.
func testLinker(t *testing.T, backend, root, public string, settings configmap.Simple) (linker, error) {
	t.Helper()
	setUpRclone()
	reg, err := fs.Find(backend)
	if err != nil {
		t.Fatal(err)
	}
	values := fs.ConfigMap(reg.Prefix, reg.Options, "test", settings)
	return newLinker(t.Context(), backend, rooted{root: root}, values, Options{PublicEndpoint: public})
}

// split takes a link into where it goes and what it says.
func split(t *testing.T, link string) (where string, query url.Values) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	query = u.Query()
	u.RawQuery = ""
	return u.String(), query
}

// TestOpenedStoresLink goes the way of a server: a remote's name in, a link
// out. Neither backend sends a request for that.
func TestOpenedStoresLink(t *testing.T) {
	credentials, _ := serviceAccountFile(t)
	file := filepath.Join(t.TempDir(), "account.json")
	if err := os.WriteFile(file, []byte(credentials), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ remote, want string }{
		{":azureblob,account=acme,key=" + azureTestKey + ":packages", "https://acme.blob.core.windows.net/packages/b/ab/key?"},
		{":azureblob,account=acme:packages", ""},
		{":gcs,service_account_file=" + file + ":packages", "https://storage.googleapis.com/packages/b/ab/key?"},
		{":gcs,anonymous:packages", ""},
		{":memory:", ""},
	} {
		s, err := Open(t.Context(), test.remote, Options{})
		if err != nil {
			t.Errorf("%s: %v", test.remote, err)
			continue
		}
		link, err := s.Link(t.Context(), "b/ab/key", LinkOptions{ContentType: "application/gzip"})
		if test.want == "" && !errors.Is(err, ErrNoLink) || test.want != "" && (err != nil || !strings.HasPrefix(link, test.want)) {
			t.Errorf("%s: link %q, %v", test.remote, link, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

package storage

import (
	"net/url"
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

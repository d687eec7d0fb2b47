package debian_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"entrepot/access"
	"entrepot/registry"
	"entrepot/server/servertest"
)

// root is where the packages of acme lie.
const root = "/api/packages/acme/debian"

// member is a member of a package's archive.
type member struct{ name, body string }

// archive writes members as ar does.
func archive(members ...member) string {
	var b strings.Builder
	b.WriteString("!<arch>\n")
	for _, m := range members {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", m.name, 0, 0, 0, "100644", len(m.body), m.body)
		if len(m.body)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// tarOf is a tar archive of one file.
func tarOf(tb testing.TB, name, content string) string {
	tb.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
		tb.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// compressed is the text in the form that an ending stands for.
func compressed(tb testing.TB, ending, text string) string {
	tb.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch ending {
	case "":
		return text
	case ".gz":
		w = gzip.NewWriter(&b)
	case ".xz":
		w, err = xz.NewWriter(&b)
	case ".zst":
		w, err = zstd.NewWriter(&b)
	default:
		tb.Fatalf("no compression %q", ending)
	}
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// controlOf is the control file of a package, with further lines.
func controlOf(name, version, arch string, more ...string) string {
	lines := append([]string{
		"Package: " + name, "Version: " + version, "Architecture: " + arch, "Maintainer: Ann Example <ann@example.com>",
		"Description: a package for tests", " It does nothing,", " .", " and says so.",
	}, more...)
	return strings.Join(lines, "\n") + "\n"
}

// deb is a package with that control file that installs one file.
func deb(tb testing.TB, control string) string {
	tb.Helper()
	return archive(
		member{"debian-binary", "2.0\n"},
		member{"control.tar.gz", compressed(tb, ".gz", tarOf(tb, "./control", control))},
		member{"data.tar", tarOf(tb, "./usr/share/doc/"+sum(control)[:8]+"/readme", control)},
	)
}

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}

// repository is a server with a key that takes no time to make.
type repository struct {
	*servertest.Server
	tb testing.TB
}

func newRepository(tb testing.TB, opts ...servertest.Option) *repository {
	tb.Helper()
	r := &repository{servertest.New(tb, opts...), tb}
	r.key(access.SystemContext(context.Background()), "acme")
	return r
}

// in is the repository for a part of the test.
func (r *repository) in(tb testing.TB) *repository { return &repository{r.Server, tb} }

// key gives an owner another key.
func (r *repository) key(ctx context.Context, owner string) registry.Key {
	r.tb.Helper()
	s, err := r.Registry().Enter(ctx, owner, "debian", access.Administer)
	if err != nil {
		r.tb.Fatal(err)
	}
	k, err := s.ReplaceKey(ctx, registry.KeyChange{Algorithm: registry.Ed25519})
	if err != nil {
		r.tb.Fatal(err)
	}
	return k
}

// upload publishes a package to bookworm/main.
func (r *repository) upload(name, version, arch string, more ...string) {
	r.tb.Helper()
	r.uploadTo("bookworm/main", name, version, arch, more...)
}

func (r *repository) uploadTo(place, name, version, arch string, more ...string) {
	r.tb.Helper()
	r.Want(r.tb, 201, "ann", "PUT", root+"/pool/"+place+"/upload", deb(r.tb, controlOf(name, version, arch, more...)))
}

// get is the body of a document.
func (r *repository) get(path string) string {
	r.tb.Helper()
	return r.Want(r.tb, 200, "", "GET", root+path, "").Body
}

// wantSound compares the indexes with what is published.
func (r *repository) wantSound() {
	r.tb.Helper()
	problems, err := r.Registry().VerifyIndexes(context.Background(), "debian", "")
	if err != nil {
		r.tb.Fatal(err)
	}
	for _, p := range problems {
		r.tb.Errorf("verify: %s", p)
	}
}

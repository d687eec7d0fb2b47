package helm_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/klauspost/compress/gzip"

	"entrepot/server/servertest"
)

// root is where the charts of acme lie.
const root = "/api/packages/acme/helm"

// file is a file of a chart's archive, with its path.
type file struct{ name, content string }

// tarOf writes a tar archive.
func tarOf(tb testing.TB, files ...file) string {
	tb.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.content))}); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(w, f.content); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func gzipped(tb testing.TB, content string) string {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, content); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// archive is a chart of those files.
func archive(tb testing.TB, files ...file) string {
	tb.Helper()
	return gzipped(tb, tarOf(tb, files...))
}

// chartYAML is a Chart.yaml with further lines.
func chartYAML(name, version string, more ...string) string {
	return "apiVersion: v2\nname: " + name + "\nversion: " + version + "\n" + strings.Join(append(more, ""), "\n")
}

// chart is a chart with values and a template.
func chart(tb testing.TB, name, version string, more ...string) string {
	tb.Helper()
	return archive(tb,
		file{name + "/Chart.yaml", chartYAML(name, version, more...)},
		file{name + "/values.yaml", "# -- how often\nreplicas: 1\nimage:\n  tag: \"1.10\"\n"},
		file{name + "/templates/all.yaml", "kind: ConfigMap\n"},
		file{name + "/README.md", "# " + name + "\n"},
	)
}

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}

// sign is the provenance file of a chart, as helm writes it.
func sign(tb testing.TB, signer *openpgp.Entity, name, version, digest string) string {
	tb.Helper()
	var b bytes.Buffer
	w, err := clearsign.Encode(&b, signer.PrivateKey, nil)
	if err != nil {
		tb.Fatal(err)
	}
	fmt.Fprintf(w, "apiVersion: v2\nname: %s\nversion: %s\n\n...\nfiles:\n  %s-%s.tgz: sha256:%s\n", name, version, name, version, digest)
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func newSigner(tb testing.TB) *openpgp.Entity {
	tb.Helper()
	e, err := openpgp.NewEntity("Ann", "", "ann@example.com", nil)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// form is a body of multipart/form-data, and its content type.
func form(tb testing.TB, fields ...file) (body, contentType string) {
	tb.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range fields {
		part, err := w.CreateFormFile(f.name, "any name")
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(part, f.content); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String(), w.FormDataContentType()
}

// repository is a server whose charts a test looks at.
type repository struct {
	*servertest.Server
	tb testing.TB
}

func newRepository(tb testing.TB) *repository {
	tb.Helper()
	return &repository{servertest.New(tb), tb}
}

// in is the repository for a part of the test.
func (r *repository) in(tb testing.TB) *repository { return &repository{r.Server, tb} }

// push publishes a chart and returns its bytes.
func (r *repository) push(name, version string, more ...string) string {
	r.tb.Helper()
	body := chart(r.tb, name, version, more...)
	if res := r.Want(r.tb, 201, "wim", "POST", root+"/api/charts", body); res.Body != "{\"saved\":true}\n" {
		r.tb.Fatalf("the answer is %q", res.Body)
	}
	return body
}

func (r *repository) get(path string) string {
	r.tb.Helper()
	return r.Want(r.tb, 200, "", "GET", root+path, "").Body
}

// wantSound compares the indexes with what is published.
func (r *repository) wantSound() {
	r.tb.Helper()
	problems, err := r.Registry().VerifyIndexes(context.Background(), "helm", "")
	if err != nil {
		r.tb.Fatal(err)
	}
	for _, p := range problems {
		r.tb.Errorf("verify: %s", p)
	}
}

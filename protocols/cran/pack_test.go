package cran_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"entrepot/server/servertest"
)

// root is where the packages of acme lie.
const root = "/api/packages/acme/cran"

// member is a file of a package with its path; one with a target is a link.
type member struct{ name, content, target string }

// targz writes a gzip-compressed tar.
func targz(tb testing.TB, members ...member) string {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Mode: 0o644, Size: int64(len(m.content))}
		if m.target != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, m.target
		}
		if err := w.WriteHeader(h); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(w, m.content); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// zipped writes a zip archive.
func zipped(tb testing.TB, members ...member) string {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		f, err := w.Create(m.name)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(f, m.content); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// describe is a DESCRIPTION with further lines.
func describe(name, version string, more ...string) string {
	lines := append([]string{"Package: " + name, "Version: " + version, "Title: For Tests", "License: MIT"}, more...)
	return strings.Join(lines, "\n") + "\n"
}

// source is a source package.
func source(tb testing.TB, name, version string, more ...string) string {
	tb.Helper()
	return targz(tb, member{name: name + "/DESCRIPTION", content: describe(name, version, more...)}, member{name: name + "/R/a.R", content: "a <- 1\n"})
}

// builtOn is a line of a binary package's DESCRIPTION.
func builtOn(rversion, os string) string {
	return "Built: R " + rversion + ".3; ; 2026-01-02 03:04:05 UTC; " + os
}

func md5Of(text string) string {
	s := md5.Sum([]byte(text))
	return hex.EncodeToString(s[:])
}

// repository is a server whose packages a test looks at.
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

// put uploads a file and returns it.
func (r *repository) put(path, body string) string {
	r.tb.Helper()
	if res := r.Want(r.tb, 201, "wim", "PUT", root+path, body); res.Body != "" {
		r.tb.Errorf("the answer is %q", res.Body)
	}
	return body
}

// publish uploads a source package and returns it.
func (r *repository) publish(name, version string, more ...string) string {
	r.tb.Helper()
	return r.put("/src", source(r.tb, name, version, more...))
}

func (r *repository) get(path string) string {
	r.tb.Helper()
	return r.Want(r.tb, 200, "", "GET", root+path, "").Body
}

// wantSound compares the indexes with what is published.
func (r *repository) wantSound() {
	r.tb.Helper()
	problems, err := r.Registry().VerifyIndexes(context.Background(), "cran", "")
	if err != nil {
		r.tb.Fatal(err)
	}
	for _, p := range problems {
		r.tb.Errorf("verify: %s", p)
	}
}

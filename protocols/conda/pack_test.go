package conda_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/dsnet/compress/bzip2"
	"github.com/klauspost/compress/zstd"

	"entrepot/access"
	"entrepot/registry"
	"entrepot/server/servertest"
)

// root is where the packages of acme lie.
const root = "/api/packages/acme/conda"

// member is a file of an archive with its path; one with a target is a link.
type member struct{ name, content, target string }

// tarred writes a tar.
func tarred(tb testing.TB, members ...member) string {
	tb.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
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
	return b.String()
}

// bzipped compresses with bzip2.
func bzipped(tb testing.TB, text string) string {
	tb.Helper()
	var b bytes.Buffer
	w, err := bzip2.NewWriter(&b, nil)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// packed compresses with zstd.
func packed(tb testing.TB, text string) string {
	tb.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return string(w.EncodeAll([]byte(text), nil))
}

// zipped writes a zip archive whose members are stored as they are.
func zipped(tb testing.TB, members ...member) string {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		f, err := w.CreateHeader(&zip.FileHeader{Name: m.name, Method: zip.Store})
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

// info is an info/index.json in the making.
type info map[string]any

// record is an index.json with further fields.
func record(name, version, build, subdir string, more info) info {
	r := info{"name": name, "version": version, "build": build, "build_number": 0, "depends": []string{}, "subdir": subdir}
	maps.Copy(r, more)
	return r
}

// stem is how the record's file is called but for the ending.
func (r info) stem() string { return fmt.Sprintf("%v-%v-%v", r["name"], r["version"], r["build"]) }

func (r info) json(tb testing.TB) string {
	tb.Helper()
	raw, err := json.Marshal(r)
	if err != nil {
		tb.Fatal(err)
	}
	return string(raw)
}

// infoMembers are the files that say what is in the package.
func (r info) infoMembers(tb testing.TB, more ...member) []member {
	return append([]member{{name: "info/index.json", content: r.json(tb)}}, more...)
}

// tarball is a package in the old container.
func (r info) tarball(tb testing.TB, more ...member) string {
	tb.Helper()
	return bzipped(tb, tarred(tb, append(r.infoMembers(tb, more...), member{name: "lib/file", content: "content"})...))
}

const format2 = `{"conda_pkg_format_version": 2}`

// conda is a package in the new container.
func (r info) conda(tb testing.TB, more ...member) string {
	tb.Helper()
	return zipped(tb,
		member{name: "metadata.json", content: format2},
		member{name: "pkg-" + r.stem() + ".tar.zst", content: packed(tb, tarred(tb, member{name: "lib/file", content: "content"}))},
		member{name: "info-" + r.stem() + ".tar.zst", content: packed(tb, tarred(tb, r.infoMembers(tb, more...)...))})
}

// channels is a server whose packages a test looks at.
type channels struct {
	*servertest.Server
	tb testing.TB
}

func newChannels(tb testing.TB) *channels {
	tb.Helper()
	return &channels{servertest.New(tb), tb}
}

// in is the server for a part of the test.
func (c *channels) in(tb testing.TB) *channels { return &channels{c.Server, tb} }

// publish uploads a package in the new container into a channel and returns
// it. The channel begins with a slash, or is the root.
func (c *channels) publish(channel string, r info, more ...member) string {
	c.tb.Helper()
	body := r.conda(c.tb, more...)
	c.Want(c.tb, 201, "wim", "PUT", root+channel+"/"+r.stem()+".conda", body)
	return body
}

func (c *channels) get(path string) string {
	c.tb.Helper()
	return c.Want(c.tb, 200, "", "GET", root+path, "").Body
}

// repodata is an index as clients read it.
type repodata struct {
	Info struct {
		Subdir string `json:"subdir"`
	} `json:"info"`
	Packages map[string]map[string]any `json:"packages"`
	Conda    map[string]map[string]any `json:"packages.conda"`
	Removed  []string                  `json:"removed"`
	Version  int                       `json:"repodata_version"`
}

func parseRepodata(tb testing.TB, text string) repodata {
	tb.Helper()
	var r repodata
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		tb.Fatalf("%v in\n%s", err, text)
	}
	return r
}

// files are the names that an index lists, in their order there, and in
// brackets what it has withdrawn.
func (c *channels) files(path string) string {
	c.tb.Helper()
	text := c.get(path + "/repodata.json")
	r := parseRepodata(c.tb, text)
	var names []string
	for part := range strings.SplitSeq(text, `"`) {
		if r.Packages[part] != nil || r.Conda[part] != nil {
			names = append(names, part)
		}
	}
	if len(r.Removed) > 0 {
		names = append(names, fmt.Sprint(r.Removed))
	}
	return strings.Join(names, " ")
}

// wantSound compares the indexes with what is published.
func (c *channels) wantSound() {
	c.tb.Helper()
	problems, err := c.Registry().VerifyIndexes(context.Background(), "conda", "")
	if err != nil {
		c.tb.Fatal(err)
	}
	for _, p := range problems {
		c.tb.Errorf("verify: %s", p)
	}
}

// system is the packages of acme for who may do everything.
func (c *channels) system() (context.Context, *registry.Space) {
	c.tb.Helper()
	ctx := access.SystemContext(context.Background())
	space, err := c.Registry().Enter(ctx, "acme", "conda", access.Read)
	if err != nil {
		c.tb.Fatal(err)
	}
	return ctx, space
}

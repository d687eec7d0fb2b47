package pypi_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/crypto/blake2b"

	"entrepot/server/servertest"
)

// root is where the organization's packages are.
const root = "/api/packages/acme/pypi"

// index is a server with the packages of its organization acme.
type index struct {
	*servertest.Server
	tb testing.TB
}

func newIndex(tb testing.TB, opts ...servertest.Option) *index {
	tb.Helper()
	return &index{servertest.New(tb, opts...), tb}
}

// in is the index for a subtest.
func (s *index) in(tb testing.TB) *index { return &index{s.Server, tb} }

// field is a field of an upload's form; with a file name, a file.
type field struct{ name, value, filename string }

// release is a distribution about to be uploaded, with the form twine would
// send.
type release struct {
	filename string
	content  []byte
	form     []field
}

// metadataOf is a distribution's core metadata; more are further lines.
func metadataOf(name, version string, more ...string) string {
	return fmt.Sprintf("Metadata-Version: 2.4\nName: %s\nVersion: %s\n", name, version) + strings.Join(append(more, ""), "\n")
}

// wheelBytes packs a wheel with the metadata.
func wheelBytes(tb testing.TB, name, version, metadata string) []byte {
	tb.Helper()
	folder := name + "-" + version + ".dist-info/"
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range [][2]string{
		{name + ".py", "answer = 42\n"}, {folder + "METADATA", metadata},
		{folder + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
	} {
		w, err := z.Create(f[0])
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(w, f[1]); err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// sdistBytes packs a source distribution with the metadata.
func sdistBytes(tb testing.TB, name, version, metadata string) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	archive := tar.NewWriter(z)
	if err := archive.WriteHeader(&tar.Header{Name: name + "-" + version + "/PKG-INFO", Mode: 0o644, Size: int64(len(metadata))}); err != nil {
		tb.Fatal(err)
	}
	if _, err := io.WriteString(archive, metadata); err != nil {
		tb.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// newWheel makes a release of a wheel; more are further lines of its metadata.
func newWheel(tb testing.TB, name, version string, more ...string) *release {
	tb.Helper()
	stem := strings.NewReplacer("-", "_", ".", "_").Replace(name)
	content := wheelBytes(tb, stem, version, metadataOf(name, version, more...))
	return newRelease(name, version, stem+"-"+version+"-py3-none-any.whl", "bdist_wheel", content)
}

// newSdist makes a release of a source distribution.
func newSdist(tb testing.TB, name, version string, more ...string) *release {
	tb.Helper()
	stem := strings.NewReplacer("-", "_", ".", "_").Replace(name)
	content := sdistBytes(tb, stem, version, metadataOf(name, version, more...))
	return newRelease(name, version, stem+"-"+version+".tar.gz", "sdist", content)
}

func newRelease(name, version, filename, filetype string, content []byte) *release {
	blake := blake2b.Sum256(content)
	return &release{filename: filename, content: content, form: []field{
		{":action", "file_upload", ""}, {"protocol_version", "1", ""}, {"metadata_version", "2.4", ""},
		{"name", name, ""}, {"version", version, ""}, {"filetype", filetype, ""}, {"pyversion", "py3", ""},
		{"sha256_digest", fmt.Sprintf("%x", sha256.Sum256(content)), ""},
		{"md5_digest", fmt.Sprintf("%x", md5.Sum(content)), ""},
		{"blake2_256_digest", fmt.Sprintf("%X", blake[:]), ""},
		{"content", string(content), filename},
	}}
}

// set changes a field, or adds it.
func (r *release) set(name, value string) *release {
	for i := range r.form {
		if r.form[i].name == name {
			r.form[i].value = value
			return r
		}
	}
	r.form = append([]field{{name, value, ""}}, r.form...)
	return r
}

// drop removes a field.
func (r *release) drop(name string) *release {
	var left []field
	for _, f := range r.form {
		if f.name != name {
			left = append(left, f)
		}
	}
	r.form = left
	return r
}

// rename sends the file under another name.
func (r *release) rename(filename string) *release {
	r.filename = filename
	r.form[len(r.form)-1].filename = filename
	return r
}

// body is the form as it is sent, and its type.
func (r *release) body(tb testing.TB) (body, contentType string) {
	tb.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for _, f := range r.form {
		var part io.Writer
		var err error
		if f.filename != "" {
			part, err = w.CreateFormFile(f.name, f.filename)
		} else {
			part, err = w.CreateFormField(f.name)
		}
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(part, f.value); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.String(), w.FormDataContentType()
}

// upload sends a release as ann and wants the status.
func (s *index) upload(status int, r *release) servertest.Response {
	s.tb.Helper()
	body, contentType := r.body(s.tb)
	return s.Want(s.tb, status, "ann", http.MethodPost, root+"/", body, "Content-Type", contentType)
}

// The media types of the pages.
const (
	jsonType  = "application/vnd.pypi.simple.v1+json"
	namedHTML = "application/vnd.pypi.simple.v1+html"
)

// page is the JSON page of a project.
type page struct {
	Meta struct {
		Version string `json:"api-version"`
	}
	Name     string
	Versions []string
	Status   struct{ Status, Reason string } `json:"project-status"`
	Files    []struct {
		Filename       string
		URL            string
		Hashes         map[string]string
		RequiresPython string `json:"requires-python"`
		Size           int64
		UploadTime     string            `json:"upload-time"`
		Yanked         any               `json:"yanked"`
		CoreMetadata   map[string]string `json:"core-metadata"`
		DistInfo       map[string]string `json:"dist-info-metadata"`
	}
}

func (p page) filenames() []string {
	names := []string{}
	for _, f := range p.Files {
		names = append(names, f.Filename)
	}
	return names
}

// project reads the JSON page of a project as nobody.
func (s *index) project(name string) page {
	s.tb.Helper()
	res := s.Want(s.tb, 200, "", "GET", root+"/simple/"+name+"/", "", "Accept", jsonType)
	var p page
	if err := json.Unmarshal([]byte(res.Body), &p); err != nil {
		s.tb.Fatalf("%v in %.500s", err, res.Body)
	}
	return p
}

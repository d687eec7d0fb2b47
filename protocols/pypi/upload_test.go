package pypi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"entrepot/access"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/server"
)

func TestUpload(t *testing.T) {
	s := newIndex(t)
	w := newWheel(t, "My.Pkg", "1.0", "Summary: Says hello", "Requires-Python: >=3.9", "Requires-Dist: other>=1", "License-Expression: MIT", "", "# Hello")
	res := s.upload(201, w)
	if got := res.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	s.upload(201, newSdist(t, "my-pkg", "1.0.0"))

	p := s.project("my-pkg")
	if p.Name != "my-pkg" || p.Meta.Version != "1.4" || p.Status.Status != "active" || !slices.Equal(p.Versions, []string{"1.0"}) {
		t.Errorf("page = %+v", p)
	}
	if want := []string{"My_Pkg-1.0-py3-none-any.whl", "my_pkg-1.0.0.tar.gz"}; !slices.Equal(p.filenames(), want) {
		t.Fatalf("files %q, want %q", p.filenames(), want)
	}
	wheel, sdist := p.Files[0], p.Files[1]
	if wheel.RequiresPython != ">=3.9" || sdist.RequiresPython != "" {
		t.Errorf("requires-python %q and %q: it is each file's own", wheel.RequiresPython, sdist.RequiresPython)
	}
	if wheel.Size != int64(len(w.content)) || len(wheel.UploadTime) != len("2006-01-02T15:04:05.000000Z") || wheel.Yanked != nil {
		t.Errorf("wheel = %+v", wheel)
	}
	if wheel.CoreMetadata["sha256"] == "" || wheel.DistInfo["sha256"] != wheel.CoreMetadata["sha256"] || sdist.CoreMetadata != nil {
		t.Errorf("metadata of the wheel %v, of the source distribution %v", wheel.CoreMetadata, sdist.CoreMetadata)
	}
	if got := s.Want(t, 200, "", "GET", wheel.URL, ""); got.Body != string(w.content) {
		t.Error("the wheel is not what was uploaded")
	}
	ctx := access.SystemContext(t.Context())
	// The newest file tells what the project and the release are.
	v := s.Registry().Client().PackageVersion.Query().WithPackage().OnlyX(ctx)
	if v.Summary != "" || v.Edges.Package.Name != "my-pkg" {
		t.Errorf("summary %q of %q; want what the newest upload says", v.Summary, v.Edges.Package.Name)
	}
}

// TestWheelsInParallel uploads the wheels of one release from many clients at
// once, as a build matrix does.
func TestWheelsInParallel(t *testing.T) {
	s := newIndex(t)
	const clients = 16
	var all sync.WaitGroup
	statuses := make([]int, clients)
	for i := range clients {
		r := newWheel(t, "matrix", "1.0").rename(fmt.Sprintf("matrix-1.0-cp3%d-none-any.whl", i))
		if i%2 == 1 {
			r.set("version", "1.0.0")
		}
		body, contentType := r.body(t)
		all.Go(func() {
			statuses[i] = s.Do(t, "ann", http.MethodPost, root+"/", body, "Content-Type", contentType).StatusCode
		})
	}
	all.Wait()
	for i, status := range statuses {
		if status != 201 {
			t.Errorf("client %d: status %d", i, status)
		}
	}
	if p := s.project("matrix"); len(p.Files) != clients || len(p.Versions) != 1 {
		t.Errorf("%d files of the versions %q; want %d of one", len(p.Files), p.Versions, clients)
	}
	ctx := access.SystemContext(t.Context())
	p := s.Registry().Client().Pkg.Query().Where(pkg.Name("matrix")).OnlyX(ctx)
	if n := s.Registry().Client().PackageVersion.Query().Where(packageversion.PackageID(p.ID)).CountX(ctx); n != 1 || p.VersionCount != 1 {
		t.Errorf("%d version rows, counted as %d; want 1", n, p.VersionCount)
	}
}

// TestForms uploads in the forms that clients other than twine send.
func TestForms(t *testing.T) {
	for _, tt := range []struct {
		name string
		path string
		form func(*release)
	}{
		{"the root without a slash", "", func(*release) {}},
		{"legacy", "/legacy/", func(*release) {}},
		{"content first", "/", func(r *release) { slices.Reverse(r.form) }},
		{"no action", "/", func(r *release) { r.drop(":action").drop("protocol_version") }},
		{"no filetype", "/", func(r *release) { r.drop("filetype") }},
		{"sha256 alone", "/", func(r *release) { r.drop("md5_digest").drop("blake2_256_digest") }},
		{"md5 alone", "/", func(r *release) { r.drop("sha256_digest").drop("blake2_256_digest") }},
		{"another spelling", "/", func(r *release) { r.set("name", "A_B").set("version", " V1.0-ALPHA.1 ") }},
		{"empty and unknown fields", "/", func(r *release) { r.set("requires_python", "").set("author", "UNKNOWN").set("x-y", "z") }},
		{"a signature", "/", func(r *release) { r.form = append(r.form, field{"gpg_signature", "-----BEGIN", "x.asc"}) }},
		{"attestations", "/", func(r *release) { r.set("attestations", `[{"version":1}]`) }},
		{"many fields", "/", func(r *release) {
			for i := range 1000 {
				r.form = append(r.form, field{"requires_dist", fmt.Sprintf("dependency-%d", i), ""})
			}
			r.set("description", strings.Repeat("long ", 1<<20))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newIndex(t)
			r := newWheel(t, "a-b", "1.0a1")
			tt.form(r)
			body, contentType := r.body(t)
			s.Want(t, 201, "ann", "POST", root+tt.path, body, "Content-Type", contentType)
			if p := s.project("a-b"); !slices.Equal(p.Versions, []string{"1.0a1"}) || len(p.Files) != 1 {
				t.Errorf("page = %+v", p)
			}
		})
	}
}

// TestFormFills takes from the form what the archive does not say.
func TestFormFills(t *testing.T) {
	s := newIndex(t)
	r := newWheel(t, "filled", "1.0", "Summary: From the archive")
	r.set("summary", "From the form").set("author", "Ann").set("requires_python", ">=3.8").set("project_urls", "Home page, https://example.com")
	s.upload(201, r)
	v := s.Registry().Client().PackageVersion.Query().OnlyX(access.SystemContext(t.Context()))
	if v.Summary != "From the archive" || !slices.Equal(v.Authors, []string{"Ann"}) || v.Homepage != "https://example.com" {
		t.Errorf("summary %q, authors %q, homepage %q", v.Summary, v.Authors, v.Homepage)
	}
	if got := s.project("filled").Files[0].RequiresPython; got != ">=3.8" {
		t.Errorf("requires-python %q", got)
	}
}

func TestDuplicate(t *testing.T) {
	s := newIndex(t)
	s.upload(201, newSdist(t, "twice", "1.0"))
	for name, r := range map[string]*release{
		"the same":               newSdist(t, "twice", "1.0"),
		"other bytes":            newSdist(t, "twice", "1.0", "Summary: changed"),
		"an equal version's":     newSdist(t, "twice", "1.0").set("version", "1.0.0"),
		"another project's case": newSdist(t, "twice", "1.0").set("name", "TWICE"),
	} {
		if res := s.upload(409, r); !strings.Contains(res.Body, "File already exists") {
			t.Errorf("%s: body %q", name, res.Body)
		}
	}
	s.upload(201, newSdist(t, "twice", "1.0").rename("TWICE-1.0.0.tar.gz"))
	if p := s.project("twice"); len(p.Versions) != 1 || len(p.Files) != 2 {
		t.Errorf("page = %+v", p)
	}
}

func TestRefusals(t *testing.T) {
	s := newIndex(t)
	set := func(name, value string) func(*release) { return func(r *release) { r.set(name, value) } }
	drop := func(name string) func(*release) { return func(r *release) { r.drop(name) } }
	for _, tt := range []struct {
		name   string
		change func(*release)
		want   string
	}{
		{"another action", set(":action", "submit"), "action"},
		{"another protocol", set("protocol_version", "2"), "protocol"},
		{"no name", drop("name"), "name"},
		{"a bad name", set("name", "-a"), "name"},
		{"another name", set("name", "other"), "not that of"},
		{"no version", drop("version"), "version"},
		{"a bad version", set("version", "french toast"), "PEP 440"},
		{"another version", set("version", "1.1"), "not that of"},
		{"no file", drop("content"), "content"},
		{"a file without a name", func(r *release) { r.rename("") }, "content"},
		{"two files", func(r *release) { r.form = append(r.form, r.form[len(r.form)-1]) }, "several"},
		{"a folder in the file's name", func(r *release) { r.rename("../bad-1.0-py3-none-any.whl") }, "file's name"},
		{"another extension", func(r *release) { r.rename("bad-1.0.exe") }, "neither"},
		{"an archive of the other kind", func(r *release) { r.drop("filetype").rename("bad-1.0.tar.gz") }, "gzip"},
		{"another filetype", set("filetype", "sdist"), "bdist_wheel"},
		{"no digest", func(r *release) { r.drop("sha256_digest").drop("md5_digest").drop("blake2_256_digest") }, "digest"},
		{"a wrong sha256", set("sha256_digest", strings.Repeat("0", 64)), "sha256_digest"},
		{"a wrong md5", set("md5_digest", strings.Repeat("0", 32)), "md5_digest"},
		{"a wrong blake2", set("blake2_256_digest", strings.Repeat("0", 64)), "blake2_256_digest"},
		{"a digest that is none", set("sha256_digest", "abc"), "hexadecimal"},
		{"attestations that are no list", set("attestations", "{}"), "attestations"},
		{"fields without end", set("description", strings.Repeat("x", 17<<20)), "MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := s.in(t)
			r := newWheel(t, "bad", "1.0")
			tt.change(r)
			body, contentType := r.body(t)
			res := s.Do(t, "ann", "POST", root+"/", body, "Content-Type", contentType)
			if res.StatusCode != 400 && tt.want != "MiB" || res.StatusCode != 413 && tt.want == "MiB" {
				t.Errorf("status %d: %s", res.StatusCode, res.Body)
			}
			if got := res.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" || strings.Count(res.Body, "\n") != 1 || !strings.Contains(res.Body, tt.want) {
				t.Errorf("%s %q, want a line with %q", got, res.Body, tt.want)
			}
		})
	}
	for name, archive := range map[string][]byte{
		"another name within":    wheelBytes(t, "bad", "1.0", metadataOf("other", "1.0")),
		"another version within": wheelBytes(t, "bad", "1.0", metadataOf("bad", "1.1")),
		"no metadata":            wheelBytes(t, "bad", "1.0", "hello"),
		"another's folder":       wheelBytes(t, "other", "1.0", metadataOf("bad", "1.0")),
		"no archive":             []byte("hello"),
	} {
		t.Run(name, func(t *testing.T) {
			s.in(t).upload(400, newRelease("bad", "1.0", "bad-1.0-py3-none-any.whl", "bdist_wheel", archive))
		})
	}
	body, contentType := newWheel(t, "bad", "1.0").body(t)
	s.Want(t, 400, "ann", "POST", root+"/", body[:len(body)-40], "Content-Type", contentType)
	s.Want(t, 400, "ann", "POST", root+"/", body, "Content-Type", "application/json")
	s.Want(t, 401, "", "POST", root+"/", body, "Content-Type", contentType)
	s.Want(t, 403, "rea", "POST", root+"/", body, "Content-Type", contentType)
	s.Want(t, 404, "", "GET", root+"/simple/bad/", "")
	if n := s.Registry().Client().PackageBlob.Query().CountX(access.SystemContext(t.Context())); n != 0 {
		t.Errorf("%d blobs are left of what was refused", n)
	}
}

func TestTooLarge(t *testing.T) {
	s := newIndex(t, func(c *server.Config) { c.Limits.FileSize = 200 })
	s.upload(413, newWheel(t, "large", "1.0"))
}

// TestSearch finds a project by any spelling of its name.
func TestSearch(t *testing.T) {
	s := newIndex(t)
	s.upload(201, newWheel(t, "My.Pkg", "1.0", "Summary: Says hello"))
	for word, want := range map[string]int{"my_pkg": 1, "My-Pkg": 1, "my.pkg": 1, "hello": 1, "other": 0} {
		if found, total, err := s.space().Search(t.Context(), []string{word}, 0, 10); err != nil || len(found) != want || total != want {
			t.Errorf("a search for %q finds %d of %d, %v; want %d", word, len(found), total, err, want)
		}
	}
}

// A form whose end never came is refused, however much of it did.
func TestFormCutOff(t *testing.T) {
	s := newIndex(t)
	body, contentType := newWheel(t, "cut", "1.0").body(t)
	for _, left := range []int{len(body) - 3, len(body) / 2} {
		s.Want(t, 400, "ann", "POST", root+"/", body[:left], "Content-Type", contentType)
	}
	s.Want(t, 404, "", "GET", root+"/simple/cut/", "")
	s.Want(t, 201, "ann", "POST", root+"/", body, "Content-Type", contentType)
}

package vagrant_test

import (
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"entrepot/server"
	"entrepot/server/servertest"
)

const dummy = `{"provider":"dummy"}`

// TestPackings publishes a box in each packing the client knows.
func TestPackings(t *testing.T) {
	s := newServer(t)
	entries := []entry{{"./metadata.json", dummy}, {"info.json", `{"description":"packed"}`}, {"disk", strings.Repeat("x", 100_000)}}
	boxes := map[string]string{"zip": zipOf(t, entries...)}
	for packing := range packers {
		boxes[packing] = packed(t, packing, entries...)
	}
	for packing, box := range boxes {
		t.Run(packing, func(t *testing.T) {
			path := root + "/" + packing + "/1.0.0/dummy.box"
			s := s.in(t)
			s.fails(400, "ann", "PUT", strings.Replace(path, "dummy", "other", 1), box)
			s.fails(404, "ann", "GET", root+"/"+packing, "")
			s.Want(t, 201, "ann", "PUT", path, box)
			sum := sha512.Sum512([]byte(box))
			d := s.metadata("", root+"/"+packing)
			p := list(servertest.At(list(d["versions"])[0], "providers"))[0]
			if servertest.At(p, "checksum") != hex.EncodeToString(sum[:]) || servertest.At(p, "checksum_type") != "sha512" || d["description"] != "packed" {
				t.Errorf("document = %v", d)
			}
			if res := s.Want(t, 200, "", "GET", path, ""); res.Body != box {
				t.Error("other bytes came back")
			}
		})
	}
}

// TestRefusals sends what is no box, or not the one its path says.
func TestRefusals(t *testing.T) {
	s := newServer(t)
	good := boxOf(t, "dummy", "disk")
	with := func(entries ...entry) string { return packed(t, "gzip", entries...) }
	many := make([]entry, 100_001)
	for i := range many {
		many[i].name = fmt.Sprint("f", i)
	}
	noisy := packed(t, "gzip", entry{"disk", strings.Repeat("no zeros", 20_000)}, entry{"metadata.json", dummy})
	plain := tarOf(t, entry{"disk", strings.Repeat("x", 10_000)}, entry{"metadata.json", dummy})
	for _, c := range []struct {
		name, path, body string
		status           int
		says             string
	}{
		{"bad name", "b%20x/1.0.0/dummy.box", good, 400, "box name"},
		{"dots", "%2e%2e/1.0.0/dummy.box", good, 400, "box name"},
		{"name of an endpoint", "Authenticate/1.0.0/dummy.box", good, 400, "box name"},
		{"long name", strings.Repeat("a", 256) + "/1.0.0/dummy.box", good, 400, "box name"},
		{"version with v", "b/v1.0.0/dummy.box", good, 400, "version"},
		{"version with build", "b/1.0.0+1/dummy.box", good, 400, "version"},
		{"long version", "b/" + strings.Repeat("1", 129) + "/dummy.box", good, 400, "version"},
		{"no suffix", "b/1.0.0/dummy.tar", good, 400, ".box"},
		{"no provider", "b/1.0.0/.box", good, 400, "provider"},
		{"bad provider", "b/1.0.0/du%20mmy.box", good, 400, "provider"},
		{"bad architecture", "b/1.0.0/dummy/AMD64.box", good, 400, "architecture"},
		{"no architecture", "b/1.0.0/dummy/.box", good, 400, "architecture"},
		{"other provider", "b/1.0.0/virtualbox.box", good, 400, `"dummy"`},
		{"provider in other case", "b/1.0.0/Dummy.box", good, 400, "provider"},
		{"no provider within", "b/1.0.0/dummy.box", with(entry{"metadata.json", `{"Provider":"dummy"}`}), 400, "provider"},
		{"provider of another kind", "b/1.0.0/dummy.box", with(entry{"metadata.json", `{"provider":7}`}), 400, "no text"},
		{"other architecture", "b/1.0.0/dummy/arm64.box", with(entry{"metadata.json", `{"provider":"dummy","architecture":"amd64"}`}), 400, "architecture"},
		{"metadata is no object", "b/1.0.0/dummy.box", with(entry{"metadata.json", `[]`}), 400, "no JSON object"},
		{"metadata is null", "b/1.0.0/dummy.box", with(entry{"metadata.json", `null`}), 400, "no JSON object"},
		{"metadata too large", "b/1.0.0/dummy.box", with(entry{"metadata.json", strings.Repeat(" ", 1<<20) + dummy}), 400, "larger"},
		{"metadata too large in zip", "b/1.0.0/dummy.box", zipOf(t, entry{"metadata.json", strings.Repeat(" ", 1<<20) + dummy}), 400, "larger"},
		{"too many entries", "b/1.0.0/dummy.box", with(many...), 400, "entries"},
		{"nothing", "b/1.0.0/dummy.box", "", 400, "no files"},
		{"no files", "b/1.0.0/dummy.box", with(), 400, "no files"},
		{"no files in zip", "b/1.0.0/dummy.box", "PK\x05\x06" + strings.Repeat("\x00", 18), 400, "neither"},
		{"text", "b/1.0.0/dummy.box", strings.Repeat("text ", 1000), 400, "neither"},
		{"a page", "b/1.0.0/dummy.box", "<html>", 400, "neither"},
		{"gzip of text", "b/1.0.0/dummy.box", gzipOf(t, "text"), 400, "neither"},
		{"gzip cut off", "b/1.0.0/dummy.box", noisy[:len(noisy)/2], 400, "cannot be"},
		{"tar cut off", "b/1.0.0/dummy.box", plain[:5000], 400, "cannot be"},
		{"zip cut off", "b/1.0.0/dummy.box", zipOf(t, entry{"metadata.json", dummy})[:60], 400, "zip"},
		{"bad xz", "b/1.0.0/dummy.box", "\xfd7zXZ\x00" + strings.Repeat("x", 100), 400, ""},
		{"bad zstd", "b/1.0.0/dummy.box", "\x28\xb5\x2f\xfd" + strings.Repeat("x", 100), 400, ""},
		{"bad bzip2", "b/1.0.0/dummy.box", "BZh9" + strings.Repeat("x", 100), 400, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if message := s.in(t).fails(c.status, "ann", "PUT", root+"/"+c.path, c.body); !strings.Contains(message, c.says) {
				t.Errorf("message = %s, want %q in it", message, c.says)
			}
		})
	}
	s.fails(404, "ann", "GET", root+"/b", "")
}

// TestTooLarge sends more than the server takes, announced and not.
func TestTooLarge(t *testing.T) {
	s := newServer(t, func(c *server.Config) { c.Limits.FileSize = 1000 })
	big := tarOf(t, entry{"metadata.json", dummy}, entry{"disk", strings.Repeat("x", 10_000)})
	s.fails(413, "ann", "PUT", root+"/b/1.0.0/dummy.box", big)
	req, err := http.NewRequestWithContext(t.Context(), "PUT", s.URL+root+"/b/1.0.0/dummy.box", struct{ *strings.Reader }{strings.NewReader(big)})
	check(t, err)
	req.ContentLength = -1
	req.SetBasicAuth("ann", s.Tokens["ann"])
	res, err := http.DefaultClient.Do(req)
	check(t, err)
	res.Body.Close()
	if res.StatusCode != 413 {
		t.Errorf("without a length: %s", res.Status)
	}
	s.fails(404, "ann", "GET", root+"/b", "")
}

// TestConflicts publishes what is there, in this spelling or another.
func TestConflicts(t *testing.T) {
	s := newServer(t)
	box := s.release("Deb/1.0.0/dummy", "dummy")
	arm := s.release("Deb/1.0.0/dummy/arm64", "dummy")
	for path, body := range map[string]string{
		"Deb/1.0.0/dummy": box, "deb/1.0.0/dummy": boxOf(t, "dummy", "other"), "Deb/1.0.0/dummy/unknown": box,
		"Deb/1.0.0/DUMMY": boxOf(t, "DUMMY", "other"), "Deb/1.0.0/dummy/arm64": arm,
		"Deb/1.0/dummy": box, "Deb/1/dummy/amd64": box, "Deb/01.0.0/libvirt": boxOf(t, "libvirt", ""),
	} {
		s.fails(409, "ann", "PUT", root+"/"+path+".box", body)
	}
	if got := outline(s.metadata("", root+"/deb")); got != "1.0.0: dummy/arm64 dummy/unknown*" {
		t.Errorf("document = %s", got)
	}
	// A box by its other name is the same box.
	s.release("Deb/1.0.0/libvirt", "libvirt")
	s.Want(t, 201, "ann", "PUT", root+"/deb/1.1.0/dummy.box", box)
	if got := outline(s.metadata("", root+"/Deb")); got != "1.1.0: dummy, 1.0.0: dummy/arm64 dummy/unknown* libvirt" {
		t.Errorf("document = %s", got)
	}
}

// TestRace publishes sixteen boxes of one version at once, and one of them
// sixteen times.
func TestRace(t *testing.T) {
	s := newServer(t)
	type answer struct{ i, status int }
	answers := make(chan answer, 32)
	for i := range cap(answers) {
		provider := fmt.Sprint("p", min(i, 16))
		body := boxOf(t, provider, fmt.Sprint(i))
		go func() {
			req, _ := http.NewRequest("PUT", s.URL+root+"/race/1.0.0/"+provider+".box", strings.NewReader(body))
			req.SetBasicAuth("ann", s.Tokens["ann"])
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				answers <- answer{i, 0}
				return
			}
			res.Body.Close()
			answers <- answer{i, res.StatusCode}
		}()
	}
	same := map[int]int{}
	for range cap(answers) {
		a := <-answers
		if a.i >= 16 {
			same[a.status]++
		} else if a.status != 201 {
			t.Errorf("box %d: %d", a.i, a.status)
		}
	}
	if same[201] != 1 || same[409] != 15 {
		t.Errorf("the same box: %v", same)
	}
	if n := len(boxURLs(s.metadata("", root+"/race"))); n != 17 {
		t.Errorf("%d boxes, want 17", n)
	}
}

// TestOldBox publishes one without metadata.json, which the page tells of.
func TestOldBox(t *testing.T) {
	s := newServer(t)
	s.Want(t, 201, "ann", "PUT", root+"/old/1.0.0/virtualbox.box", packed(t, "gzip", entry{"box.ovf", "<ovf/>"}, entry{"sub/metadata.json", dummy}))
	s.Want(t, 201, "ann", "PUT", root+"/old/1.0.0/libvirt.box", boxOf(t, "libvirt", ""))
	res := s.Want(t, 200, "ann", "POST", "/graphql",
		`{"query":"{package(owner:\"acme\",type:\"vagrant\",name:\"old\"){version(version:\"1.0.0\"){facts{name value} instructions{client steps{body}}}}}"}`,
		"Content-Type", "application/json")
	for _, want := range []string{"version 1: no metadata.json", "old-1.0.0-virtualbox.box has no metadata.json", "--provider libvirt", "--provider virtualbox", "--box-version 1.0.0"} {
		if !strings.Contains(res.Body, want) {
			t.Errorf("no %q in %s", want, res.Body)
		}
	}
	if strings.Contains(res.Body, "libvirt.box has no metadata.json") {
		t.Errorf("the other box is flagged: %s", res.Body)
	}
}

// TestInfo publishes what people write into info.json.
func TestInfo(t *testing.T) {
	s := newServer(t)
	for i, c := range []struct{ info, want string }{
		{`{"description":"A box","homepage":"https://example.com/a","repository":"https://example.com/b","author":"Ann"}`, "A box|https://example.com/a|https://example.com/b|[Ann]"},
		{`{"Description":["Line one","line two"],"SHORT_DESCRIPTION":"short","url":"javascript:alert(1)","authors":["Ann","Bob"]}`, "Line one|||[Ann Bob]"},
		{`{"short_description":"short","website":"","url":"http://example.com/u","source":"git@example.com:x"}`, "short|http://example.com/u||[]"},
		{`{"description":7,"author":{"name":"Ann"}}`, "|||[]"},
		{`["no object"]`, "|||[]"},
		{`{broken`, "|||[]"},
	} {
		name := fmt.Sprint("info", i)
		s.release(name+"/1.0.0/dummy", "dummy", entry{"info.json", c.info})
		res := s.Want(t, 200, "ann", "POST", "/graphql",
			`{"query":"{package(owner:\"acme\",type:\"vagrant\",name:\"`+name+`\"){version(version:\"1.0.0\"){summary homepage repositoryURL authors}}}"}`,
			"Content-Type", "application/json")
		v := servertest.At(servertest.Decode(t, res.Body), "data", "package", "version")
		if got := fmt.Sprint(servertest.At(v, "summary"), "|", servertest.At(v, "homepage"), "|", servertest.At(v, "repositoryURL"), "|", servertest.At(v, "authors")); strings.ReplaceAll(got, "<nil>", "[]") != c.want {
			t.Errorf("%s gives %s, want %s", c.info, got, c.want)
		}
	}
}

func TestFarIntoTheArchive(t *testing.T) {
	s := newServer(t)
	// What lies behind 64 MiB of zeros is not looked for; the box is taken as
	// one without metadata.json.
	s.Want(t, 201, "ann", "PUT", root+"/far/1.0.0/other.box", packed(t, "gzip", entry{"disk", strings.Repeat("\x00", 65<<20)}, entry{"metadata.json", dummy}))
	if got := outline(s.metadata("", root+"/far")); got != "1.0.0: other" {
		t.Errorf("document = %s", got)
	}
}

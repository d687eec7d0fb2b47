package alt_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"

	"entrepot/access"
	"entrepot/protocols/rpmtest"
)

func TestUploadedForms(t *testing.T) {
	r := newRepository(t)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", "whatever.bin")
	if err != nil {
		t.Fatal(err)
	}
	part.Write(pack("form", "1", "noarch").Bytes())
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r.Want(t, 201, "ann", "PUT", uploads(""), form.String(), "Content-Type", w.FormDataContentType())
	if got := r.listed("", "noarch"); got != "form-1-alt1.noarch.rpm" {
		t.Errorf("listed are %s", got)
	}
}

func TestRefusedUploads(t *testing.T) {
	r := newRepository(t)
	good := pack("app", "1", "x86_64")
	whole := string(good.Bytes())
	with := func(tags map[int]any) string {
		p := good
		p.Tags = tags
		return string(p.Bytes())
	}
	for name, tc := range map[string]struct{ body, want string }{
		"nothing":                  {"", "empty"},
		"a text":                   {"this is no package, whatever its name says, and it is long enough to be looked at, it goes on and on", "does not begin as one"},
		"half of a payload":        {whole[:len(whole)-10], "cut off"},
		"a damaged header":         {strings.Replace(whole, "a package for tests", "another package!!!!", 1), "damaged"},
		"a delta":                  {"drpm" + whole[4:], "delta"},
		"no name":                  {with(map[int]any{1000: nil}), "name"},
		"a path in the name":       {with(map[int]any{1000: "../app"}), "name"},
		"a hyphen in the version":  {with(map[int]any{1001: "1-2"}), "version"},
		"no architecture":          {with(map[int]any{1022: nil}), "arch"},
		"lists that do not agree":  {with(map[int]any{1112: []int32{8, 8}}), "different lengths"},
		"an epoch of sixteen bits": {with(map[int]any{1003: []int16{1}}), "the tag 1003 is of the kind 3"},
		"a license of texts":       {with(map[int]any{1014: []string{"MIT", "ISC"}}), "the tag 1014 is of the kind 8"},
		"an OS of bytes":           {with(map[int]any{1021: []byte{1}}), "the tag 1021 is of the kind 7"},
		"too many translations":    {with(map[int]any{100: []string{"C"}, 1004: rpmtest.I18n("one\x00two")}), "2 translations for 1 languages"},
	} {
		res := r.Do(t, "ann", "PUT", uploads(""), tc.body)
		if res.StatusCode != 400 || !strings.Contains(res.Body, tc.want) || strings.Count(res.Body, "\n") != 1 {
			t.Errorf("%s: %d %q, want 400 with %q on one line", name, res.StatusCode, res.Body, tc.want)
		}
	}
	r.Want(t, 404, "", "GET", repo("")+"/x86_64/base/release", "")
	r.Want(t, 400, "ann", "PUT", uploads("")+"?sign=maybe", whole)
	for _, group := range []string{"alt", "a/upload/b", ".hidden", "a//b", "a b", "a/../b", "x.repo", "a/x.repo/b", strings.Repeat("g", 201), strings.Repeat("g/", 10) + "g"} {
		if res := r.Do(t, "ann", "PUT", root+"/"+strings.ReplaceAll(url.PathEscape(group), "%2F", "/")+"/upload", whole); res.StatusCode != 400 || !strings.Contains(res.Body, "name of a group") {
			t.Errorf("a group %q: %d %s", group, res.StatusCode, res.Body)
		}
	}
	res := r.Want(t, 401, "", "PUT", uploads(""), whole)
	if got := res.Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Basic ") {
		t.Errorf("the challenge is %q", got)
	}
	r.Want(t, 403, "rea", "PUT", uploads(""), whole)
}

func TestDuplicates(t *testing.T) {
	r := newRepository(t)
	p := pack("app", "1", "x86_64")
	r.upload("", p)
	other := p
	other.Description = "built again"
	for _, body := range [][]byte{p.Bytes(), other.Bytes()} {
		if res := r.Want(t, 409, "ann", "PUT", uploads(""), string(body)); !strings.Contains(res.Body, "app-1-alt1.x86_64.rpm is in the group without a name already") {
			t.Errorf("the conflict says %q", res.Body)
		}
	}
	// Clients could not tell this one from the other.
	next := p
	next.Epoch = 1
	if res := r.Want(t, 409, "ann", "PUT", uploads(""), string(next.Bytes())); !strings.Contains(res.Body, "of the version 1-alt1: clients ask for packages without their epoch") {
		t.Errorf("the conflict says %q", res.Body)
	}
	// What differs in another part, or lies in another group, is another package.
	r.upload("p11", next)
	r.upload("", pack("app", "1", "aarch64"))
	r.upload("", pack("App", "1", "x86_64"))
	r.Want(t, 204, "ann", "DELETE", repo("")+"/x86_64/RPMS.classic/app-1-alt1.x86_64.rpm", "")
	body := r.upload("", next)
	if got := r.get(repo("") + "/x86_64/RPMS.classic/app-1-alt1.x86_64.rpm"); got != body {
		t.Error("the package is another")
	}
	if res := r.Want(t, 409, "ann", "PUT", uploads(""), string(p.Bytes())); !strings.Contains(res.Body, "of the version 1:1-alt1:") {
		t.Errorf("the conflict says %q", res.Body)
	}
	r.wantSound()
}

// TestSign has packages signed by the owner that nobody has signed before.
func TestSign(t *testing.T) {
	r := newRepository(t)
	plain, theirs := pack("app", "1", "x86_64"), pack("foreign", "1", "x86_64")
	theirs.Signature = map[int]any{268: []byte("a signature")}
	for group, query := range map[string]string{"": "?sign=true", "as-it-is": "?sign=false"} {
		for _, p := range []rpmtest.Package{plain, theirs} {
			body := string(p.Bytes())
			r.Want(t, 201, "ann", "PUT", uploads(group)+query, body)
			file := p.Name + "-1-alt1.x86_64.rpm"
			got := r.get(repo(group) + "/x86_64/RPMS.classic/" + file)
			r.wantTags(group, "x86_64", file, r.read(group, "x86_64")[file], got)
			if signs := group == "" && p.Name == "app"; signs == (got == body) {
				t.Errorf("%q with %s has changed: %v", file, query, got != body)
			}
		}
	}
	signed := r.get(repo("") + "/x86_64/RPMS.classic/app-1-alt1.x86_64.rpm")
	sig, header := signatureOf(t, signed)
	ring, err := openpgp.ReadArmoredKeyRing(strings.NewReader(r.get(root + "/repository.key")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openpgp.CheckDetachedSignature(ring, strings.NewReader(header), strings.NewReader(sig), nil); err != nil {
		t.Error(err)
	}
	r.wantSound()
}

// signatureOf is the signature of a package's header, and that header.
func signatureOf(tb testing.TB, body string) (signature, header string) {
	tb.Helper()
	length := func(header string) (entries, size int) {
		return int(header[10])<<8 | int(header[11]), int(header[13])<<16 | int(header[14])<<8 | int(header[15])
	}
	first := body[96:]
	entries, size := length(first)
	for i := range entries {
		e := first[16+16*i:]
		if tag := int(e[2])<<8 | int(e[3]); tag == 267 {
			at := 16 + 16*entries + (int(e[10])<<8 | int(e[11]))
			signature = first[at : at+(int(e[14])<<8|int(e[15]))]
		}
	}
	end := 16 + 16*entries + size
	rest := first[end+(-end&7):]
	entries, size = length(rest)
	return signature, rest[:16+16*entries+size]
}

// TestVisibility shows a package of members to nobody else.
func TestVisibility(t *testing.T) {
	r := newRepository(t)
	r.upload("", pack("open", "1", "x86_64"))
	r.upload("", pack("closed", "1", "x86_64"))
	ctx := access.SystemContext(context.Background())
	s, err := r.Registry().Enter(ctx, "acme", "alt", access.Manage)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Package(ctx, "closed", access.Manage)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetVisibility(ctx, p, access.Private); err != nil {
		t.Fatal(err)
	}
	if got := r.listed("", "x86_64"); got != "open-1-alt1.x86_64.rpm" {
		t.Errorf("anybody is shown %s", got)
	}
	path := repo("") + "/x86_64/RPMS.classic/closed-1-alt1.x86_64.rpm"
	r.Want(t, 401, "", "GET", path, "")
	r.Want(t, 200, "rea", "GET", path, "")
	if got := r.Want(t, 200, "rea", "GET", repo("")+"/x86_64/base/pkglist.classic", "").Body; !strings.Contains(got, "closed-1-alt1.x86_64.rpm") {
		t.Error("a member is not shown all")
	}
	// A private owner asks everybody who they are.
	r.Server.SetVisibility(t, "acme", access.Private)
	for _, path := range []string{root + "/repository.key", root + "/vendors.list", repo(""), repo("") + "/x86_64/base/release", path} {
		if res := r.Want(t, 401, "", "GET", path, ""); !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("the challenge is %q", res.Header.Get("WWW-Authenticate"))
		}
		r.Want(t, 404, "out", "GET", path, "")
		r.Want(t, 200, "rea", "GET", path, "")
	}
}

package alt_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"entrepot/protocols/rpmtest"
)

// full is a package with all that a list has of one.
func full() rpmtest.Package {
	p := pack("lib.app+x", "2.0~rc1^git", "x86_64")
	p.Epoch = 3
	p.Files["/usr/bin/app"], p.Files["/usr/bin/app2"] = "a", "b"
	changes := make([]string, 12)
	times := make([]int32, 12)
	for i := range changes {
		changes[i], times[i] = fmt.Sprint("- change ", 12-i), int32(1700000000-i)
	}
	p.Tags = map[int]any{
		1015: "Ann <ann@example.com>", 1011: "ALT", 1020: "https://example.com/", 1155: "sisyphus+1.2.3", 100: []string{"C"},
		1047: []string{"lib.app+x", "app(virtual)"}, 1112: []int32{8, 1 << 30}, 1113: []string{"3:2.0~rc1^git-alt1:sisyphus+1.2.3@1700000000", ""},
		1049: []string{"/bin/sh", "rpmlib(CompressedFileNames)"}, 1048: []int32{1 << 9, 1<<24 | 10}, 1050: []string{"", "3.0.4-1"},
		1054: []string{"old"}, 1053: []int32{2}, 1055: []string{"1"}, 1090: []string{"older"}, 1114: []int32{2}, 1115: []string{"1"},
		1080: times, 1081: changes, 1082: changes,
		5046: []string{"weak"}, 5047: []string{""}, 5048: []int32{0},
	}
	return p
}

// TestList reads lists of every kind as the client does: all tags as they are
// in the packages, and packages where it looks for them.
func TestList(t *testing.T) {
	r := newRepository(t)
	for _, group := range []string{"", "p11/stable"} {
		for file, p := range map[string]rpmtest.Package{
			"lib.app+x-2.0~rc1^git-alt1.x86_64.rpm": full(), "data-1-alt1.noarch.rpm": pack("data", "1", "noarch"), "r2024-alt1-alt1.x86_64.rpm": pack("r2024", "alt1", "x86_64"),
			"src-1-alt1.src.rpm": pack("src", "1", "src"),
		} {
			body := string(p.Bytes())
			res := r.Want(t, 201, "wim", "PUT", uploads(group), body)
			parts := strings.Split(strings.TrimSuffix(file, ".rpm"), ".")
			arch := parts[len(parts)-1]
			if at := res.Header.Get("Location"); !strings.Contains(at, repo(group)+"/"+arch+"/") || !strings.HasSuffix(at, "/"+file) || res.Body != "" {
				t.Errorf("the answer names %s and says %q", at, res.Body)
			}
			all := r.read(group, arch)
			if all[file] == nil {
				t.Fatalf("%s is not among %d packages", file, len(all))
			}
			if file[0] == 'l' { // of the changes the newest
				have := all[file]
				for _, tag := range []int{1080, 1081, 1082} {
					if n := strings.Count(fmt.Sprint(have[tag]), "change"); tag != 1080 && n != 10 {
						t.Errorf("%d changes are listed", n)
					}
					delete(have, tag)
				}
				if have[1003] == nil || have[1155] == nil || have[100] == nil || have[1116] == nil || have[5046] != nil {
					t.Errorf("listed are %v", have)
				}
			}
			r.wantTags(group, arch, file, all[file], body)
		}
		if got := r.listed(group, "x86_64"); got != "lib.app+x-2.0~rc1^git-alt1.x86_64.rpm r2024-alt1-alt1.x86_64.rpm" {
			t.Errorf("listed are %s", got)
		}
	}
	r.wantSound()
}

// TestRelease reads the fields of a release, and of the file about the
// component, which stays the same.
func TestRelease(t *testing.T) {
	r := newRepository(t)
	r.upload("p11", pack("app", "1", "x86_64"))
	before := r.release("p11", "x86_64")
	component := r.get(repo("p11") + "/x86_64/base/release.classic")
	want := "Archive: Unknown\nComponent: classic\nVersion: 1\nOrigin: acme\nLabel: acme p11\nArchitecture: x86_64\nNotAutomatic: false\n"
	if component != want {
		t.Errorf("release.classic is\n%s", component)
	}
	for name, value := range map[string]string{"Origin": "acme", "Label": "acme p11", "Suite": "Unknown", "Architectures": "x86_64", "Components": "classic"} {
		if before.fields[name] != value {
			t.Errorf("%s is %q, want %q", name, before.fields[name], value)
		}
	}
	date, err := time.Parse(time.RFC1123, before.fields["Date"])
	if err != nil || strconv.FormatInt(date.Unix(), 10) != before.fields["Codename"] {
		t.Errorf("the date is %q, the codename %q", before.fields["Date"], before.fields["Codename"])
	}
	r.upload("p11", pack("app", "2", "x86_64"))
	if after := r.release("p11", "x86_64"); after.fields["Codename"] <= before.fields["Codename"] {
		t.Errorf("the codename %s comes after %s", after.fields["Codename"], before.fields["Codename"])
	}
	if again := r.get(repo("p11") + "/x86_64/base/release.classic"); again != component {
		t.Errorf("release.classic has become\n%s", again)
	}
}

// TestConditions asks for what the client has already.
func TestConditions(t *testing.T) {
	r := newRepository(t)
	r.upload("", pack("app", "1", "x86_64"))
	base := repo("") + "/x86_64/base/"
	for file, mediaType := range map[string]string{
		"release": "text/plain; charset=utf-8", "release.classic": "text/plain; charset=utf-8", "pkglist.classic": "application/octet-stream", "pkglist.classic.xz": "application/x-xz",
	} {
		res := r.Want(t, 200, "", "GET", base+file, "")
		if got := res.Header.Get("Content-Type"); got != mediaType || res.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s is of the type %s", file, got)
		}
		r.Want(t, 304, "", "GET", base+file, "", "If-Modified-Since", res.Header.Get("Last-Modified"))
		r.Want(t, 200, "", "GET", base+file, "", "If-Modified-Since", time.Now().Add(time.Hour).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
		if got := r.Want(t, 206, "", "GET", base+file, "", "Range", "bytes=5-9").Body; got != res.Body[5:10] {
			t.Errorf("a range of %s is %q", file, got)
		}
		if got := r.Want(t, 200, "", "HEAD", base+file, ""); got.ContentLength != int64(len(res.Body)) {
			t.Errorf("HEAD of %s says %d bytes", file, got.ContentLength)
		}
	}
}

// TestPair fetches a list after a publish that came behind its release.
func TestPair(t *testing.T) {
	r := newRepository(t)
	r.upload("", pack("app", "1", "x86_64"))
	base := repo("") + "/x86_64/base/"
	doc := r.release("", "x86_64")
	r.upload("", pack("app", "2", "x86_64"))
	// Another client sees the new state at once, which also builds it.
	r.Want(t, 200, "", "GET", base+"release", "", "User-Agent", "another")
	for path, sum := range doc.sums["BLAKE2b"] {
		body := r.get(repo("") + "/x86_64/" + path)
		if got := fmt.Sprint(sumOf("BLAKE2b", body), " ", len(body)); got != sum {
			t.Errorf("%s does not fit the release of before", path)
		}
	}
	if got := r.listed("", "x86_64"); got != "app-1-alt1.x86_64.rpm app-2-alt1.x86_64.rpm" {
		t.Errorf("listed are %s", got)
	}
}

// TestIsolation empties a group and an architecture, of which neither touches
// another; what is empty is served on, until it is given up.
func TestIsolation(t *testing.T) {
	r := newRepository(t)
	for _, group := range []string{"", "one", "one/two"} {
		r.upload(group, pack("app", "1", "x86_64"))
		r.upload(group, pack("data", "1", "noarch"))
	}
	r.Want(t, 204, "ann", "DELETE", repo("one")+"/x86_64/RPMS.classic/app-1-alt1.x86_64.rpm", "")
	r.Want(t, 404, "ann", "DELETE", repo("one")+"/x86_64/RPMS.classic/app-1-alt1.x86_64.rpm", "")
	r.Want(t, 404, "", "GET", repo("one")+"/x86_64/RPMS.classic/app-1-alt1.x86_64.rpm", "")
	for _, group := range []string{"", "one", "one/two"} {
		want := "app-1-alt1.x86_64.rpm"
		if group == "one" {
			want = ""
		}
		if got := r.listed(group, "x86_64"); got != want {
			t.Errorf("%q lists %q, want %q", group, got, want)
		}
		if got := r.listed(group, "noarch"); got != "data-1-alt1.noarch.rpm" {
			t.Errorf("%q lists %q for all", group, got)
		}
	}
	r.Want(t, 409, "ann", "DELETE", repo("one"), "")
	r.Want(t, 204, "ann", "DELETE", repo("one")+"/noarch/RPMS.classic/data-1-alt1.noarch.rpm", "")
	r.Want(t, 403, "wim", "DELETE", repo("one"), "")
	r.Want(t, 204, "ann", "DELETE", repo("one"), "")
	r.Want(t, 404, "ann", "DELETE", repo("one"), "")
	r.Want(t, 404, "", "GET", repo("one")+"/noarch/base/release", "")
	r.get(repo("one/two") + "/noarch/base/release")
	r.wantSound()
}

// TestKeys replaces the key: the new one signs alone from then on.
func TestKeys(t *testing.T) {
	r := newRepository(t)
	r.upload("", pack("app", "1", "x86_64"))
	r.release("", "x86_64")
	old := r.get(root + "/vendors.list")
	r.Want(t, 201, "ann", "POST", root+"/repository.key?algorithm=ed25519", "")
	now := r.get(root + "/vendors.list")
	if old == now || strings.Count(now, "simple-key \"acme\" {") != 1 || !strings.Contains(now, "Name \"acme\";") {
		t.Errorf("the vendors are\n%s", now)
	}
	var keys struct {
		Keys []struct {
			Fingerprint string
			Current     bool
		}
		Repositories []struct{ Group, Architecture string }
	}
	if err := json.Unmarshal([]byte(r.get(root+"/repository.json")), &keys); err != nil {
		t.Fatal(err)
	}
	if len(keys.Keys) != 2 || !keys.Keys[0].Current || !strings.Contains(now, "FingerPrint \""+strings.ToUpper(keys.Keys[0].Fingerprint)+"\";") {
		t.Errorf("the keys are %+v, the vendors\n%s", keys.Keys, now)
	}
	if len(keys.Repositories) != 1 || keys.Repositories[0] != (struct{ Group, Architecture string }{"", "x86_64"}) {
		t.Errorf("the repositories are %+v", keys.Repositories)
	}
	r.release("", "x86_64")
	r.Want(t, 403, "wim", "POST", root+"/repository.key", "")
	r.wantSound()
}

// TestDescription reads the lines for sources.list.
func TestDescription(t *testing.T) {
	r := newRepository(t)
	line := func(kind, group, arch string) string {
		return kind + " [acme] " + r.URL + repo(group) + " " + arch + " classic\n"
	}
	if got := r.get(repo("new")); !strings.HasSuffix(got, "\n"+line("rpm", "new", "x86_64")+line("rpm", "new", "noarch")) {
		t.Errorf("a group to come is\n%s", got)
	}
	// Groups may have the words of paths in their names.
	groups := []string{"", "p11/base", "a/x86_64/base/b", "a/x86_64/RPMS.classic/b", "alt/base"}
	for _, group := range groups {
		r.upload(group, pack("app", "1", "x86_64"))
		r.upload(group, pack("app", "1", "src"))
	}
	for _, group := range groups {
		if got := r.get(repo(group)); !strings.HasSuffix(got, "\n"+line("rpm-src", group, "src")+line("rpm", group, "x86_64")) {
			t.Errorf("%q is\n%s", group, got)
		}
		if got := r.listed(group, "x86_64"); got != "app-1-alt1.x86_64.rpm" {
			t.Errorf("%q lists %s", group, got)
		}
	}
	for _, path := range []string{"", "/alt", "/alt.repos", "/.repo", "/a.repo/b.repo", "/upload.repo", "/alt.repo/x86_64/base", "/alt.repo/x86_64/base/Packages", "/alt.repo/x86_64/base/pkglist.classic.bz2",
		"/alt.repo/aarch64/base/release", "/new.repo/x86_64/base/release", "/alt/x86_64/base/release", "/alt.repo/*/base/release", "/alt.repo/src/base/pkglist.classic", "/alt.repo/x86_64/RPMS.main/app-1-alt1.x86_64.rpm",
		"/alt.repo/x86_64/RPMS.classic/app-1-alt1", "/alt.repo/noarch/RPMS.classic/app-1-alt1.x86_64.rpm", "/alt.repo/x86_64/RPMS.classic/App-1-alt1.x86_64.rpm", "/alt.repo/x86_64/RPMS.classic/other-1-alt1.x86_64.rpm"} {
		r.Want(t, 404, "", "GET", root+path, "")
	}
	for _, method := range []string{"PUT", "POST"} {
		res := r.Want(t, 405, "ann", method, repo("")+"/x86_64/base/release", "")
		if allow := res.Header.Values("Allow"); !slices.Contains(allow, "GET") {
			t.Errorf("allowed are %q", allow)
		}
		r.Want(t, 405, "ann", method, repo(""), "")
	}
}

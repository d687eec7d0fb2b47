package rpm_test

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"

	"entrepot/protocols/rpmtest"
)

// signature takes the signature of the header out of a package, and the
// header with all that follows.
func signature(tb testing.TB, body string) (tag int, sig []byte, rest string) {
	tb.Helper()
	raw := []byte(body)[96:]
	entries, size := int(binary.BigEndian.Uint32(raw[8:])), int(binary.BigEndian.Uint32(raw[12:]))
	data := raw[16+16*entries:][:size]
	for i := range entries {
		number := func(n int) int { return int(binary.BigEndian.Uint32(raw[16+16*i+4*n:])) }
		if n := number(0); n == 267 || n == 268 {
			tag, sig = n, data[number(2):][:number(3)]
		}
	}
	end := 96 + 16 + 16*entries + size
	return tag, sig, body[end+(-end&7):]
}

// headerOf is the header at the beginning of the text.
func headerOf(text string) string {
	return text[:16+16*int(binary.BigEndian.Uint32([]byte(text[8:])))+int(binary.BigEndian.Uint32([]byte(text[12:])))]
}

// wantSigned tells that the package at the path is the uploaded one with the
// signature of the owner.
func (r *repository) wantSigned(path, uploaded string) {
	r.tb.Helper()
	body := r.get(path)
	tag, sig, rest := signature(r.tb, body)
	_, _, want := signature(r.tb, uploaded)
	if rest != want {
		r.tb.Fatalf("%s: the header or the payload has changed", path)
	}
	ring, err := openpgp.ReadArmoredKeyRing(strings.NewReader(r.get(root + "/repository.key")))
	if err != nil {
		r.tb.Fatal(err)
	}
	if _, err := openpgp.CheckDetachedSignature(ring, strings.NewReader(headerOf(rest)), bytes.NewReader(sig), nil); err != nil || tag != 267 {
		r.tb.Errorf("%s: the signature in tag %d: %v", path, tag, err)
	}
}

func TestSign(t *testing.T) {
	r := newRepository(t)
	p := pack("app", "1", "x86_64")
	p.Signature = map[int]any{1008: make([]byte, 4128)}
	plain := string(p.Bytes())
	r.Want(t, 201, "ann", "PUT", root+"/upload", plain)
	if got := r.get(root + "/package/app/1-1/x86_64"); got != plain {
		t.Error("a package is not stored as it was uploaded")
	}
	for _, group := range []string{"signed", "signed/too"} {
		r.Want(t, 201, "ann", "PUT", place(group)+"/upload?sign=true", plain)
		r.wantSigned(place(group)+"/package/app/1-1/x86_64", plain)
		// The duplicate is found whether it is signed again or not.
		r.Want(t, 409, "ann", "PUT", place(group)+"/upload?sign=true", plain)
		r.Want(t, 409, "ann", "PUT", place(group)+"/upload", plain)
	}
	_, documents := r.read("signed")
	stored := r.get(root + "/signed/package/app/1-1/x86_64")
	if got := documents["primary"]; !strings.Contains(got, ">"+sum(stored)+"</checksum>") {
		t.Errorf("the index has another digest\n%s", got)
	}
	_, _, rest := signature(t, stored)
	start := len(stored) - len(rest)
	if want := `<rpm:header-range start="` + strconv.Itoa(start) + `" end="` + strconv.Itoa(start+len(headerOf(rest))) + `"/>`; !strings.Contains(documents["primary"], want) {
		t.Errorf("the index has no %s in\n%s", want, documents["primary"])
	}
	r.wantSound()
}

// TestSignPolicies uploads a package without a signature, and one that
// somebody else has signed, to groups of each policy.
func TestSignPolicies(t *testing.T) {
	r := newRepository(t)
	p, foreign := pack("app", "1", "x86_64"), pack("foreign", "1", "x86_64")
	foreign.Signature = map[int]any{268: []byte("a signature"), 1002: []byte("another")}
	r.Want(t, 201, "ann", "PUT", root+"/repodata", `{"sign":"all"}`)
	for group, tc := range map[string]struct {
		settings       string
		signed, resign bool
	}{
		"none":  {`{"sign":"none"}`, false, false},
		"all":   {`{"sign":"all"}`, true, false},
		"again": {`{"sign":"again"}`, true, true},
		// As the root group has it.
		"default": {`{}`, true, false},
	} {
		r.Want(t, 201, "ann", "PUT", place(group)+"/repodata", tc.settings)
		body, theirs := r.upload(group, p), r.upload(group, foreign)
		if at := place(group) + "/package/app/1-1/x86_64"; tc.signed {
			r.wantSigned(at, body)
		} else if r.get(at) != body {
			t.Errorf("%s: the package has changed", group)
		}
		if at := place(group) + "/package/foreign/1-1/x86_64"; tc.resign {
			r.wantSigned(at, theirs)
		} else if r.get(at) != theirs {
			t.Errorf("%s: the package of another has changed", group)
		}
		want := "\ngpgcheck=0\n"
		if tc.signed {
			want = "\ngpgcheck=1\n"
		}
		if got := r.get(place(group) + ".repo"); !strings.Contains(got, want) {
			t.Errorf("%s: the description is\n%s", group, got)
		}
	}
	// A package that is copied to a group is signed as one that is uploaded.
	r.Want(t, 201, "ann", "POST", root+"/none/package/foreign/1-1/x86_64/copy?to=again/too", "")
	if r.get(root+"/again/too/package/foreign/1-1/x86_64") != string(foreign.Bytes()) {
		t.Error("a group without a policy follows the one above instead of the root group")
	}
	r.upload("none", rpmtest.Package{Name: "late", Version: "1", Release: "1", Arch: "noarch"})
	late := r.get(root + "/none/package/late/1-1/noarch")
	r.Want(t, 201, "ann", "POST", root+"/none/package/late/1-1/noarch/copy?to=again", "")
	r.wantSigned(root+"/again/package/late/1-1/noarch", late)
	r.wantSound()
}

package rpm

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"entrepot/ent"
	"entrepot/protocols/rpm/rpmtest"
	"entrepot/registry"
)

// FuzzReadHead holds what is read of any body: an error that is the
// uploader's, or a package of which an index can tell, in documents that are
// well formed.
func FuzzReadHead(f *testing.F) {
	p := rpmtest.Package{Name: "a", Version: "1", Release: "1", Arch: "noarch", Files: map[string]string{"/etc/a": "b"}}
	f.Add(p.Bytes())
	p.Tags = map[int]any{1080: []int32{1}, 1081: []string{"a\x01\xff"}, 1082: []string{"<b>"}, 5046: []string{"r"}, 5047: []string{"1:2-3"}, 5048: []int32{8}}
	p.Signature = map[int]any{1008: make([]byte, 32), 268: []byte("x")}
	f.Add(p.Bytes())
	f.Add([]byte("drpm"))
	f.Fuzz(func(t *testing.T, body []byte) {
		h, err := readHead(bytes.NewReader(body))
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Errorf("a body that is no good gives %v", err)
			}
			return
		}
		if got, err := io.ReadAll(h.reader()); err != nil || int64(len(got)) != h.size() || !bytes.HasSuffix(got, h.main.raw) {
			t.Errorf("the head is %d bytes, says %d, %v", len(got), h.size(), err)
		}
		for _, err := range []error{h.checkHeader(), func() error { _, err := h.payload(strings.NewReader("")); return err }()} {
			if err != nil && registry.CodeOf(err) != registry.Invalid {
				t.Errorf("digests: %v", err)
			}
		}
		p, err := parsePack(h)
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Errorf("a header that is no good gives %v", err)
			}
			return
		}
		indexed := registry.IndexedFile{File: &ent.PackageFile{Fragment: p.fragment(), CreatedAt: time.Unix(1, 0)}, Blob: &ent.PackageBlob{Size: 1}}
		for _, d := range texts {
			text, err := renderPackage(indexed, d.stream)
			if err != nil {
				t.Fatal(err)
			}
			wellFormed(t, d.open+`1">`+string(text)+d.close)
		}
		if again, err := identityOf(p.name, p.versionString()); err != nil || again.versionString() != p.versionString() || archOf(p.file()) != p.arch {
			t.Errorf("%s is read as %v, %v", p.file(), again, err)
		}
		// A signature of ours can be put into any package that is taken.
		signed, err := h.signature.with(value{tag: sigRSA, kind: kindBinary, count: 3, data: []byte("sig")})
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Errorf("signing gives %v", err)
			}
			return
		}
		e, ok := signed.entry(sigRSA)
		if raw, err := signed.bytesOf(e); !ok || err != nil || string(raw) != "sig" || signed.has(sigReserved, sigPGP, sigGPG, sigDSA) {
			t.Errorf("the signature is %q, %v", raw, err)
		}
	})
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("%v in %q", err, text)
		}
	}
}

func FuzzErrata(f *testing.F) {
	f.Add([]byte(`[{"id":"A","references":[{"href":"x"}],"pkg_list":[{"packages":[{"name":"a","version":"1"}]}]},null]`))
	f.Add([]byte(`[{"id":"\u0001","issued":"x"},{"id":7}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		all, err := parseErrata(raw, time.Unix(0, 0))
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Errorf("advisories that are no good give %v", err)
			}
			return
		}
		merged := mergeErrata(nil, all)
		wellFormed(t, string(writeUpdateinfo(merged)))
		kept, err := writeErrata(merged)
		if err != nil || bytes.ContainsRune(kept, '\n') {
			t.Fatalf("kept are %q, %v", kept, err)
		}
		again, err := readErrata(kept)
		if err != nil || string(writeUpdateinfo(mergeErrata(again, all))) != string(writeUpdateinfo(merged)) {
			t.Errorf("the same again changes %q, %v", kept, err)
		}
	})
}

func FuzzCleanText(f *testing.F) {
	f.Add("a\xffb\x00\ufffe")
	f.Fuzz(func(t *testing.T, text string) {
		clean := cleanText(text)
		if !utf8.ValidString(clean) || cleanText(clean) != clean {
			t.Errorf("%q becomes %q", text, clean)
		}
		wellFormed(t, "<a>"+xmlText.Replace(clean)+"</a>")
		wellFormed(t, `<a b="`+xmlAttribute.Replace(clean)+`"/>`)
	})
}

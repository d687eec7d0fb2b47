package rpm

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"

	"entrepot/ent"
	"entrepot/protocols/internal/rpmfile"
	"entrepot/protocols/rpmtest"
	"entrepot/registry"
)

// FuzzDocuments holds what the documents of an index say of any package that is
// taken: they are well formed.
func FuzzDocuments(f *testing.F) {
	p := rpmtest.Package{Name: "a", Version: "1", Release: "1", Arch: "noarch", Files: map[string]string{"/etc/a": "b"}}
	f.Add(p.Bytes())
	p.Tags = map[int]any{1080: []int32{1}, 1081: []string{"a\x01\xff"}, 1082: []string{"<b>"}, 5046: []string{"r"}, 5047: []string{"1:2-3"}, 5048: []int32{8}}
	f.Add(p.Bytes())
	f.Fuzz(func(t *testing.T, body []byte) {
		kept, err := Fragment(body)
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Errorf("a body that is no good gives %v", err)
			}
			return
		}
		indexed := registry.IndexedFile{File: &ent.PackageFile{Fragment: kept, CreatedAt: time.Unix(1, 0)}, Blob: &ent.PackageBlob{Size: 1}}
		for _, d := range texts {
			text, err := renderPackage(indexed, d.stream)
			if err != nil {
				t.Fatal(err)
			}
			wellFormed(t, d.open+`1">`+string(text)+d.close)
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

func FuzzEscapes(f *testing.F) {
	f.Add("a\xffb\x00\ufffe<&\"")
	f.Fuzz(func(t *testing.T, text string) {
		clean := rpmfile.CleanText(text)
		wellFormed(t, "<a>"+xmlText.Replace(clean)+"</a>")
		wellFormed(t, `<a b="`+xmlAttribute.Replace(clean)+`"/>`)
	})
}

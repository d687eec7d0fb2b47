package rpmfile

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"entrepot/protocols/rpmtest"
	"entrepot/registry"
)

// FuzzReadHead holds what is read of any body: an error that is the
// uploader's, or a package whose tags can be written again as they are.
func FuzzReadHead(f *testing.F) {
	p := rpmtest.Package{Name: "a", Version: "1", Release: "1", Arch: "noarch", Files: map[string]string{"/etc/a": "b"}}
	f.Add(p.Bytes())
	p.Tags = map[int]any{1080: []int32{1}, 1081: []string{"a\x01\xff"}, 1082: []string{"<b>"}, 5046: []string{"r"}, 5047: []string{"1:2-3"}, 5048: []int32{8}}
	p.Signature = map[int]any{1008: make([]byte, 32), 268: []byte("x")}
	f.Add(p.Bytes())
	f.Add([]byte("drpm"))
	f.Fuzz(func(t *testing.T, body []byte) {
		h, err := ReadHead(bytes.NewReader(body))
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Errorf("a body that is no good gives %v", err)
			}
			return
		}
		if got, err := io.ReadAll(h.Reader()); err != nil || int64(len(got)) != h.Size() || !bytes.HasSuffix(got, h.main.raw) {
			t.Errorf("the head is %d bytes, says %d, %v", len(got), h.Size(), err)
		}
		for _, err := range []error{h.CheckHeader(), func() error { _, err := h.Payload(strings.NewReader("")); return err }()} {
			if err != nil && registry.CodeOf(err) != registry.Invalid {
				t.Errorf("digests: %v", err)
			}
		}
		p, err := Parse(h)
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Errorf("a header that is no good gives %v", err)
			}
			return
		}
		if again, err := ParseIdentity(p.Name, p.VersionString()); err != nil || again.VersionString() != p.VersionString() || ArchOf(p.FileName()) != p.Arch {
			t.Errorf("%s is read as %v, %v", p.FileName(), again, err)
		}
		wantSameTags(t, h.Main())
		// A signature of ours can be put into any package that is taken.
		signed, err := h.signature.with(Value{Tag: sigRSA, kind: kindBinary, count: 3, data: []byte("sig")})
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

// wantSameTags writes a header without its region, and reads it back.
func wantSameTags(t *testing.T, h *Header) {
	t.Helper()
	var values []Value
	for tag, form := range map[int]Form{
		tagName: OneText, tagEpoch: Numbers, tagSummary: Translated, tagBaseNames: Texts, tagDirIndexes: Numbers, tagDirNames: Texts, tagChangeText: Texts,
	} {
		v, ok, err := h.Value(tag, form)
		if err != nil && registry.CodeOf(err) != registry.Invalid {
			t.Errorf("a tag that is no good gives %v", err)
		}
		if ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return
	}
	again, err := readHeader(bytes.NewReader(WriteHeader(values)), "copy", maxData)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		e, ok := again.entry(v.Tag)
		data, err := again.bytesOf(e)
		if !ok || err != nil || e.kind != v.kind || e.count != v.count || !bytes.Equal(data, v.data) {
			t.Errorf("the tag %d is %v %q, %v, want %v", v.Tag, e, data, err, v)
		}
		if first := v.First(1); isText(v.kind) && (first.count != 1 || bytes.IndexByte(first.data, 0) != len(first.data)-1) {
			t.Errorf("the first value of the tag %d is %q", v.Tag, first.data)
		}
	}
}

func FuzzCleanText(f *testing.F) {
	f.Add("a\xffb\x00\ufffe")
	f.Fuzz(func(t *testing.T, text string) {
		clean := CleanText(text)
		if !utf8.ValidString(clean) || CleanText(clean) != clean {
			t.Errorf("%q becomes %q", text, clean)
		}
	})
}

package alt_test

import (
	"testing"

	"entrepot/protocols/alt"
	"entrepot/protocols/rpmtest"
	"entrepot/registry"
)

// FuzzListed holds what a list has of any package that is taken: a header that
// rpm's library reads, so that no package makes a list end before the others.
func FuzzListed(f *testing.F) {
	f.Add(pack("a", "1", "noarch").Bytes())
	f.Add(full().Bytes())
	p := pack("a", "1", "src")
	p.Tags[1004], p.Tags[100] = rpmtest.I18n("one\x00eins"), []string{"C", "de"}
	f.Add(p.Bytes())
	f.Fuzz(func(t *testing.T, body []byte) {
		kept, file, err := alt.Fragment(body)
		if err != nil {
			if registry.CodeOf(err) != registry.Invalid {
				t.Errorf("a body that is no good gives %v", err)
			}
			return
		}
		raw, err := alt.Listed(kept)
		if err != nil {
			t.Fatal(err)
		}
		headers, err := rpmtest.ReadHeaders(raw)
		if err != nil || len(headers) != 1 {
			t.Fatalf("%d headers, %v", len(headers), err)
		}
		if h := headers[0]; h[1000000] != file || h[1000] == nil || h[1001] == nil || h[1002] == nil || h[1022] == nil {
			t.Errorf("listed is %v", h)
		}
	})
}

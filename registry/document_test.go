package registry

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"testing"

	"github.com/klauspost/compress/gzip"

	"entrepot/ent"
)

// TestLargeDocuments composes once what can be kept compressed, and always
// what cannot be kept at all.
func TestLargeDocuments(t *testing.T) {
	const limit = 64 << 10
	r := &Registry{documents: newDocumentCache(limit)}
	noise := make([]byte, limit)
	rand.Read(noise)
	for name, tt := range map[string]struct {
		body     []byte
		composed int
	}{
		"small": {[]byte("small"), 1}, "large": {bytes.Repeat([]byte("large"), limit), 1}, "too large": {noise, 3},
	} {
		composed := 0
		key := DocumentKey{Package: &ent.Pkg{ID: 1, Generation: 7}, Name: name}
		for range 3 {
			d, err := r.Document(t.Context(), key, func(_ context.Context, w io.Writer) error {
				composed++
				_, err := w.Write(tt.body)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			plain, err := d.Plain()
			if err != nil {
				t.Fatal(err)
			}
			packed, err := gzip.NewReader(bytes.NewReader(d.Gzip))
			if err != nil {
				t.Fatal(err)
			}
			for form, body := range map[string]io.Reader{"plain": plain, "gzip": packed} {
				if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, tt.body) || d.Size != len(got) {
					t.Errorf("%s, %s: %d bytes, %v; want %d, said to be %d", name, form, len(got), err, len(tt.body), d.Size)
				}
			}
		}
		if composed != tt.composed {
			t.Errorf("%s: composed %d times, want %d", name, composed, tt.composed)
		}
	}
}

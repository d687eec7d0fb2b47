package registry

import (
	"io"
	"testing"

	"entrepot/access"
)

// A small content is read from the store once, as often as it is asked for; a
// large one each time.
func TestSmallContentsStayInMemory(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	for _, tt := range []struct {
		name, content string
		kept          bool
	}{
		{"small", "hello", true},
		{"large", string(make([]byte, smallContent+1)), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			done, err := s.Publish(t.Context(), f.publication(tt.name, "1.0", tt.content))
			if err != nil {
				t.Fatal(err)
			}
			blob := blobOf(done)
			for range 2 {
				r, err := f.OpenBlob(t.Context(), blob)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(r)
				if err != nil || string(got) != tt.content {
					t.Errorf("read %d bytes, %v; want %d", len(got), err, len(tt.content))
				}
				r.Close()
			}
			if err := f.store.Remove(t.Context(), blob.StorageKey); err != nil {
				t.Fatal(err)
			}
			r, err := f.OpenBlob(t.Context(), blob)
			if (err == nil) != tt.kept {
				t.Errorf("without the object: %v, want it kept: %v", err, tt.kept)
			}
			if err == nil {
				r.Close()
			}
		})
	}
}

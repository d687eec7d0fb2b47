package registry

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"entrepot/access"
	"entrepot/ent/indexdata"
)

// TestIndexEncoded reads a text in encodings that are made when asked for.
func TestIndexEncoded(t *testing.T) {
	x := newIndexes(t)
	for i := range 20 {
		x.publish(fmt.Sprintf("app-%02d", i), "1", "stable/")
	}
	snapshot, err := x.space.Index(t.Context(), IndexName{"stable", ""})
	if err != nil {
		t.Fatal(err)
	}
	want := x.object(snapshot, "all")
	for range 2 {
		packed, err := snapshot.Encoded(t.Context(), "all", XZ, "application/x-xz")
		if err != nil {
			t.Fatal(err)
		}
		r, err := xz.ReaderConfig{SingleStream: true}.NewReader(packed.Open(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != want {
			t.Errorf("xz holds %d bytes, want %d; %v", len(got), len(want), err)
		}
		if packed, err = snapshot.Encoded(t.Context(), "all", Zstd, "application/zstd"); err != nil {
			t.Fatal(err)
		}
		z, err := zstd.NewReader(packed.Open(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(z); err != nil || string(got) != want {
			t.Errorf("zstd holds %d bytes, want %d; %v", len(got), len(want), err)
		}
		z.Close()
	}
	if n := x.db.IndexData.Query().Where(indexdata.SourceIDGT(0)).CountX(access.SystemContext(t.Context())); n == 0 || n%2 != 0 {
		t.Errorf("%d chunks are kept in other encodings", n)
	}
	x.oldData()
	if _, err := x.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.indexCache.InvalidateAll()
	if _, err := snapshot.Encoded(t.Context(), "all", XZ, "application/x-xz"); err != nil {
		t.Error(err)
	}
}

// TestIndexEncode reads a text in an encoding that its documents name: what has
// been encoded once is not encoded again, and stays as long as it is used.
func TestIndexEncode(t *testing.T) {
	x := newIndexes(t)
	encoded := func() int {
		return x.db.IndexData.Query().Where(indexdata.SourceIDGT(0)).CountX(access.SystemContext(t.Context()))
	}
	for i := range 40 {
		x.publish(fmt.Sprintf("app-%02d", i), "1", "packed/")
	}
	want := func() {
		t.Helper()
		x.indexCache.InvalidateAll()
		r, err := xz.ReaderConfig{SingleStream: true}.NewReader(strings.NewReader(x.read(x.space, "packed/", "all.xz")))
		if err != nil {
			t.Fatal(err)
		}
		plain := x.read(x.space, "packed/", "all")
		if got, err := io.ReadAll(r); err != nil || string(got) != plain || !strings.Contains(plain, "app-39") {
			t.Errorf("xz holds %d bytes, want %d; %v", len(got), len(plain), err)
		}
	}
	want()
	before := encoded()
	x.publish("app-40", "1", "packed/")
	want()
	if now := encoded(); before < 9 || now <= before || now > before+6 { // the last chunk or two of three texts
		t.Errorf("%d chunks are encoded, %d before", now, before)
	}
	x.oldData()
	if _, err := x.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	want()
	x.wantSound()
}

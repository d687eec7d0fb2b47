package registry

import (
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"entrepot/access"
)

// TestPackIndexObject reads objects in packed forms, of an index with many
// chunks and of none.
func TestPackIndexObject(t *testing.T) {
	x := newIndexes(t)
	for i := range 30 {
		x.publish(fmt.Sprintf("app-%02d", i), "1", "stable/")
	}
	snapshot, err := x.space.Index(t.Context(), IndexName{"stable", ""})
	if err != nil {
		t.Fatal(err)
	}
	listed, err := snapshot.Object("all")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []*IndexObject{listed, NewIndexObject("empty.json", "application/json", []byte("{}\n"), time.Unix(1, 0))} {
		want, err := io.ReadAll(o.Open(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		for form, unpack := range map[Packing]func(io.Reader) (io.Reader, error){
			Zstandard: func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
			Bzip2:     func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil },
		} {
			for range 2 {
				packed, err := x.PackIndexObject(t.Context(), o, form, "application/x-packed")
				if err != nil {
					t.Fatal(err)
				}
				raw, err := io.ReadAll(packed.Open(t.Context()))
				if err != nil {
					t.Fatal(err)
				}
				r, err := unpack(bytes.NewReader(raw))
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(r)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s of %s holds %d bytes, want %d; %v", form, o.Path, len(got), len(want), err)
				}
				if packed.Size != int64(len(raw)) || packed.Sha256 != o.Sha256+"-"+string(form) || packed.ContentType != "application/x-packed" || packed.Modified != o.Modified {
					t.Errorf("%s of %s is %+v", form, o.Path, packed)
				}
			}
		}
		if o.PackedAs(Unpacked) != o.Sha256 {
			t.Errorf("%s is known as %s", o.Path, o.PackedAs(Unpacked))
		}
	}
	if _, err := x.PackIndexObject(t.Context(), listed, "rar", ""); err == nil {
		t.Error("an unknown form is made")
	}
}

// TestHasIndex finds families, also of indexes that are empty by now.
func TestHasIndex(t *testing.T) {
	x := newIndexes(t)
	x.publish("app", "1", "stable/amd64")
	for family, want := range map[string]bool{"stable": true, "": false, "stab": false} {
		if got, err := x.space.HasIndex(t.Context(), family); err != nil || got != want {
			t.Errorf("there is an index of the family %q: %v, %v", family, got, err)
		}
	}
}

// TestSetFragment changes what an index says of a file, and nothing where it
// may not.
func TestSetFragment(t *testing.T) {
	x := newIndexes(t)
	x.publish("app", "1", "stable/")
	p, err := x.space.Package(x.as(x.ann), "app", access.Write)
	if err != nil {
		t.Fatal(err)
	}
	files, err := x.Holdings(p).FileStates(t.Context(), "1")
	if err != nil || len(files) != 1 {
		t.Fatalf("the files are %v, %v", files, err)
	}
	f, err := x.space.File(t.Context(), p, "1", files[0].Name, files[0].CompositeKey)
	if err != nil {
		t.Fatal(err)
	}
	say := func(text string) func([]byte) ([]byte, error) {
		return func(old []byte) ([]byte, error) { return append(old, text...), nil }
	}
	if err := x.space.SetFragment(x.as(x.ann), p, f, nil, say(", changed")); err != nil {
		t.Fatal(err)
	}
	refused := errors.New("not this way")
	if err := x.space.SetFragment(x.as(x.ann), p, f, nil, func([]byte) ([]byte, error) { return nil, refused }); !errors.Is(err, refused) {
		t.Errorf("what change says comes back as %v", err)
	}
	outsider := x.enter(x.bob, "acme", "listed", access.Read)
	if err := outsider.SetFragment(x.as(x.bob), p, f, nil, say(", forged")); CodeOf(err) != Forbidden {
		t.Errorf("an outsider changes a fragment: %v", err)
	}
	snapshot, err := x.space.Index(t.Context(), IndexName{"stable", ""})
	if err != nil {
		t.Fatal(err)
	}
	if got := x.object(snapshot, "all"); !strings.Contains(got, ", changed\n") {
		t.Errorf("the index is %q", got)
	}
	x.wantSound()
	if err := x.space.DeleteFile(x.as(x.ann), p, f); err != nil {
		t.Fatal(err)
	}
	if err := x.space.SetFragment(x.as(x.ann), p, f, nil, say("")); CodeOf(err) != NotFound {
		t.Errorf("a file that is gone is changed: %v", err)
	}
}

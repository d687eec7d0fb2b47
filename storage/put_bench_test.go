package storage_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"entrepot/storage"
	"entrepot/storage/storagetest"
)

// plain hides everything but Read, as the body of an HTTP request does.
type plain struct{ r io.Reader }

func (p plain) Read(b []byte) (int, error) { return p.r.Read(b) }

// BenchmarkPut compares a durable Write with the least that a handler could do: create, hash, write, one fsync, close,
// without a temporary name and without making the name durable. The difference of the small sizes is the second fsync.
// Nothing is removed meanwhile: ext4 slows down where files were deleted in the last seconds.
//
//	go test -run xxx -bench Put -benchtime 1s ./storage
func BenchmarkPut(b *testing.B) {
	for _, size := range []int{64 << 10, 1 << 20, 100 << 20} {
		content := storagetest.Content(size)
		b.Run(fmt.Sprintf("bare/%dKiB", size>>10), func(b *testing.B) {
			dir := b.TempDir()
			b.SetBytes(int64(size))
			for i := range b.N {
				name := filepath.Join(dir, fmt.Sprint(i))
				f, err := os.Create(name)
				if err != nil {
					b.Fatal(err)
				}
				h := sha256.New()
				if _, err := io.Copy(io.MultiWriter(f, h), plain{bytes.NewReader(content)}); err != nil {
					b.Fatal(err)
				}
				if err := f.Sync(); err != nil {
					b.Fatal(err)
				}
				f.Close()
			}
		})
		for _, set := range []storage.Algorithm{storage.SHA256, storage.SHA256 | storage.MD5 | storage.SHA1 | storage.SHA512} {
			b.Run(fmt.Sprintf("%v/%dKiB", set, size>>10), func(b *testing.B) {
				s := open(b, b.TempDir())
				warmUp(b, s)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					key := storage.NewKey()
					if _, err := storage.Write(b.Context(), s, key, plain{bytes.NewReader(content)}, int64(size), set); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// warmUp makes the directories that a store in use has.
func warmUp(b *testing.B, s storage.Store) {
	b.Helper()
	for range 1500 {
		if _, err := s.Put(b.Context(), storage.NewKey(), bytes.NewReader(nil), 0); err != nil {
			b.Fatal(err)
		}
	}
}

package index

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/iotest"
)

// shelf keeps data under numbers.
type shelf struct {
	data  [][]byte
	asked int
}

func (s *shelf) put(b []byte) int64 {
	s.data = append(s.data, b)
	return int64(len(s.data))
}

func (s *shelf) get(n int64) ([]byte, error) {
	s.asked++
	if n < 1 || n > int64(len(s.data)) {
		return nil, fmt.Errorf("no datum %d", n)
	}
	return s.data[n-1], nil
}

func (s *shelf) chunk(t *Text, text []byte) {
	c := Deflate(text)
	t.Chunk(s.put(c.Deflated), c.Size, int64(len(c.Deflated)), c.CRC)
}

// prose is n bytes that compress as an index does.
func prose(n int, seed uint64) []byte {
	random := rand.New(rand.NewPCG(1, seed))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "Package: lib%d\nVersion: 1.%d\nSHA256: %016x\n\n", random.IntN(500), random.IntN(90), random.Uint64())
	}
	return b.Bytes()[:n]
}

func TestCombineCRC(t *testing.T) {
	for _, n := range []int{0, 1, 7, 256, 65537} {
		a, b := prose(1000, 1), prose(n, 2)
		got := combineCRC(crc32.ChecksumIEEE(a), crc32.ChecksumIEEE(b), int64(n))
		if want := crc32.ChecksumIEEE(slices.Concat(a, b)); got != want {
			t.Errorf("%d bytes: %08x, want %08x", n, got, want)
		}
	}
}

func sample(s *shelf, chunks int) (*Text, []byte) {
	var text Text
	var whole []byte
	text.Literal([]byte("head\n"))
	whole = append(whole, "head\n"...)
	for i := range chunks {
		c := prose(3000+i*17, uint64(i))
		s.chunk(&text, c)
		whole = append(whole, c...)
	}
	text.Literal([]byte("tail\n"))
	return &text, append(whole, "tail\n"...)
}

func TestGzipIsOneOrdinaryMember(t *testing.T) {
	for _, chunks := range []int{0, 1, 40} {
		var s shelf
		text, want := sample(&s, chunks)
		packed, err := io.ReadAll(text.Gzip().Open(s.get))
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(packed)) != text.Gzip().Size() {
			t.Errorf("size %d, want %d", text.Gzip().Size(), len(packed))
		}
		in := bytes.NewReader(packed)
		z, err := gzip.NewReader(in)
		if err != nil {
			t.Fatal(err)
		}
		z.Multistream(false)
		got, err := io.ReadAll(z) // checks CRC and length
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%d chunks: another text", chunks)
		}
		if in.Len() != 0 {
			t.Errorf("%d chunks: %d bytes follow the first member", chunks, in.Len())
		}
	}
}

func TestReader(t *testing.T) {
	var s shelf
	text, want := sample(&s, 5)
	for name, r := range map[string]Recipe{"plain": text.Plain(), "after packing": repack(t, text.Plain())} {
		if err := iotest.TestReader(r.Open(s.get), want); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var all bytes.Buffer
		if n, err := r.Open(s.get).WriteTo(&all); err != nil || n != r.Size() || !bytes.Equal(all.Bytes(), want) {
			t.Errorf("%s: WriteTo gave %d bytes, %v", name, n, err)
		}
	}
}

func repack(t *testing.T, r Recipe) Recipe {
	t.Helper()
	again, err := Unpack(r.Pack())
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestDamagedDataIsAnError(t *testing.T) {
	var s shelf
	text, _ := sample(&s, 2)
	s.data[0] = s.data[0][:len(s.data[0])/2]
	for name, r := range map[string]Recipe{"plain": text.Plain(), "gzip": text.Gzip()} {
		if _, err := io.Copy(io.Discard, r.Open(s.get)); err == nil {
			t.Errorf("%s: damaged data passed", name)
		}
	}
}

func TestLadder(t *testing.T) {
	var s shelf
	text, _ := sample(&s, 100)
	first := text.Plain()
	sum, ladder, err := first.Sum(s.get, Recipe{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantSum(t, &s, first, sum)
	// Another tail, a chunk cut from the middle, a shorter text, and another
	// first chunk: all must give the sum a whole pass gives.
	for name, change := range map[string]struct {
		pieces func([]piece) []piece
		atMost int // data that may be read
	}{
		"tail":   {func(p []piece) []piece { return append(p[:len(p)-2], one(&s, 7)...) }, 2},
		"append": {func(p []piece) []piece { return append(p[:len(p)-1], one(&s, 8)...) }, 2},
		"middle": {func(p []piece) []piece { return slices.Delete(p, 50, 51) }, 53},
		"short":  {func(p []piece) []piece { return p[:3] }, 3},
		"first":  {func(p []piece) []piece { return append(one(&s, 9), p[1:]...) }, 101},
		"none":   {func(p []piece) []piece { return p }, 1},
	} {
		changed := Text{change.pieces(slices.Clone(text.pieces))}
		s.asked = 0
		sum, next, err := changed.Plain().Sum(s.get, first, ladder)
		if err != nil {
			t.Fatal(err)
		}
		if s.asked > change.atMost {
			t.Errorf("%s: %d data were read, want at most %d", name, s.asked, change.atMost)
		}
		wantSum(t, &s, changed.Plain(), sum)
		if again, _, err := changed.Plain().Sum(s.get, changed.Plain(), next); err != nil || again != sum {
			t.Errorf("%s: from its own ladder %s, %v; want %s", name, again, err, sum)
		}
	}
}

// TestLadderOfMore resumes further digests with the SHA-256, and none from a
// ladder that lacks them.
func TestLadderOfMore(t *testing.T) {
	var s shelf
	text, _ := sample(&s, 100)
	first := text.Plain()
	longer := Text{append(slices.Clone(text.pieces[:len(text.pieces)-1]), one(&s, 8)...)}
	_, plain, err := first.Sum(s.get, Recipe{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	more := []func() hash.Hash{md5.New, sha512.New}
	_, ladder, err := first.Sums(s.get, first, plain, more...)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ladder []byte
		atMost int
	}{"its own": {ladder, 2}, "one without": {plain, 102}, "none": {nil, 102}} {
		s.asked = 0
		sums, _, err := longer.Plain().Sums(s.get, first, c.ladder, more...)
		if err != nil || s.asked > c.atMost {
			t.Fatalf("%s: %d data were read, want at most %d; %v", name, s.asked, c.atMost, err)
		}
		for i, h := range []hash.Hash{sha256.New(), md5.New(), sha512.New()} {
			if _, err := longer.Plain().Open(s.get).WriteTo(h); err != nil {
				t.Fatal(err)
			}
			if want := hex.EncodeToString(h.Sum(nil)); sums[i] != want {
				t.Errorf("%s: sum %d is %s, want %s", name, i, sums[i], want)
			}
		}
	}
}

func one(s *shelf, seed uint64) []piece {
	var t Text
	s.chunk(&t, prose(2000, seed+1000))
	return t.pieces
}

func wantSum(t *testing.T, s *shelf, r Recipe, sum string) {
	t.Helper()
	h := sha256.New()
	if _, err := r.Open(s.get).WriteTo(h); err != nil {
		t.Fatal(err)
	}
	if want := hex.EncodeToString(h.Sum(nil)); sum != want {
		t.Errorf("sum %s, want %s", sum, want)
	}
}

func FuzzUnpack(f *testing.F) {
	var s shelf
	text, _ := sample(&s, 2)
	f.Add(text.Gzip().Pack())
	f.Add(text.Plain().Pack())
	f.Fuzz(func(t *testing.T, packed []byte) {
		r, err := Unpack(packed)
		if err != nil {
			return
		}
		if again := repack(t, r); again.Size() != r.Size() {
			t.Errorf("size %d, then %d", r.Size(), again.Size())
		}
	})
}

func BenchmarkDeflate(b *testing.B) {
	text := prose(256<<10, 1)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Deflate(text)
	}
}

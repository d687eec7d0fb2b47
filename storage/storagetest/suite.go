// Package storagetest proves that a storage.Store keeps its promises, and breaks stores on purpose for the tests of
// their callers: [Run] is the suite every backend passes, [Faulty] fails chosen operations, [S3] is an S3 server inside
// the test process.
package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"entrepot/storage"
)

// Run runs the conformance suite. open returns an empty store, a fresh one for each call, and closes it with t.Cleanup
// if it needs to be.
func Run(t *testing.T, open func(t *testing.T) storage.Store) {
	tests := []struct {
		name string
		run  func(*testing.T, storage.Store)
	}{
		{"RoundTrip", testRoundTrip},
		{"Digests", testDigests},
		{"Seek", testSeek},
		{"ServeContent", testServeContent},
		{"Missing", testMissing},
		{"Remove", testRemove},
		{"WrongSize", testWrongSize},
		{"OpenWrongSize", testOpenWrongSize},
		{"FailingBody", testFailingBody},
		{"Cancelled", testCancelled},
		{"SecondPut", testSecondPut},
		{"InvalidKey", testInvalidKey},
		{"List", testList},
		{"ListStops", testListStops},
		{"Concurrent", testConcurrent},
		{"Concat", testConcat},
		{"Compose", testCompose},
		{"Link", testLink},
		{"Ping", testPing},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

// Content returns n bytes that look random and are the same for the same n.
func Content(n int) []byte {
	data := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)}).Read(data)
	return data
}

// sizes are the lengths where stores change their ways: nothing, less and more than one buffer, several buffers, and
// more than one part of a multipart upload.
var sizes = []int{0, 1, 4095, 256<<10 - 1, 256 << 10, 256<<10 + 1, 1<<20 + 3, 18<<20 + 5}

func testRoundTrip(t *testing.T, s storage.Store) {
	for _, size := range sizes {
		for name, announced := range map[string]int64{"known": int64(size), "unknown": -1} {
			t.Run(fmt.Sprintf("%d %s", size, name), func(t *testing.T) {
				content, key := Content(size), storage.NewKey()
				// A body that comes in pieces of odd sizes, as from a network.
				n, err := s.Put(t.Context(), key, iotest.HalfReader(bytes.NewReader(content)), announced)
				if err != nil || n != int64(size) {
					t.Fatalf("Put: %d bytes, %v", n, err)
				}
				if n, err := s.Stat(t.Context(), key); err != nil || n != int64(size) {
					t.Errorf("Stat: %d bytes, %v", n, err)
				}
				mustHold(t, s, key, content)
			})
		}
	}
}

func testDigests(t *testing.T, s storage.Store) {
	const all = storage.SHA256 | storage.MD5 | storage.SHA1 | storage.SHA512 | storage.BLAKE2b256
	for _, want := range []storage.Algorithm{0, storage.MD5, all} {
		for _, size := range []int{0, 70_000, 3<<20 + 1} {
			for name, announced := range map[string]int64{"known": int64(size), "unknown": -1} {
				t.Run(fmt.Sprintf("%v %d %s", want, size, name), func(t *testing.T) {
					content, key := Content(size), storage.NewKey()
					h := storage.NewHasher(want)
					h.Write(content)
					w, err := storage.Write(t.Context(), s, key, bytes.NewReader(content), announced, want)
					if err != nil {
						t.Fatal(err)
					}
					if expected := (storage.Written{Key: key, Size: int64(size), Sums: h.Sums()}); w != expected {
						t.Errorf("Write = %+v, want %+v", w, expected)
					}
					mustHold(t, s, key, content)
				})
			}
		}
	}
}

func testSeek(t *testing.T, s storage.Store) {
	content := Content(5000)
	key := put(t, s, content)
	f, err := s.Open(t.Context(), key, 5000)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	steps := []struct {
		offset int64
		whence int
		at     int64 // position after the seek
		read   int
	}{
		{4000, io.SeekStart, 4000, 100},
		{-50, io.SeekCurrent, 4050, 200},
		{0, io.SeekCurrent, 4250, 10},
		{-5000, io.SeekEnd, 0, 5000},
		{0, io.SeekEnd, 5000, 0},
		{10, io.SeekEnd, 5010, 0},
		{-1, io.SeekEnd, 4999, 1},
		{123, io.SeekStart, 123, 0},
		{124, io.SeekStart, 124, 300},
	}
	for _, step := range steps {
		at, err := f.Seek(step.offset, step.whence)
		if err != nil || at != step.at {
			t.Fatalf("Seek(%d, %d) = %d, %v, want %d", step.offset, step.whence, at, err, step.at)
		}
		got := make([]byte, step.read)
		if _, err := io.ReadFull(f, got); err != nil {
			t.Fatalf("read %d bytes at %d: %v", step.read, at, err)
		}
		if at < 5000 && !bytes.Equal(got, content[at:at+int64(step.read)]) {
			t.Fatalf("other bytes at %d", at)
		}
	}
	if _, err := f.Seek(-1, io.SeekStart); err == nil {
		t.Error("a seek before the start succeeded")
	}
	fresh, err := s.Open(t.Context(), key, 5000)
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	if err := iotest.TestReader(fresh, content); err != nil {
		t.Error(err)
	}
}

func testServeContent(t *testing.T, s storage.Store) {
	content := Content(300_000)
	key := put(t, s, content)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, err := s.Open(r.Context(), key, int64(len(content)))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer f.Close()
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", time.Time{}, f)
	}))
	defer server.Close()
	for _, test := range []struct {
		header string
		status int
		want   []byte
	}{
		{"", http.StatusOK, content},
		{"bytes=0-0", http.StatusPartialContent, content[:1]},
		{"bytes=1000-99999", http.StatusPartialContent, content[1000:100_000]},
		{"bytes=-7", http.StatusPartialContent, content[len(content)-7:]},
		{"bytes=300000-", http.StatusRequestedRangeNotSatisfiable, nil},
	} {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if test.header != "" {
			request.Header.Set("Range", test.header)
		}
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != test.status {
			t.Errorf("Range %q: %s, %v", test.header, response.Status, err)
		}
		if test.want != nil && !bytes.Equal(body, test.want) {
			t.Errorf("Range %q: other bytes", test.header)
		}
	}
}

func testMissing(t *testing.T, s storage.Store) {
	key := storage.NewKey()
	if _, err := s.Open(t.Context(), key, 1); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("Open of a missing object: %v", err)
	}
	if _, err := s.Stat(t.Context(), key); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("Stat of a missing object: %v", err)
	}
	if err := s.Remove(t.Context(), key); err != nil {
		t.Errorf("Remove of a missing object: %v", err)
	}
	// A prefix of a key is no object either, whatever the backend makes of directories.
	prefix := put(t, s, []byte("x"))[:4]
	if _, err := s.Open(t.Context(), prefix, 1); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("Open of a prefix: %v", err)
	}
	if _, err := s.Stat(t.Context(), prefix); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("Stat of a prefix: %v", err)
	}
	if err := s.Remove(t.Context(), prefix); err != nil {
		t.Errorf("Remove of a prefix: %v", err)
	}
}

func testRemove(t *testing.T, s storage.Store) {
	key, other := put(t, s, []byte("going")), put(t, s, []byte("staying"))
	for range 2 {
		if err := s.Remove(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		mustBeGone(t, s, key)
	}
	mustHold(t, s, other, []byte("staying"))
}

func testWrongSize(t *testing.T, s storage.Store) {
	for _, test := range []struct{ body, announced int }{
		{0, 1}, {1, 0}, {99, 100}, {101, 100}, {256 << 10, 256<<10 + 1}, {256<<10 + 1, 256 << 10},
		{1 << 20, 2 << 20}, {2 << 20, 1 << 20}, {3 << 20, 3<<20 - 1}, {3<<20 - 1, 3 << 20},
	} {
		for name, write := range writers {
			t.Run(fmt.Sprintf("%d of %d %s", test.body, test.announced, name), func(t *testing.T) {
				key := storage.NewKey()
				err := write(t.Context(), s, key, bytes.NewReader(Content(test.body)), int64(test.announced))
				if !errors.Is(err, storage.ErrSize) {
					t.Errorf("error %v, want ErrSize", err)
				}
				mustBeGone(t, s, key)
			})
		}
	}
}

// writers are the two ways into a store. They take different paths inside.
var writers = map[string]func(ctx context.Context, s storage.Store, key string, r io.Reader, size int64) error{
	"Put": func(ctx context.Context, s storage.Store, key string, r io.Reader, size int64) error {
		_, err := s.Put(ctx, key, r, size)
		return err
	},
	"Write": func(ctx context.Context, s storage.Store, key string, r io.Reader, size int64) error {
		_, err := storage.Write(ctx, s, key, r, size, storage.MD5|storage.SHA512)
		return err
	},
}

func testOpenWrongSize(t *testing.T, s storage.Store) {
	key := put(t, s, []byte("four"))
	for _, size := range []int64{0, 3, 5} {
		if _, err := s.Open(t.Context(), key, size); !errors.Is(err, storage.ErrSize) {
			t.Errorf("Open of 4 bytes as %d: %v, want ErrSize", size, err)
		}
	}
}

func testFailingBody(t *testing.T, s storage.Store) {
	broken := errors.New("connection reset by the test")
	for _, test := range []struct{ sent, size int64 }{
		{0, 10}, {0, -1}, {5, 10}, {10, 10}, {5, -1}, {300 << 10, 400 << 10}, {300 << 10, -1}, {2 << 20, 3 << 20}, {2 << 20, -1},
	} {
		for name, write := range writers {
			t.Run(fmt.Sprintf("%d of %d %s", test.sent, test.size, name), func(t *testing.T) {
				key := storage.NewKey()
				body := io.MultiReader(bytes.NewReader(Content(int(test.sent))), iotest.ErrReader(broken))
				err := write(t.Context(), s, key, body, test.size)
				if !errors.Is(err, broken) || !errors.Is(err, storage.ErrBody) {
					t.Errorf("error %v, want the body's own and ErrBody", err)
				}
				mustBeGone(t, s, key)
			})
		}
	}
}

func testCancelled(t *testing.T, s storage.Store) {
	for _, size := range []int{10, 2 << 20} {
		for _, announced := range []int64{int64(size), -1} {
			for name, write := range writers {
				t.Run(fmt.Sprintf("before %d %d %s", size, announced, name), func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					cancel()
					key := storage.NewKey()
					if err := write(ctx, s, key, bytes.NewReader(Content(size)), announced); !errors.Is(err, context.Canceled) {
						t.Errorf("error %v, want context.Canceled", err)
					}
					mustBeGone(t, s, key)
				})
			}
		}
	}
	for name, write := range writers {
		t.Run("during "+name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			key := storage.NewKey()
			const size = 3 << 20
			// The client hangs up in the middle, yet the bytes keep coming: only the context tells.
			content := Content(size)
			body := io.MultiReader(bytes.NewReader(content[:1<<20]), onRead(cancel), bytes.NewReader(content[1<<20:]))
			if err := write(ctx, s, key, body, size); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want context.Canceled", err)
			}
			mustBeGone(t, s, key)
		})
	}
}

// onRead calls f and ends.
type onRead func()

func (f onRead) Read([]byte) (int, error) { f(); return 0, io.EOF }

func testSecondPut(t *testing.T, s storage.Store) {
	first, second := Content(70_000), Content(60_000)
	key := put(t, s, first)
	switch _, err := s.Put(t.Context(), key, bytes.NewReader(second), int64(len(second))); {
	case err == nil:
		mustHold(t, s, key, second) // a remote that cannot refuse: but then wholly the new object
	case errors.Is(err, storage.ErrExist):
		mustHold(t, s, key, first)
	default:
		t.Errorf("second Put to one key: %v", err)
	}
}

func testInvalidKey(t *testing.T, s storage.Store) {
	for _, key := range []string{"", "/b", "b/", "b//c", "../b", "b/../c", "B/c", "b/ü", "b/c.d", "b\\c", "b/c\x00", "tmp/x"} {
		_, putErr := s.Put(t.Context(), key, bytes.NewReader(nil), 0)
		_, openErr := s.Open(t.Context(), key, 0)
		_, statErr := s.Stat(t.Context(), key)
		_, linkErr := s.Link(t.Context(), key, storage.LinkOptions{})
		if errors.Is(linkErr, storage.ErrNoLink) {
			linkErr = storage.ErrKey // either reason will do
		}
		for op, err := range map[string]error{
			"Put": putErr, "Open": openErr, "Stat": statErr, "Link": linkErr, "Remove": s.Remove(t.Context(), key),
		} {
			if !errors.Is(err, storage.ErrKey) {
				t.Errorf("%s(%q): %v, want ErrKey", op, key, err)
			}
		}
	}
	if keys := listKeys(t, s); len(keys) != 0 {
		t.Errorf("objects under invalid keys: %q", keys)
	}
}

func testList(t *testing.T, s storage.Store) {
	if keys := listKeys(t, s); len(keys) != 0 {
		t.Fatalf("a new store holds %q", keys)
	}
	before := time.Now().Add(-time.Minute)
	want := map[string]int64{}
	for i := range 20 {
		want[put(t, s, Content(i*100))] = int64(i * 100)
	}
	gone := put(t, s, []byte("gone"))
	if err := s.Remove(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for entry, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		size, ok := want[entry.Key]
		if !ok || size != entry.Size || seen[entry.Key] {
			t.Errorf("unexpected entry %+v", entry)
		}
		if entry.ModTime.Before(before) || entry.ModTime.After(time.Now().Add(time.Minute)) {
			t.Errorf("%s was modified at %v, which is not now", entry.Key, entry.ModTime)
		}
		seen[entry.Key] = true
	}
	if len(seen) != len(want) {
		t.Errorf("%d of %d objects listed", len(seen), len(want))
	}
}

func testListStops(t *testing.T, s storage.Store) {
	for range 5 {
		put(t, s, []byte("x"))
	}
	n := 0
	for _, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 2 {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var last error
	for _, err := range s.List(ctx) {
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("a cancelled listing ended with %v", last)
	}
}

func testConcurrent(t *testing.T, s storage.Store) {
	const workers, each = 16, 8
	results := make(chan error, workers)
	for worker := range workers {
		go func() {
			results <- func() error {
				for i := range each {
					content, key := Content(worker*1000+i*50_000), storage.NewKey()
					if _, err := storage.Write(t.Context(), s, key, bytes.NewReader(content), int64(len(content)), storage.SHA1); err != nil {
						return err
					}
					if err := holds(t.Context(), s, key, content); err != nil {
						return err
					}
					if i%2 == 0 {
						if err := s.Remove(t.Context(), key); err != nil {
							return err
						}
					}
				}
				return nil
			}()
		}()
	}
	for range workers {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if keys := listKeys(t, s); len(keys) != workers*each/2 {
		t.Errorf("%d objects left, want %d", len(keys), workers*each/2)
	}
}

// threeParts stores three parts, one of them empty, and returns them with the whole.
func threeParts(t *testing.T, s storage.Store) ([]storage.Part, []byte) {
	t.Helper()
	var parts []storage.Part
	var whole []byte
	for _, size := range []int{1000, 0, 300_000} {
		content := Content(size)
		parts = append(parts, storage.Part{Key: put(t, s, content), Size: int64(size)})
		whole = append(whole, content...)
	}
	return parts, whole
}

func testConcat(t *testing.T, s storage.Store) {
	parts, whole := threeParts(t, s)
	r := storage.Concat(t.Context(), s, parts)
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, whole) {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	for _, at := range []int64{999, 1000, 0, int64(len(whole)) - 1} {
		if _, err := r.Seek(at, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, min(50, int64(len(whole))-at))
		if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, whole[at:at+int64(len(got))]) {
			t.Errorf("other bytes at %d, %v", at, err)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	lost := storage.Concat(t.Context(), s, append(slices.Clone(parts), storage.Part{Key: storage.NewKey(), Size: 5}))
	defer lost.Close()
	if n, err := io.Copy(io.Discard, lost); n != int64(len(whole)) || !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("with a part missing: %d bytes, %v", n, err)
	}
}

func testCompose(t *testing.T, s storage.Store) {
	parts, whole := threeParts(t, s)
	h := storage.NewHasher(storage.SHA512)
	h.Write(whole)
	key := storage.NewKey()
	w, err := storage.Compose(t.Context(), s, key, parts, storage.SHA512)
	if err != nil {
		t.Fatal(err)
	}
	if want := (storage.Written{Key: key, Size: int64(len(whole)), Sums: h.Sums()}); w != want {
		t.Errorf("Compose = %+v, want %+v", w, want)
	}
	mustHold(t, s, key, whole)

	key = storage.NewKey()
	_, err = storage.Compose(t.Context(), s, key, append(parts, storage.Part{Key: storage.NewKey(), Size: 5}))
	if !errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrBody) {
		t.Errorf("with a part missing: %v, want ErrNotFound and no fault of the sender", err)
	}
	mustBeGone(t, s, key)
}

func testLink(t *testing.T, s storage.Store) {
	content := Content(1000)
	key := put(t, s, content)
	const disposition = `attachment; filename="a b.bin"; filename*=UTF-8''%C3%A4.bin`
	link, err := s.Link(t.Context(), key, storage.LinkOptions{ContentType: "text/x-test", Disposition: disposition, TTL: time.Minute})
	if errors.Is(err, storage.ErrNoLink) {
		return // that is a complete answer
	}
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !bytes.Equal(body, content) {
		t.Errorf("GET of the link: %s, %d bytes, %v", response.Status, len(body), err)
	}
	if got := response.Header.Get("Content-Type"); got != "text/x-test" {
		t.Errorf("Content-Type of the link: %q", got)
	}
	if got := response.Header.Get("Content-Disposition"); got != disposition {
		t.Errorf("Content-Disposition of the link: %q", got)
	}
}

func testPing(t *testing.T, s storage.Store) {
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("an empty store: %v", err)
	}
	put(t, s, []byte("x"))
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("with an object: %v", err)
	}
}

func put(t *testing.T, s storage.Store, content []byte) string {
	t.Helper()
	key := storage.NewKey()
	if _, err := s.Put(t.Context(), key, bytes.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
	return key
}

// holds reads the object back.
func holds(ctx context.Context, s storage.Store, key string, content []byte) error {
	f, err := s.Open(ctx, key, int64(len(content)))
	if err != nil {
		return err
	}
	defer f.Close()
	got, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, content) {
		return fmt.Errorf("%s reads as %d other bytes", key, len(got))
	}
	return nil
}

func mustHold(t *testing.T, s storage.Store, key string, content []byte) {
	t.Helper()
	if err := holds(t.Context(), s, key, content); err != nil {
		t.Error(err)
	}
}

func mustBeGone(t *testing.T, s storage.Store, key string) {
	t.Helper()
	if n, err := s.Stat(t.Context(), key); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("something is left under %s: %d bytes, %v", key, n, err)
	}
}

func listKeys(t *testing.T, s storage.Store) []string {
	t.Helper()
	var keys []string
	for entry, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, entry.Key)
	}
	return keys
}

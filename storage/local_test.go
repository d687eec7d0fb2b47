package storage

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func openTemp(t *testing.T) (*local, string) {
	t.Helper()
	dir := t.TempDir()
	l, err := openLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, dir
}

// filesBelow returns the paths of all files, relative to dir.
func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(dir, path)
			files = append(files, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestLocalLayout(t *testing.T) {
	l, dir := openTemp(t)
	if _, err := l.Put(t.Context(), "b/ab/cdef", strings.NewReader("hello"), 5); err != nil {
		t.Fatal(err)
	}
	if files := filesBelow(t, dir); !slices.Equal(files, []string{"b/ab/cdef"}) {
		t.Errorf("files %q", files)
	}
	content, err := os.ReadFile(filepath.Join(dir, "b/ab/cdef"))
	if err != nil || string(content) != "hello" {
		t.Errorf("content %q, %v", content, err)
	}
	f, err := l.Open(t.Context(), "b/ab/cdef", 5)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, ok := f.(*os.File); !ok {
		t.Errorf("Open returns %T: no sendfile", f)
	}
}

func TestLocalRefusesToReplace(t *testing.T) {
	l, dir := openTemp(t)
	if _, err := l.Put(t.Context(), "b/ab/c", strings.NewReader("first"), 5); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"second", "", "sec"} {
		if _, err := l.Put(t.Context(), "b/ab/c", strings.NewReader(body), -1); !errors.Is(err, ErrExist) {
			t.Errorf("second Put: %v, want ErrExist", err)
		}
	}
	broken := io.MultiReader(strings.NewReader("x"), &failingReader{})
	if _, err := l.Put(t.Context(), "b/ab/c", broken, 5); !errors.Is(err, ErrBody) {
		t.Errorf("failing Put: %v", err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "b/ab/c"))
	if err != nil || string(content) != "first" {
		t.Errorf("the object became %q, %v", content, err)
	}
	if files := filesBelow(t, dir); len(files) != 1 {
		t.Errorf("files %q", files)
	}
}

type failingReader struct{}

func (*failingReader) Read([]byte) (int, error) { return 0, errors.New("reset") }

// badDisk fails at one step of writing a file.
type badDisk struct {
	*os.File
	steps *[]string
	fail  string // "write", "short write", "sync" or "close"
	err   error
}

func (d *badDisk) Write(p []byte) (int, error) {
	*d.steps = append(*d.steps, "write")
	switch d.fail {
	case "write":
		return 0, d.err
	case "short write":
		n, _ := d.File.Write(p[:len(p)/2])
		return n, d.err
	}
	return d.File.Write(p)
}

func (d *badDisk) Sync() error {
	*d.steps = append(*d.steps, "sync")
	if d.fail == "sync" {
		return d.err
	}
	return d.File.Sync()
}

func (d *badDisk) Close() error {
	*d.steps = append(*d.steps, "close")
	if err := d.File.Close(); d.fail != "close" {
		return err
	}
	return d.err
}

func TestLocalDiskFails(t *testing.T) {
	for _, test := range []struct {
		fail string
		err  error
		want error
	}{
		{"write", syscall.ENOSPC, ErrNoSpace},
		{"short write", syscall.ENOSPC, ErrNoSpace},
		{"sync", syscall.ENOSPC, ErrNoSpace}, // delayed allocation finds out at the end
		{"close", syscall.EDQUOT, ErrNoSpace},
		{"write", syscall.EIO, syscall.EIO},
		{"sync", syscall.EIO, syscall.EIO},
		{"close", syscall.EIO, syscall.EIO},
		{"write", syscall.EMFILE, ErrTemporary},
	} {
		t.Run(test.fail+" "+test.err.Error(), func(t *testing.T) {
			l, dir := openTemp(t)
			var steps []string
			l.wrap = func(f *os.File) tempFile {
				return &badDisk{f, &steps, test.fail, &os.PathError{Op: test.fail, Path: "x", Err: test.err}}
			}
			for _, size := range []int{100, 2 << 20} {
				n, err := l.Put(t.Context(), NewKey(), bytes.NewReader(make([]byte, size)), int64(size))
				if n != 0 || !errors.Is(err, test.want) {
					t.Errorf("Put = %d, %v, want %v", n, err, test.want)
				}
				if errors.Is(err, ErrBody) {
					t.Errorf("the disk's failure passes for one of the sender: %v", err)
				}
			}
			if files := filesBelow(t, dir); len(files) != 0 {
				t.Errorf("left behind: %q", files)
			}
		})
	}
}

// TestLocalFullDevice takes the error from a real full device instead of making one up.
func TestLocalFullDevice(t *testing.T) {
	l, dir := openTemp(t)
	key := NewKey()
	if _, err := l.Put(t.Context(), key, strings.NewReader("before"), 6); err != nil {
		t.Fatal(err)
	}
	l.wrap = func(f *os.File) tempFile {
		f.Close()
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		return full
	}
	if _, err := l.Put(t.Context(), NewKey(), strings.NewReader("x"), 1); !errors.Is(err, ErrNoSpace) {
		t.Errorf("Put to a full disk: %v", err)
	}
	if files := filesBelow(t, dir); len(files) != 1 {
		t.Errorf("files %q", files)
	}
	if err := l.Ping(t.Context()); err != nil {
		t.Errorf("Ping on a full disk: %v, but reads go on", err)
	}
	f, err := l.Open(t.Context(), key, 6)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

func TestLocalSyncsBeforePublishing(t *testing.T) {
	l, dir := openTemp(t)
	var steps []string
	l.wrap = func(f *os.File) tempFile {
		return &badDisk{File: f, steps: &steps}
	}
	spy := &spyReader{f: func() {
		// While the body arrives nothing may be visible outside tmp/.
		for _, file := range filesBelow(t, dir) {
			if !strings.HasPrefix(file, "tmp/") {
				t.Errorf("%s is visible during the upload", file)
			}
		}
	}}
	if _, err := l.Put(t.Context(), NewKey(), io.MultiReader(strings.NewReader("x"), spy), -1); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(steps, " "); got != "write sync close" {
		t.Errorf("steps %q", got)
	}
}

type spyReader struct{ f func() }

func (s *spyReader) Read([]byte) (int, error) { s.f(); return 0, io.EOF }

func TestLocalSweep(t *testing.T) {
	dir := t.TempDir()
	tmp := filepath.Join(dir, tmpDir)
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, age := range map[string]time.Duration{"stale": 25 * time.Hour, "fresh": 23 * time.Hour, "new": 0} {
		file := filepath.Join(tmp, name)
		if err := os.WriteFile(file, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(-age)
		if err := os.Chtimes(file, when, when); err != nil {
			t.Fatal(err)
		}
	}
	l, err := openLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if files := filesBelow(t, dir); !slices.Equal(files, []string{"tmp/fresh", "tmp/new"}) {
		t.Errorf("after the sweep: %q", files)
	}
}

func TestLocalDirectoryVanishes(t *testing.T) {
	l, dir := openTemp(t)
	for range 2 {
		key := "b/ab/" + NewKey()[5:]
		if _, err := l.Put(t.Context(), key, strings.NewReader("x"), 1); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(dir, "b")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLocalStaysBelowItsRoot(t *testing.T) {
	l, dir := openTemp(t)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "b", "ab")); err != nil {
		t.Fatal(err)
	}
	if f, err := l.Open(t.Context(), "b/ab/secret", 1); err == nil {
		f.Close()
		t.Error("Open followed a symbolic link out of the root")
	}
	if _, err := l.Put(t.Context(), "b/ab/new", strings.NewReader("x"), 1); err == nil {
		t.Error("Put followed a symbolic link out of the root")
	}
	if files := filesBelow(t, outside); len(files) != 1 {
		t.Errorf("outside: %q", files)
	}
}

func TestLocalOpenMakesParents(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b", "c")
	l, err := openLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := openLocal(file); err == nil {
		l.Close()
		t.Error("a file was opened as a directory")
	}
}

func TestLocalPingNoticesALostDisk(t *testing.T) {
	l, dir := openTemp(t)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := l.Ping(t.Context()); err == nil {
		t.Error("Ping succeeds although the directory is gone")
	}
}

// TestLocalSameKeyRace: whoever loses gets ErrExist, and the winner's bytes stay.
func TestLocalSameKeyRace(t *testing.T) {
	l, dir := openTemp(t)
	key := NewKey()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var won []byte
	for i := range 16 {
		wg.Go(func() {
			body := bytes.Repeat([]byte{byte('a' + i)}, 100_000)
			_, err := l.Put(t.Context(), key, bytes.NewReader(body), int64(len(body)))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && won == nil:
				won = body
			case err == nil:
				t.Error("two writers of one key succeeded")
			case !errors.Is(err, ErrExist):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(key)))
	if err != nil || won == nil || !bytes.Equal(content, won) {
		t.Errorf("%d bytes stored, %v", len(content), err)
	}
	if files := filesBelow(t, dir); len(files) != 1 {
		t.Errorf("files %q", files)
	}
}

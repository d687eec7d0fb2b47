package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

const (
	tmpDir = "tmp" // unfinished files; ValidKey keeps objects out of it

	// staleAfter is how long a temporary file must have been left alone before Open removes it. Another process may
	// be writing to this directory right now.
	staleAfter = 24 * time.Hour

	dirMode  = 0o750
	fileMode = 0o640
)

// local keeps objects as files below a directory, one file an object, the key being the path. All access goes
// through os.Root, so that nothing below the root, not even a symbolic link, leads out of it.
type local struct {
	root *os.Root
	tmp  *os.Root // root/tmp, held open to save a lookup per upload

	dirsMu sync.Mutex
	dirs   sync.Map // directories whose own name is known to be durable: string -> struct{}

	// wrap lets tests put a failing disk between us and the temporary file.
	wrap func(*os.File) tempFile
}

// tempFile is what Put needs of the file it writes.
type tempFile interface {
	io.Writer
	Sync() error
	Close() error
}

// writebackEvery is how much of a large file gathers in memory before the disk is set to work on it. Without this the
// disk idles while the body arrives, and the fsync at the end pays for everything: 100 MiB took 165 ms instead of 115.
const writebackEvery = 8 << 20

// streamedFile is a file that goes to the disk while it is being written.
type streamedFile struct {
	*os.File
	written, started int64 // bytes
}

func (f *streamedFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	f.written += int64(n)
	if f.written-f.started >= writebackEvery {
		startWriteback(f.File, f.started, f.written-f.started)
		f.started = f.written
	}
	return n, err
}

func openLocal(dir string) (*local, error) {
	if err := makeRoot(dir); err != nil {
		return nil, fail("open", "", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fail("open", "", err)
	}
	l := &local{root: root, wrap: func(f *os.File) tempFile { return &streamedFile{File: f} }}
	if err := root.Mkdir(tmpDir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, errors.Join(fail("open", "", err), root.Close())
	}
	if l.tmp, err = root.OpenRoot(tmpDir); err != nil {
		return nil, errors.Join(fail("open", "", err), root.Close())
	}
	if err := l.sweep(time.Now().Add(-staleAfter)); err != nil {
		return nil, errors.Join(fail("open", "", err), l.Close())
	}
	return l, nil
}

// makeRoot makes dir and its missing parents, each durable in its own parent.
func makeRoot(dir string) error {
	if info, err := os.Stat(dir); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%s is not a directory", dir)
		}
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeRoot(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	d, err := os.Open(parent)
	if err != nil {
		return err
	}
	return errors.Join(syncDir(d), d.Close())
}

// sweep removes temporary files last written before the given time: a process that was killed left them.
func (l *local) sweep(before time.Time) error {
	dir, err := l.tmp.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	for {
		entries, err := dir.ReadDir(256)
		for _, entry := range entries {
			info, err := entry.Info()
			if err != nil || info.IsDir() || !info.ModTime().Before(before) {
				continue // gone already, not ours, or perhaps still being written
			}
			if err := l.tmp.Remove(entry.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Put implements Receiver in the order that the package comment promises.
func (l *local) Put(ctx context.Context, key string, r io.Reader, size int64) (int64, error) {
	if err := checkKey("put", key); err != nil {
		return 0, err
	}
	name := rand.Text()
	n, err := l.writeTemp(ctx, name, r, size)
	if err == nil {
		err = l.publish(name, key)
	}
	if err != nil {
		l.tmp.Remove(name) // the sweep gets it otherwise
		return 0, fail("put", key, err)
	}
	return n, nil
}

// writeTemp writes r to a new file in tmp/ and makes its content durable.
func (l *local) writeTemp(ctx context.Context, name string, r io.Reader, size int64) (n int64, err error) {
	file, err := l.tmp.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return 0, err
	}
	f := l.wrap(file)
	defer func() { err = errors.Join(err, f.Close()) }()

	stream, ok := r.(*tee)
	if !ok {
		stream = &tee{r: r, hasher: new(Hasher)} // moves chunks, hashes nothing
	}
	n, err = stream.WriteTo(&boundedWriter{ctx: ctx, w: f, size: size})
	if err != nil {
		return n, err
	}
	if size >= 0 && n != size {
		return n, sizeError(size, n)
	}
	return n, f.Sync()
}

// boundedWriter refuses what goes beyond the announced size before it reaches the disk, and stops when ctx ends.
type boundedWriter struct {
	ctx  context.Context
	w    io.Writer
	size int64 // -1 unknown
	n    int64
}

func (b *boundedWriter) Write(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if b.size >= 0 && b.n+int64(len(p)) > b.size {
		return 0, sizeError(b.size, b.n+int64(len(p)))
	}
	n, err := b.w.Write(p)
	b.n += int64(n)
	return n, err
}

// publish moves the finished temporary file to its key and makes the name durable. If the last fsync fails nobody
// knows what is on the disk; the object is taken away again so that a failed Put leaves nothing.
func (l *local) publish(name, key string) error {
	dir := path.Dir(key)
	if err := l.makeDir(dir); err != nil {
		return err
	}
	temp := path.Join(tmpDir, name)
	err := l.moveNew(temp, key)
	if errors.Is(err, fs.ErrNotExist) {
		// Somebody tidied away the empty directory that we remember.
		l.forgetDirs()
		if err = l.makeDir(dir); err == nil {
			err = l.moveNew(temp, key)
		}
	}
	if err != nil {
		return err
	}
	if err := l.syncDir(dir); err != nil {
		l.root.Remove(key)
		return err
	}
	return nil
}

// makeDir makes dir below the root, durably, unless this store has done so before. Another goroutine or process may
// have made it without having reached its fsync: that is why the first use always syncs the parents.
func (l *local) makeDir(dir string) error {
	if dir == "." {
		return nil
	}
	if _, known := l.dirs.Load(dir); known {
		return nil
	}
	l.dirsMu.Lock()
	defer l.dirsMu.Unlock()
	parent := "."
	for segment := range strings.SplitSeq(dir, "/") {
		child := path.Join(parent, segment)
		if _, known := l.dirs.Load(child); !known {
			if err := l.root.Mkdir(child, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			if err := l.syncDir(parent); err != nil {
				return err
			}
			l.dirs.Store(child, struct{}{})
		}
		parent = child
	}
	return nil
}

func (l *local) forgetDirs() {
	l.dirsMu.Lock()
	defer l.dirsMu.Unlock()
	l.dirs.Clear()
}

// syncDir makes the entries of a directory below the root durable.
func (l *local) syncDir(dir string) error {
	d, err := l.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(syncDir(d), d.Close())
}

// syncDir flushes an open directory. Windows cannot, and writes directory entries through by itself.
func syncDir(d *os.File) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	return d.Sync()
}

// Open implements Opener. The file itself is returned: net/http hands its descriptor to the kernel.
func (l *local) Open(_ context.Context, key string, size int64) (io.ReadSeekCloser, error) {
	if err := checkKey("open", key); err != nil {
		return nil, err
	}
	f, err := l.root.Open(key)
	if err != nil {
		return nil, fail("open", key, err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = ErrNotFound
	}
	if err == nil && info.Size() != size {
		err = sizeError(size, info.Size())
	}
	if err != nil {
		return nil, errors.Join(fail("open", key, err), f.Close())
	}
	return f, nil
}

func (l *local) Stat(_ context.Context, key string) (int64, error) {
	if err := checkKey("stat", key); err != nil {
		return 0, err
	}
	info, err := l.root.Stat(key)
	if err == nil && info.IsDir() {
		err = ErrNotFound
	}
	if err != nil {
		return 0, fail("stat", key, err)
	}
	return info.Size(), nil
}

func (l *local) Remove(_ context.Context, key string) error {
	if err := checkKey("remove", key); err != nil {
		return err
	}
	info, err := l.root.Lstat(key)
	if err == nil && info.IsDir() {
		return nil // a directory is no object, so the object is not there
	}
	if err == nil {
		err = l.root.Remove(key)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fail("remove", key, err)
}

// List implements Lister. A directory is read in batches, so memory does not follow the number of objects in it.
func (l *local) List(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		l.list(ctx, ".", yield)
	}
}

// list yields the objects below dir and reports whether the caller wants more.
func (l *local) list(ctx context.Context, dir string, yield func(Entry, error) bool) bool {
	d, err := l.root.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		yield(Entry{}, fail("list", "", err))
		return false
	}
	defer d.Close()
	for {
		entries, err := d.ReadDir(256)
		for _, entry := range entries {
			if err := ctx.Err(); err != nil {
				yield(Entry{}, fail("list", "", err))
				return false
			}
			if !l.listEntry(ctx, path.Join(dir, entry.Name()), entry, yield) {
				return false
			}
		}
		if err == io.EOF {
			return true
		}
		if err != nil {
			yield(Entry{}, fail("list", "", err))
			return false
		}
	}
}

func (l *local) listEntry(ctx context.Context, key string, entry fs.DirEntry, yield func(Entry, error) bool) bool {
	if !ValidKey(key) {
		return true // tmp/, lost+found, what an administrator put there: not objects
	}
	if entry.IsDir() {
		return l.list(ctx, key, yield)
	}
	info, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return true
	}
	if err != nil {
		yield(Entry{}, fail("list", key, err))
		return false
	}
	return yield(Entry{Key: key, Size: info.Size(), ModTime: info.ModTime()}, nil)
}

// Link implements Linker: a local disk has no server of its own.
func (l *local) Link(_ context.Context, key string, _ LinkOptions) (string, error) {
	return "", fail("link", key, ErrNoLink)
}

// Ping looks at tmp/, which is gone when the disk was unmounted or taken away.
func (l *local) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := l.root.Stat(tmpDir)
	return fail("ping", "", err)
}

func (l *local) Close() error {
	return errors.Join(l.tmp.Close(), l.root.Close())
}

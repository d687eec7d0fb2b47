package vagrant

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"

	"entrepot/protocols"
	"entrepot/registry"
)

// The bounds of what is looked at of a box.
const (
	maxEntries = 100_000
	maxJSON    = 1 << 20
	// maxUnpacked is how far into a packed archive its files are looked for;
	// people put them first, and disks fill the rest.
	maxUnpacked = 64 << 20
	// maxWindow is the memory that unpacking may take.
	maxWindow = 64 << 20
)

// contents are the files that say what a box is; nil for those that are not
// there.
type contents struct {
	metadata, info []byte
	vagrantfile    bool
}

// complete tells that there is nothing more to look for.
func (c *contents) complete() bool { return c.metadata != nil && c.info != nil }

// packings are the ways in which a tar archive can be packed, by the bytes
// they begin with. The client unpacks with bsdtar, which knows them all.
var packings = []struct {
	name, magic string
	open        func(io.Reader) (io.Reader, error)
}{
	{"gzip", "\x1f\x8b", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{"xz", "\xfd7zXZ\x00", func(r io.Reader) (io.Reader, error) { return xz.NewReader(r, maxWindow) }},
	{"zstd", "\x28\xb5\x2f\xfd", openZstd},
	{"bzip2", "BZh", func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
}

func openZstd(r io.Reader) (io.Reader, error) {
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
}

// zipMagic begins a zip archive, whose list of files stands at its end.
const zipMagic = "PK\x03\x04"

func badBox(format string, args ...any) error {
	return registry.FieldErrorf("file", "this is no box: "+format, args...)
}

// scan looks into a box as it streams by, and reads no further than it has to.
// zipped tells that it is a zip archive, into which scanZip can look
// afterwards. Errors: Invalid for what no client can unpack.
func scan(r io.Reader) (c contents, zipped bool, err error) {
	b := bufio.NewReaderSize(r, 64<<10)
	magic, err := b.Peek(8)
	if err != nil && !errors.Is(err, io.EOF) {
		return c, false, err
	}
	if bytes.HasPrefix(magic, []byte(zipMagic)) {
		return c, true, nil
	}
	for _, p := range packings {
		if !bytes.HasPrefix(magic, []byte(p.magic)) {
			continue
		}
		unpacked, err := p.open(b)
		if err != nil {
			return c, false, badBox("its %s cannot be read: %v", p.name, err)
		}
		if closer, ok := unpacked.(interface{ Close() }); ok {
			defer closer.Close() // zstd keeps goroutines
		}
		err = scanTar(&c, &bounded{r: unpacked, left: maxUnpacked})
		return c, false, err
	}
	return c, false, scanTar(&c, b)
}

// scanTar looks into a tar archive.
func scanTar(c *contents, r io.Reader) error {
	entries := tar.NewReader(r)
	for n := 0; ; n++ {
		h, err := entries.Next()
		switch {
		case errors.Is(err, io.EOF) && n > 0, errors.Is(err, errFarEnough):
			return nil
		case errors.Is(err, io.EOF):
			return badBox("it holds no files")
		case err != nil && n == 0:
			return badBox("it is neither tar, plain or packed with gzip, xz, zstd or bzip2, nor zip")
		case err != nil:
			return badBox("its tar archive cannot be read: %v", err)
		case n >= maxEntries:
			return badBox("it has more than %d entries", maxEntries)
		case h.Typeflag != tar.TypeReg:
			continue
		}
		if err := c.take(h.Name, h.Size, func() ([]byte, error) { return io.ReadAll(entries) }); err != nil {
			if errors.Is(err, errFarEnough) {
				return nil
			}
			return err
		}
		if c.complete() {
			return nil
		}
	}
}

// scanZip looks into a zip archive.
func scanZip(content io.ReadSeeker, size int64) (contents, error) {
	var c contents
	z, err := protocols.OpenZip(content, size)
	if err != nil {
		return c, err
	}
	if len(z.File) > maxEntries {
		return c, badBox("it has more than %d entries", maxEntries)
	}
	if len(z.File) == 0 {
		return c, badBox("it holds no files")
	}
	for _, f := range z.File {
		if !f.Mode().IsRegular() {
			continue
		}
		read := func() ([]byte, error) { return z.ReadFile(f, maxJSON) }
		if err := c.take(f.Name, int64(min(f.UncompressedSize64, maxJSON+1)), read); err != nil {
			return c, err
		}
	}
	return c, nil
}

// take keeps a file that says what the box is. Only those at the top count. A
// description that is too long is none; a manifest that is too long is refused.
func (c *contents) take(name string, size int64, read func() ([]byte, error)) (err error) {
	switch path.Clean(strings.ReplaceAll(name, `\`, "/")) {
	case "metadata.json":
		if size > maxJSON {
			return badBox("its metadata.json is larger than %d bytes", maxJSON)
		}
		c.metadata, err = read()
	case "info.json":
		if size <= maxJSON {
			c.info, err = read()
		}
	case "Vagrantfile":
		c.vagrantfile = true
	}
	if err == nil || errors.Is(err, errFarEnough) || registry.CodeOf(err) != "" {
		return err
	}
	return badBox("it cannot be unpacked: %v", err)
}

// errFarEnough ends the look into a packed archive.
var errFarEnough = errors.New("far enough into the archive")

// bounded ends after a number of bytes.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errFarEnough
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// scanner passes a body on and lets scan look at it on the way.
type scanner struct {
	body io.Reader
	pipe *io.PipeWriter
	// looked tells that scan has returned.
	looked chan struct{}

	contents contents
	zipped   bool
	err      error
}

func newScanner(body io.Reader) *scanner {
	r, w := io.Pipe()
	s := &scanner{body: body, pipe: w, looked: make(chan struct{})}
	go func() {
		defer close(s.looked)
		s.contents, s.zipped, s.err = scan(r)
		// From now on writes fail, with what is wrong or for having no reader.
		r.CloseWithError(s.err)
	}()
	return s
}

// Read reads on. What scan says against the box ends the body early.
func (s *scanner) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	if n > 0 {
		if _, refused := s.pipe.Write(p[:n]); refused != nil && !errors.Is(refused, io.ErrClosedPipe) {
			return 0, refused
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		s.pipe.Close()
		if <-s.looked; s.err != nil {
			return 0, s.err
		}
	case err != nil:
		s.pipe.CloseWithError(err)
	}
	return n, err
}

// close ends the look. The body has been read, or never will be.
func (s *scanner) close() {
	s.pipe.CloseWithError(io.ErrUnexpectedEOF)
	<-s.looked
}

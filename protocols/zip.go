package protocols

import (
	"archive/zip"
	"errors"
	"io"

	"entrepot/registry"
)

// maxZipDirectory is how many bytes of a zip archive are read for the list of
// its entries: a third of a million of them, far beyond any package, and no
// more than some 100 MB of memory while it is looked at.
const maxZipDirectory = 16 << 20

// ZipArchive is an uploaded zip archive that one goroutine can look into.
type ZipArchive struct {
	*zip.Reader
	source *budgetReaderAt
}

// OpenZip reads the list of a zip archive's entries. What it says of itself
// bounds nothing, so it is the reading that is bounded. Errors: TooLarge for a
// longer list, Invalid for what is no zip archive; errors of content as they
// are.
func OpenZip(content io.ReadSeeker, size int64) (*ZipArchive, error) {
	source := &budgetReaderAt{r: content, left: maxZipDirectory}
	z, err := zip.NewReader(source, size)
	switch {
	case source.err != nil:
		return nil, source.err
	case err != nil:
		return nil, registry.Errorf(registry.Invalid, "it is not a zip archive")
	}
	return &ZipArchive{z, source}, nil
}

// ReadFile returns a file of the archive unpacked. Errors: TooLarge when it is
// longer than limit bytes, Invalid when it cannot be unpacked; errors of the
// archive's content as they are.
func (z *ZipArchive) ReadFile(f *zip.File, limit int64) ([]byte, error) {
	tooLarge := registry.Errorf(registry.TooLarge, "%.200q is larger than %d bytes", f.Name, limit)
	if f.UncompressedSize64 > uint64(limit) {
		return nil, tooLarge
	}
	// Whatever the length of its packed form, no more of it is looked at than
	// can hold so much, and a little for headers.
	z.source.refill(2*limit + 1<<20)
	r, err := f.Open()
	if err != nil {
		return nil, z.or(f, err)
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, z.or(f, err)
	}
	if int64(len(content)) > limit {
		return nil, tooLarge
	}
	return content, nil
}

// OpenFile returns a file of the archive as it unpacks, for one that is too
// large to be held whole. Reading fails with TooLarge beyond limit bytes and
// with Invalid where it cannot be unpacked; errors of the archive's content are
// as they are.
func (z *ZipArchive) OpenFile(f *zip.File, limit int64) (io.ReadCloser, error) {
	// Packed content is hardly longer than unpacked; the list was paid for.
	z.source.refill(2*limit + 1<<20)
	r, err := f.Open()
	if err != nil {
		return nil, z.or(f, err)
	}
	return &zipFile{r, z, f, limit, limit}, nil
}

// zipFile counts what a file unpacks to.
type zipFile struct {
	io.ReadCloser
	archive     *ZipArchive
	file        *zip.File
	left, limit int64
}

// Read unpacks a piece.
func (r *zipFile) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if r.left -= int64(n); r.left < 0 {
		return 0, registry.Errorf(registry.TooLarge, "%.200q is larger than %d bytes", r.file.Name, r.limit)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = r.archive.or(r.file, err)
	}
	return n, err
}

// or is the error of the content beneath if it had one, else one that blames
// the file.
func (z *ZipArchive) or(f *zip.File, err error) error {
	if z.source.err != nil {
		return z.source.err
	}
	return registry.Errorf(registry.Invalid, "%.200q cannot be unpacked: %v", f.Name, err)
}

// budgetReaderAt makes a ReaderAt of a ReadSeeker, for one goroutine, and
// refuses to read more than a number of bytes.
type budgetReaderAt struct {
	r    io.ReadSeeker
	left int64
	err  error
}

func (b *budgetReaderAt) refill(left int64) { b.left = left }

// ReadAt reads from an offset, and remembers errors that are not the
// archive's own fault.
func (b *budgetReaderAt) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, io.EOF // as the archive has it, nowhere
	}
	if b.left -= int64(len(p)); b.left < 0 {
		b.err = registry.Errorf(registry.TooLarge, "the archive lists more than this server looks at")
		return 0, b.err
	}
	if _, err := b.r.Seek(offset, io.SeekStart); err != nil {
		b.err = err
		return 0, err
	}
	n, err := io.ReadFull(b.r, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

package composer

import (
	"archive/tar"
	"bytes"
	"compress/bzip2"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"

	"entrepot/protocols"
	"entrepot/registry"
)

// The bounds of what is read of an archive. They are far beyond what is
// published in earnest, and end what was made to keep a server busy.
const (
	// maxManifest is the longest composer.json in bytes.
	maxManifest = 1 << 20
	// maxReadme is how much of a readme is kept, in bytes.
	maxReadme = 64 << 10
	// maxReadmeFile is the longest readme of which so much is kept.
	maxReadmeFile = 4 << 20
	// maxEntries is the most files and folders of an archive, maxUnpacked the
	// most bytes of an unpacked tar, which can only be read from its start.
	maxEntries  = 250_000
	maxUnpacked = 2 << 30
)

// manifestFile is the file every package has.
const manifestFile = "composer.json"

func badArchive(format string, args ...any) error {
	return registry.FieldErrorf("archive", "the archive is no good: "+format, args...)
}

// format is a kind of archive.
type format string

const (
	zipped   format = "zip"
	plainTar format = "tar"
	gzipTar  format = "tar.gz"
	bzip2Tar format = "tar.bz2"
)

// distType is the kind as composer calls it: it finds out about compression
// itself.
func (f format) distType() string {
	if f == zipped {
		return "zip"
	}
	return "tar"
}

func (f format) mediaType() string {
	switch f {
	case zipped:
		return "application/zip"
	case gzipTar:
		return "application/gzip"
	case bzip2Tar:
		return "application/x-bzip2"
	}
	return "application/x-tar"
}

// archive is an uploaded archive that can be walked through, more than once,
// by one goroutine.
type archive struct {
	format  format
	content io.ReadSeeker
	zip     *protocols.ZipArchive
}

// openArchive tells by its first bytes what an archive is. Errors: Invalid for
// what is none; errors of content as they are.
func openArchive(content io.ReadSeeker, size int64) (*archive, error) {
	const ustarAt = 257
	head := make([]byte, ustarAt+len("ustar"))
	n, err := io.ReadFull(content, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	head = head[:n]
	a := &archive{content: content}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		a.format = zipped
		if a.zip, err = protocols.OpenZip(content, size); err != nil {
			return nil, blameArchive(err)
		}
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		a.format = gzipTar
	case bytes.HasPrefix(head, []byte("BZh")):
		a.format = bzip2Tar
	case n == len(head) && bytes.HasSuffix(head, []byte("ustar")):
		a.format = plainTar
	default:
		return nil, badArchive("it is neither zip nor tar, tar.gz or tar.bz2")
	}
	return a, nil
}

// archiveEntry is a file or folder of an archive, at a path without "./" in front.
type archiveEntry struct {
	name   string
	folder bool
	// read returns the content of a file, which is at most limit bytes long.
	read func(limit int64) ([]byte, error)
}

// walk shows all entries to visit, until that fails. Errors: those of visit,
// Invalid for an archive that is broken or beyond the bounds; errors of its
// content as they are.
func (a *archive) walk(visit func(archiveEntry) error) error {
	if a.zip != nil {
		return blameArchive(a.walkZip(visit))
	}
	if _, err := a.content.Seek(0, io.SeekStart); err != nil {
		return err
	}
	source := &sourceReader{r: a.content}
	err := a.walkTar(source, visit)
	_, known := errors.AsType[*registry.Error](err)
	switch {
	case err == nil, known, errors.Is(err, errFound):
		return blameArchive(err)
	case source.err != nil:
		return source.err
	}
	return badArchive("it cannot be unpacked: %v", err)
}

func (a *archive) walkZip(visit func(archiveEntry) error) error {
	if len(a.zip.File) > maxEntries {
		return badArchive("it has more than %d entries", maxEntries)
	}
	for _, f := range a.zip.File {
		e := archiveEntry{
			name: cleanPath(f.Name), folder: strings.HasSuffix(f.Name, "/"),
			read: func(limit int64) ([]byte, error) { return a.zip.ReadFile(f, limit) },
		}
		if err := visit(e); err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) walkTar(source io.Reader, visit func(archiveEntry) error) error {
	unpacked := &boundedReader{r: source, left: maxUnpacked}
	switch a.format {
	case gzipTar:
		z, err := gzip.NewReader(source)
		if err != nil {
			return err
		}
		unpacked.r = z
	case bzip2Tar:
		unpacked.r = bzip2.NewReader(source)
	}
	entries := tar.NewReader(unpacked)
	for n := 0; ; n++ {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if n >= maxEntries {
			return badArchive("it has more than %d entries", maxEntries)
		}
		if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeDir {
			continue
		}
		e := archiveEntry{
			name: cleanPath(h.Name), folder: h.Typeflag == tar.TypeDir,
			read: func(limit int64) ([]byte, error) {
				if h.Size > limit {
					return nil, badArchive("%.200q is larger than %d bytes", h.Name, limit)
				}
				return io.ReadAll(entries)
			},
		}
		if err := visit(e); err != nil {
			return err
		}
	}
	// The checksum stands at the end.
	_, err := io.Copy(io.Discard, unpacked)
	return err
}

// cleanPath is a path from the archive's root on.
func cleanPath(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

// findManifest returns the composer.json in the root or, when there is none,
// in the only folder there, which it names; git hosts and Composer itself pack
// that way. Files in deeper folders are other packages'. Error: Invalid when
// there is none, or several.
func (a *archive) findManifest() (raw []byte, folder string, err error) {
	var inFolder []byte
	folders, found, foundInFolder := map[string]bool{}, false, false
	err = a.walk(func(e archiveEntry) (err error) {
		top, rest, deeper := strings.Cut(e.name, "/")
		if top != "" && (deeper || e.folder) && len(folders) < 2 {
			folders[top] = true
		}
		switch {
		case e.folder:
		case e.name == manifestFile:
			if found {
				return badArchive("it has several %s in its root", manifestFile)
			}
			found = true
			raw, err = e.read(maxManifest)
		case rest == manifestFile && !found && len(folders) == 1:
			if foundInFolder {
				return badArchive("it has several %s in its folder", manifestFile)
			}
			foundInFolder, folder = true, top
			inFolder, err = e.read(maxManifest)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, "", err
	case found:
		return raw, "", nil
	case foundInFolder && len(folders) == 1:
		return inFolder, folder, nil
	}
	return nil, "", badArchive("there is no %s in its root, nor in the only folder there", manifestFile)
}

// errFound ends a walk.
var errFound = errors.New("found")

// findReadme returns the beginning of the file beside the composer.json that
// has the name, or of README.md in any case when the name is empty. It is ""
// when there is none that can be read.
func (a *archive) findReadme(folder, name string) (string, error) {
	wanted := path.Join(folder, cleanPath(name))
	if name == "" {
		wanted = path.Join(folder, "README.md")
	}
	var text string
	err := a.walk(func(e archiveEntry) error {
		if e.folder || e.name != wanted && (name != "" || !strings.EqualFold(e.name, wanted)) {
			return nil
		}
		raw, err := e.read(maxReadmeFile)
		if e, ok := errors.AsType[*registry.Error](err); ok && e.Code != registry.Unavailable {
			return errFound // too long, or broken: a package without a readme
		}
		if err != nil {
			return err
		}
		text = protocols.CutText(protocols.CleanText(string(raw)), maxReadme)
		return errFound
	})
	if errors.Is(err, errFound) {
		err = nil
	}
	return text, err
}

// blameArchive makes of an archive that is too large a bad one: for the client
// it is the file that is wrong, whichever way.
func blameArchive(err error) error {
	e, known := errors.AsType[*registry.Error](err)
	if known && (e.Code == registry.TooLarge || e.Code == registry.Invalid && e.Field == "") {
		return badArchive("%s", e.Message)
	}
	return err
}

// boundedReader refuses what goes on beyond the bound.
type boundedReader struct {
	r    io.Reader
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, badArchive("it unpacks to more than %d GiB", maxUnpacked>>30)
	}
	return n, err
}

// sourceReader remembers the error of what is unpacked, to tell it from
// errors in what it says.
type sourceReader struct {
	r   io.Reader
	err error
}

func (s *sourceReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

package arch

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// The bounds of what is read of a package.
const (
	// maxInfo is the longest .PKGINFO in bytes.
	maxInfo = 1 << 20
	// maxEntries is how many files a package may have, maxList how long their
	// names may be together.
	maxEntries = 1_000_000
	maxList    = 16 << 20
	// maxUnpacked is what a package may unpack to whatever its size, maxRatio
	// how many bytes more for each of its own.
	maxUnpacked = 64 << 20
	maxRatio    = 200
)

// The compressions, by the endings of file names.
const (
	zstdEnding = ".zst"
	xzEnding   = ".xz"
	gzipEnding = ".gz"
)

// badPackage refuses an uploaded package.
func badPackage(format string, args ...any) error {
	return registry.FieldErrorf("file", "this is not a package of pacman's: "+format, args...)
}

// pack is what an uploaded package says of itself.
type pack struct {
	identity
	// compression is the ending that stands for how it is compressed.
	compression string
	info        protocols.Pkginfo
	// files names all it installs, a line each.
	files []byte
}

// readPack reads the description and the names of all files of a package.
// Errors: Invalid for anything that is no package or beyond the bounds above;
// errors of r as they are.
func readPack(r io.ReadSeeker, size int64) (*pack, error) {
	compression, err := compressionOf(r)
	if err != nil {
		return nil, err
	}
	source := protocols.NewSource(r)
	unpacked, err := protocols.Unpack(source, compression)
	if err != nil {
		return nil, source.Or(badPackage("it cannot be unpacked: %v", err))
	}
	defer unpacked.Close()
	limited := protocols.LimitUnpacked(unpacked, maxUnpacked+maxRatio*size)
	p := &pack{compression: compression}
	if err := p.walk(tar.NewReader(limited)); err != nil {
		return nil, source.Or(err)
	}
	// To the last byte: an upload that was cut off is none.
	if _, err := io.Copy(io.Discard, limited); err != nil {
		return nil, source.Or(badPackage("it cannot be unpacked: %v", err))
	}
	return p, nil
}

// compressionOf looks at the first bytes.
func compressionOf(r io.ReadSeeker) (string, error) {
	magic := make([]byte, 6)
	n, err := io.ReadFull(r, magic)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	magic = magic[:n]
	// Programs that compress in parallel put a frame in front that is skipped.
	skipped := n >= 4 && magic[0]&0xf0 == 0x50 && bytes.Equal(magic[1:4], []byte("\x2a\x4d\x18"))
	switch {
	case n == 0:
		return "", badPackage("the body is empty")
	case skipped, bytes.HasPrefix(magic, []byte("\x28\xb5\x2f\xfd")):
		return zstdEnding, nil
	case bytes.Equal(magic, []byte("\xfd7zXZ\x00")):
		return xzEnding, nil
	case bytes.HasPrefix(magic, []byte("\x1f\x8b")):
		return gzipEnding, nil
	}
	return "", badPackage("want a tar archive compressed with zstd, xz or gzip")
}

// walk goes over the headers of an archive.
func (p *pack) walk(archive *tar.Reader) error {
	var list bytes.Buffer
	for range maxEntries {
		h, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF) && p.info == nil:
			return badPackage("it has no %s", protocols.PkginfoFile)
		case errors.Is(err, io.EOF):
			p.files = list.Bytes()
			return nil
		case err != nil:
			return badPackage("the archive cannot be read: %v", err)
		}
		if h.Name == protocols.PkginfoFile {
			if err := p.readInfo(archive, h); err != nil {
				return err
			}
		}
		name := strings.TrimLeft(h.Name, "/")
		if name == "" || name[0] == '.' || strings.ContainsAny(name, "\n\r") {
			continue // not installed, or no name that a database can hold
		}
		list.WriteString(name)
		if h.Typeflag == tar.TypeDir && !strings.HasSuffix(name, "/") {
			list.WriteByte('/')
		}
		list.WriteByte('\n')
		if list.Len() > maxList {
			return badPackage("the names of its files have more than %d bytes", maxList)
		}
	}
	return badPackage("it has more than %d files", maxEntries)
}

func (p *pack) readInfo(archive *tar.Reader, h *tar.Header) error {
	if p.info != nil {
		return badPackage("it has two of %s", protocols.PkginfoFile)
	}
	if h.Typeflag != tar.TypeReg || h.Size > maxInfo {
		return badPackage("%s is no file of at most %d bytes", protocols.PkginfoFile, maxInfo)
	}
	text, err := protocols.ReadLimited(archive, maxInfo)
	if err != nil {
		return badPackage("%s cannot be read: %v", protocols.PkginfoFile, err)
	}
	p.info, p.identity, err = parseInfo(text)
	return err
}

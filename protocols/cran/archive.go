package cran

import (
	"archive/tar"
	"bufio"
	"bytes"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"

	"entrepot/protocols"
	"entrepot/registry"
)

// The bounds of a package.
const (
	maxEntries     = 100_000
	maxUnpacked    = 8 << 30
	maxDescription = 1 << 20
	maxText        = 1 << 20
)

const descriptionFile = "DESCRIPTION"

func badPackage(format string, args ...any) error {
	return registry.FieldErrorf("file", "this is not an R package: "+format, args...)
}

// contents are what is read of an uploaded package.
type contents struct {
	description  []byte
	readme, news string
	// folder is where the DESCRIPTION lies; "" if it lies at the root.
	folder string
}

// readPackage reads a package of the kind to its end. Errors: Invalid for
// what is none or beyond the bounds; those of r as they are.
func readPackage(r io.ReadSeeker, size int64, k kind) (*description, *contents, error) {
	magic := make([]byte, 4)
	n, err := io.ReadFull(r, magic)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, nil, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, nil, err
	}
	var c *contents
	switch isZip := bytes.HasPrefix(magic[:n], []byte("PK\x03\x04")); {
	case n == 0:
		return nil, nil, badPackage("the body is empty")
	case isZip != (k.ending() == ".zip"):
		return nil, nil, badPackage("want a file in the form of %s there", k.ending())
	case isZip:
		c, err = readZip(r, size)
	default:
		c, err = readTar(r)
	}
	if err != nil {
		return nil, nil, err
	}
	if c.description == nil {
		return nil, nil, badPackage("it has no DESCRIPTION in its folder")
	}
	d, err := parseDescription(c.description)
	if err != nil {
		return nil, nil, err
	}
	if c.folder != "" && c.folder != d.name {
		return nil, nil, badPackage("the folder %.80q is not called as the package, %s", c.folder, d.name)
	}
	return d, c, d.fits(k)
}

// take looks at a file of the package by its path; isFile tells whether it is
// a regular one.
func (c *contents) take(name string, isFile bool, read func(limit int64) ([]byte, error)) (err error) {
	folder, base := path.Split(path.Clean(name))
	folder = strings.TrimSuffix(folder, "/")
	if strings.Contains(folder, "/") || strings.HasPrefix(name, "/") {
		return nil
	}
	switch base {
	case descriptionFile:
		if c.description != nil || !isFile {
			return badPackage("it has a second DESCRIPTION, or one that is not a file")
		}
		c.folder = folder
		c.description, err = read(maxDescription)
		if c.description == nil {
			c.description = []byte{}
		}
	case "README.md", "NEWS.md":
		if !isFile || folder == "" {
			return nil
		}
		text, err := read(maxText)
		if err != nil {
			return nil // a long one is not shown; the walk sees what is wrong with the archive
		}
		shown := protocols.CleanText(string(text))
		if base == "NEWS.md" {
			c.news = shown
		} else {
			c.readme = shown
		}
	}
	return err
}

// readTar reads a gzip-compressed tar.
func readTar(r io.Reader) (*contents, error) {
	source := protocols.NewSource(r)
	in := bufio.NewReader(source)
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, source.Or(badPackage("it is not compressed with gzip"))
	}
	// What stands behind the one stream is looked for below.
	z.Multistream(false)
	unpacked := protocols.LimitUnpacked(z, maxUnpacked)
	entries := tar.NewReader(unpacked)
	c := &contents{}
	for n := 0; ; n++ {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, source.Or(badPackage("the archive cannot be read: %v", err))
		}
		if n == maxEntries {
			return nil, badPackage("it has more than %d files", maxEntries)
		}
		if h.Typeflag == tar.TypeDir || h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		err = c.take(h.Name, h.Typeflag == tar.TypeReg, func(limit int64) ([]byte, error) {
			content, err := protocols.ReadLimited(entries, limit)
			if err != nil {
				return nil, source.Or(badPackage("%.200q cannot be read: %v", h.Name, err))
			}
			return content, nil
		})
		if err != nil {
			return nil, err
		}
	}
	if _, err := io.Copy(io.Discard, unpacked); err != nil {
		return nil, source.Or(badPackage("the archive does not end well: %v", err))
	}
	if _, err := in.Peek(1); !errors.Is(err, io.EOF) {
		return nil, source.Or(badPackage("there is something behind the archive"))
	}
	return c, nil
}

// readZip reads a zip archive.
func readZip(r io.ReadSeeker, size int64) (*contents, error) {
	z, err := protocols.OpenZip(r, size)
	if err != nil {
		return nil, err
	}
	if len(z.File) > maxEntries {
		return nil, badPackage("it has more than %d files", maxEntries)
	}
	c := &contents{}
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		err := c.take(f.Name, f.Mode().IsRegular(), func(limit int64) ([]byte, error) { return z.ReadFile(f, limit) })
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

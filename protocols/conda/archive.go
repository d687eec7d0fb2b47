package conda

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"entrepot/protocols"
	"entrepot/registry"
)

// The bounds of a package.
const (
	maxEntries = 100_000
	// maxMember is the longest of the files that are read.
	maxMember = 4 << 20
	// maxInfo is how much the info of a .conda unpacks to.
	maxInfo = 64 << 20
	// maxScanned is how much of a .tar.bz2 is unpacked to find its info, which
	// stands first in whatever the community's programs write.
	maxScanned = 4 << 30
	// maxWindow is the most memory that unpacking takes because a file says
	// so: what the strongest level of zstd asks for.
	maxWindow = 128 << 20
	// maxFormat is the longest metadata.json.
	maxFormat = 4 << 10
)

// The files of a package that are read (CEP 34).
const (
	indexFile          = "info/index.json"
	aboutFile          = "info/about.json"
	packageExportsFile = "info/run_exports.json"
	formatFile         = "metadata.json"
)

// contents are what is read of an uploaded package, each nil if it is not
// there.
type contents struct{ index, about, runExports []byte }

func badPackage(format string, args ...any) error {
	return registry.FieldErrorf("file", "this is not a conda package: "+format, args...)
}

// readPackage reads what a package says of itself. Which container it is, its
// first bytes say, and its name must say the same. Errors: Invalid for what is
// none, TooLarge beyond the bounds; those of r as they are.
func readPackage(r io.ReadSeeker, size int64, name fileName) (*contents, error) {
	magic := make([]byte, 4)
	n, err := io.ReadFull(r, magic)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	c := &contents{}
	switch magic = magic[:n]; {
	case n == 0:
		return nil, badPackage("the body is empty")
	case bytes.HasPrefix(magic, []byte("BZh")) && name.ending == tarEnding:
		err = c.readTarball(r)
	case bytes.HasPrefix(magic, []byte("PK")) && name.ending == condaEnding:
		err = c.readConda(r, size, name.stem())
	default:
		return nil, badPackage("what is in it is not what a name that ends in %s says", name.ending)
	}
	if err == nil && c.index == nil {
		err = badPackage("it has no %s", indexFile)
	}
	return c, err
}

// readTarball reads a .tar.bz2 up to the end of its info.
func (c *contents) readTarball(r io.Reader) error {
	source := protocols.NewSource(r)
	unpacked := protocols.LimitUnpacked(bzip2.NewReader(source), maxScanned)
	return c.readTar(unpacked, source)
}

// readConda reads a .conda (CEP 35): a zip archive of a format, the package
// and what is said of it, packed one by one and not once more by the archive.
func (c *contents) readConda(r io.ReadSeeker, size int64, stem string) error {
	z, err := protocols.OpenZip(r, size)
	if err != nil {
		return err
	}
	members := map[string]*zip.File{}
	for _, f := range z.File {
		switch {
		case f.Name != formatFile && f.Name != "info-"+stem+".tar.zst" && f.Name != "pkg-"+stem+".tar.zst":
			return badPackage("it has a member %.200q; want %s, info-%s.tar.zst and pkg-%[3]s.tar.zst", f.Name, formatFile, stem)
		case members[f.Name] != nil:
			return badPackage("it has two members %.200q", f.Name)
		case f.Method != zip.Store:
			return badPackage("its member %.200q is packed twice", f.Name)
		}
		members[f.Name] = f
	}
	if len(members) != 3 {
		return badPackage("it lacks one of %s, info-%s.tar.zst and pkg-%[2]s.tar.zst", formatFile, stem)
	}
	raw, err := z.ReadFile(members[formatFile], maxFormat)
	if err != nil {
		return err
	}
	var format struct {
		Version int `json:"conda_pkg_format_version"`
	}
	if err := json.Unmarshal(raw, &format); err != nil || format.Version != 2 {
		return badPackage("%s does not say that its format is 2", formatFile)
	}
	info := members["info-"+stem+".tar.zst"]
	if info.UncompressedSize64 > uint64(size) {
		return badPackage("its info is longer than the file")
	}
	packed, err := z.OpenFile(info, int64(info.UncompressedSize64))
	if err != nil {
		return err
	}
	defer packed.Close()
	source := protocols.NewSource(packed)
	d, err := zstd.NewReader(source, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return source.Or(badPackage("its info cannot be unpacked: %v", err))
	}
	defer d.Close()
	return c.readTar(protocols.LimitUnpacked(d, maxInfo), source)
}

// readTar looks for the files that are read. The info of a package stands
// together: what follows it, mostly all of the package, is not unpacked.
func (c *contents) readTar(r io.Reader, source *protocols.Source) error {
	entries := tar.NewReader(r)
	wanted := map[string]*[]byte{indexFile: &c.index, aboutFile: &c.about, packageExportsFile: &c.runExports}
	for n := 0; ; n++ {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return source.Or(badPackage("the archive cannot be read: %v", err))
		}
		if n == maxEntries {
			return badPackage("it has more than %d files", maxEntries)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		name := strings.TrimPrefix(h.Name, "./")
		if c.index != nil && !strings.HasPrefix(name, "info/") {
			return nil
		}
		into := wanted[name]
		if into == nil {
			continue
		}
		if *into != nil || h.Typeflag != tar.TypeReg {
			return badPackage("it has a second %s, or one that is not a file", name)
		}
		if *into, err = protocols.ReadLimited(entries, maxMember); err != nil {
			if errors.Is(err, protocols.ErrTooMuch) {
				return registry.Errorf(registry.TooLarge, "%s is longer than %d bytes", name, maxMember)
			}
			return source.Or(badPackage("%s cannot be read: %v", name, err))
		}
		if *into == nil {
			*into = []byte{}
		}
	}
}

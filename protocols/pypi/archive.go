package pypi

import (
	"archive/tar"
	"archive/zip"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"

	"entrepot/protocols"
	"entrepot/registry"
)

// The bounds of what is read of a distribution. They are far beyond what is
// published in earnest, and end what was made to keep a server busy.
const (
	// maxMetadata is the longest METADATA or PKG-INFO in bytes.
	maxMetadata = 4 << 20
	// maxEntries and maxUnpacked are the most entries and bytes of an unpacked
	// .tar.gz, which can only be read from its start to its end.
	maxEntries  = 250_000
	maxUnpacked = 4 << 30
)

func badArchive(format string, args ...any) error {
	return registry.FieldErrorf("content", "the distribution is no good: "+format, args...)
}

// readMetadata returns the core metadata in a distribution, to the byte.
// Errors: Invalid for an archive that is no distribution, or is beyond the
// bounds above; errors of content as they are.
func readMetadata(content io.ReadSeeker, size int64, filename string) ([]byte, error) {
	var raw []byte
	var err error
	if strings.HasSuffix(filename, ".tar.gz") {
		raw, err = tarMetadata(content)
	} else {
		raw, err = zipMetadata(content, size, filename)
	}
	// For the client it is the file that is wrong, whichever way.
	if e, ok := errors.AsType[*registry.Error](err); ok && e.Code == registry.TooLarge || ok && e.Field == "" && e.Code == registry.Invalid {
		return nil, badArchive("%s", e.Message)
	}
	return raw, err
}

// zipMetadata finds the METADATA of a wheel, or the PKG-INFO of a source
// distribution.
func zipMetadata(content io.ReadSeeker, size int64, filename string) ([]byte, error) {
	archive, err := protocols.OpenZip(content, size)
	if err != nil {
		return nil, err
	}
	var file *zip.File
	if strings.HasSuffix(filename, ".whl") {
		project, _, _ := strings.Cut(filename, "-")
		file, err = wheelMetadata(archive.File, normalizeName(project))
	} else {
		file, err = packageInfo(archive.File)
	}
	if err != nil {
		return nil, err
	}
	return archive.ReadFile(file, maxMetadata)
}

// wheelMetadata finds {name}-{version}.dist-info/METADATA, of which there is
// one, with WHEEL beside it. The name may be spelled otherwise than elsewhere.
//
// https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-contents
func wheelMetadata(files []*zip.File, project string) (*zip.File, error) {
	var found *zip.File
	wheels := map[string]bool{}
	for _, f := range files {
		folder, name, _ := strings.Cut(f.Name, "/")
		if !strings.HasSuffix(folder, ".dist-info") {
			continue
		}
		switch name {
		case "METADATA":
			if found != nil {
				return nil, badArchive("it has several METADATA files")
			}
			found = f
		case "WHEEL":
			wheels[folder] = true
		}
	}
	if found == nil {
		return nil, badArchive("it has no .dist-info/METADATA")
	}
	folder := path.Dir(found.Name)
	if name, _, ok := strings.Cut(folder, "-"); !ok || normalizeName(name) != project {
		return nil, badArchive("its folder %.200q is another project's", folder)
	}
	if !wheels[folder] {
		return nil, badArchive("it has no WHEEL file beside %.200q", found.Name)
	}
	return found, nil
}

// sourceTree is what is checked of a source distribution: that everything
// lies in one folder, with one PKG-INFO in it.
//
// https://packaging.python.org/en/latest/specifications/source-distribution-format/
type sourceTree struct {
	top  string
	info bool
}

// add takes an entry in and tells whether it is the PKG-INFO.
func (t *sourceTree) add(name string, folder bool) (bool, error) {
	clean := strings.TrimPrefix(path.Clean("/"+name), "/")
	top, rest, deeper := strings.Cut(clean, "/")
	switch {
	case top == "": // "./"
		return false, nil
	case !deeper && !folder, t.top != "" && t.top != top:
		return false, badArchive("%.200q lies outside of the one folder a source distribution has at its top", name)
	}
	t.top = top
	if rest != "PKG-INFO" || folder {
		return false, nil
	}
	if t.info {
		return false, badArchive("it has several PKG-INFO files")
	}
	t.info = true
	return true, nil
}

// end tells what is missing.
func (t *sourceTree) end() error {
	if !t.info {
		return badArchive("there is no PKG-INFO in its top folder")
	}
	return nil
}

// packageInfo finds the PKG-INFO of a zipped source distribution.
func packageInfo(files []*zip.File) (found *zip.File, err error) {
	var tree sourceTree
	for _, f := range files {
		is, err := tree.add(f.Name, strings.HasSuffix(f.Name, "/"))
		if err != nil {
			return nil, err
		}
		if is {
			found = f
		}
	}
	return found, tree.end()
}

// tarMetadata reads a source distribution to its end, for what comes last
// takes the place of what came before when it is unpacked.
func tarMetadata(content io.Reader) (info []byte, err error) {
	source := &sourceReader{r: content}
	z, err := gzip.NewReader(source)
	if err != nil {
		return nil, source.or(badArchive("it is not gzip"))
	}
	unpacked := &boundedReader{r: z, left: maxUnpacked}
	entries := tar.NewReader(unpacked)
	var tree sourceTree
	for n := 0; ; n++ {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, source.or(tarError(err))
		}
		if n >= maxEntries {
			return nil, badArchive("it has more than %d entries", maxEntries)
		}
		is, err := tree.add(h.Name, h.Typeflag == tar.TypeDir)
		if err != nil {
			return nil, err
		}
		if !is {
			continue
		}
		if h.Typeflag != tar.TypeReg || h.Size > maxMetadata {
			return nil, badArchive("its PKG-INFO is not a file of at most %d MiB", maxMetadata>>20)
		}
		if info, err = io.ReadAll(entries); err != nil {
			return nil, source.or(tarError(err))
		}
	}
	// The checksum stands at the end.
	if _, err := io.Copy(io.Discard, unpacked); err != nil && !errors.Is(err, gzip.ErrHeader) {
		return nil, source.or(tarError(err))
	}
	return info, tree.end()
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

// or is the source's error if it had one, else err.
func (s *sourceReader) or(err error) error {
	if s.err != nil {
		return s.err
	}
	return err
}

func tarError(err error) error {
	if _, ok := errors.AsType[*registry.Error](err); ok {
		return err
	}
	return badArchive("%v", err)
}

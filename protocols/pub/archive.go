package pub

import (
	"archive/tar"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"

	"entrepot/protocols"
	"entrepot/registry"
)

// The bounds of an archive and of what it may unpack to.
const (
	maxArchive  = 100 << 20
	maxEntries  = 65_536
	maxUnpacked = 256 << 20
	maxPubspec  = 128 << 10
	// maxText is what is kept of a readme and the like, in bytes.
	maxText = 128 << 10
	// maxNames is the most that the names of the entries may take together, in
	// bytes: they are remembered to find those that are there twice.
	maxNames = 16 << 20
)

// archive is what an archive says of itself.
type archive struct {
	pubspec *pubspec
	// readme, changelog and license are the beginnings of those files.
	readme, changelog, license string
	// example is the beginning of the example's main file.
	example      string
	files        int
	unpackedSize int64
}

func badArchive(format string, args ...any) error {
	return registry.FieldErrorf("file", "the archive is no good: "+format, args...)
}

// inspect reads an archive to its end: gzip around tar, with a pubspec.yaml at
// the top. Errors: Invalid for anything else and for more than the bounds
// above; errors of r as they are.
func inspect(r io.Reader) (archive, error) {
	src := &source{r: r}
	a, err := readArchive(src)
	if err == nil {
		return a, nil
	}
	if src.err != nil {
		return archive{}, src.err
	}
	if _, ok := errors.AsType[*registry.Error](err); ok {
		return archive{}, err
	}
	return archive{}, badArchive("%v", err)
}

func readArchive(r io.Reader) (archive, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return archive{}, badArchive("it is not gzip")
	}
	unpacked := &bounded{r: z, left: maxUnpacked}
	entries := tar.NewReader(unpacked)
	in := inspection{names: map[string]string{}}
	for n := 0; ; n++ {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return archive{}, err
		}
		if n >= maxEntries {
			return archive{}, badArchive("it has more than %d entries", maxEntries)
		}
		if err := in.entry(h, entries); err != nil {
			return archive{}, err
		}
	}
	if in.pubspec == nil {
		return archive{}, badArchive("there is no pubspec.yaml at its top")
	}
	// The checksum stands at the end.
	_, err = io.Copy(io.Discard, unpacked)
	return in.archive, err
}

// inspection is an archive as far as it is read.
type inspection struct {
	archive
	// names are the entries by their names without case.
	names      map[string]string
	namesBytes int
}

// entry takes one entry of the archive in.
func (in *inspection) entry(h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil // holds no file
	}
	if !isInside(h.Name) {
		return badArchive("its entry %.200q does not lie within it", h.Name)
	}
	name := path.Clean(h.Name)
	if err := in.once(name, h.Typeflag == tar.TypeDir); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeReg:
	case tar.TypeDir:
		return nil
	case tar.TypeSymlink:
		if !isInside(h.Linkname) && (path.IsAbs(h.Linkname) || !isInside(path.Join(path.Dir(name), h.Linkname))) {
			return badArchive("its link %.200q leads out of it", h.Name)
		}
		return nil
	case tar.TypeLink:
		if !isInside(h.Linkname) {
			return badArchive("its link %.200q leads out of it", h.Name)
		}
		return nil
	default:
		return badArchive("its entry %.200q is neither a file nor a folder", h.Name)
	}
	in.files++
	if in.unpackedSize += h.Size; in.unpackedSize > maxUnpacked {
		return errTooMuch
	}
	return in.file(name, content)
}

// once refuses a name that is there already, in whatever case: systems whose
// names have none would unpack one over the other. Folders may come again.
func (in *inspection) once(name string, folder bool) error {
	key := strings.ToLower(name)
	if folder {
		name += "/"
	}
	if before, known := in.names[key]; known && (!folder || before != name) {
		return badArchive("it has %.200q twice; names that differ in case alone are the same", name)
	}
	if in.namesBytes += len(name); in.namesBytes > maxNames {
		return badArchive("the names of its entries are longer than %d MiB together", maxNames>>20)
	}
	in.names[key] = name
	return nil
}

// file reads those files that something is made of.
func (in *inspection) file(name string, content io.Reader) (err error) {
	if name == "pubspec.yaml" {
		raw, err := io.ReadAll(io.LimitReader(content, maxPubspec+1))
		if err != nil {
			return err
		}
		if len(raw) > maxPubspec {
			return badArchive("its pubspec.yaml is larger than %d KiB", maxPubspec>>10)
		}
		in.pubspec, err = parsePubspec(raw)
		return err
	}
	switch strings.ToLower(name) {
	case "readme.md":
		in.readme, err = beginning(content)
	case "readme", "readme.txt", "readme.markdown":
		if in.readme == "" {
			in.readme, err = beginning(content)
		}
	case "changelog.md", "changelog":
		in.changelog, err = beginning(content)
	case "license", "license.md", "license.txt", "licence":
		in.license, err = beginning(content)
	case "example/main.dart", "example/lib/main.dart", "example/example.dart", "example/example.md", "example/readme.md":
		if in.example == "" {
			in.example, err = beginning(content)
		}
	}
	return err
}

// beginning is the beginning of a text.
func beginning(content io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(content, maxText))
	return protocols.CutText(protocols.CleanText(string(text)), maxText), err
}

// isInside tells whether a path leads to a place below the top.
func isInside(name string) bool {
	if name == "" || path.IsAbs(name) || strings.ContainsAny(name, "\\\x00") || len(name) > 1 && name[1] == ':' {
		return false
	}
	for segment := range strings.SplitSeq(name, "/") {
		if segment == ".." {
			return false
		}
	}
	return true
}

var errTooMuch = badArchive("it unpacks to more than %d MiB", maxUnpacked>>20)

// bounded refuses what goes on beyond the bound.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooMuch
	}
	return n, err
}

// source remembers the error of what is unpacked, to tell it from errors in
// what it says.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

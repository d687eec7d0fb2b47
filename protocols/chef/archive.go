package chef

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
	maxEntries  = 100_000
	maxUnpacked = 4 << 30
	maxMetadata = 4 << 20
	// maxText is what is kept of a readme and the like, in bytes.
	maxText = 1 << 20
)

// archive is what a cookbook's archive says of it.
type archive struct {
	metadata *metadata
	// readme and changelog are the beginnings of those files.
	readme, changelog string
}

func badArchive(format string, args ...any) error {
	return registry.FieldErrorf("tarball", "the tarball is no good: "+format, args...)
}

// inspect reads an archive to its end: gzip around tar, with one folder in which
// metadata.json is. Errors: Invalid for anything else and for more than the
// bounds above; errors of r as they are.
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
	var a archive
	source := false
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
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue // holds no file
		}
		if !isInside(h.Name) {
			return archive{}, badArchive("its entry %.200q does not lie within it", h.Name)
		}
		// What is looked at lies in the one folder, which may be called from ".".
		_, name, nested := strings.Cut(path.Clean(h.Name), "/")
		if h.Typeflag != tar.TypeReg || !nested {
			continue
		}
		source = source || name == "metadata.rb"
		if err := a.file(name, entries); err != nil {
			return archive{}, err
		}
	}
	// The checksum stands at the end.
	if _, err := io.Copy(io.Discard, unpacked); err != nil {
		return archive{}, err
	}
	if a.metadata == nil && source {
		return archive{}, badArchive("it has a metadata.rb and no metadata.json: pack it with knife or berks, which write that")
	}
	if a.metadata == nil {
		return archive{}, badArchive("there is no metadata.json in its folder")
	}
	return a, nil
}

// file reads those files that something is made of.
func (a *archive) file(name string, content io.Reader) (err error) {
	switch strings.ToLower(name) {
	case metadataName:
		if name != metadataName {
			return nil
		}
		if a.metadata != nil {
			return badArchive("it has metadata.json twice")
		}
		raw, err := io.ReadAll(io.LimitReader(content, maxMetadata+1))
		if err != nil {
			return err
		}
		if len(raw) > maxMetadata {
			return badArchive("its metadata.json is larger than %d MiB", maxMetadata>>20)
		}
		a.metadata, err = parseMetadata(raw)
		return err
	case "readme.md":
		a.readme, err = beginning(content)
	case "readme", "readme.txt", "readme.rdoc", "readme.markdown":
		if a.readme == "" {
			a.readme, err = beginning(content)
		}
	case "changelog", "changelog.md", "changelog.txt", "changelog.rdoc":
		a.changelog, err = beginning(content)
	}
	return err
}

// metadataName is the file with what a cookbook says of itself.
const metadataName = "metadata.json"

// beginning is the beginning of a text.
func beginning(content io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(content, maxText))
	return protocols.CutText(protocols.CleanText(string(text)), maxText), err
}

// isInside tells whether a path leads to a place below the top, or the top.
func isInside(name string) bool {
	if name == "" || path.IsAbs(name) || strings.ContainsAny(name, "\\\x00") {
		return false
	}
	for segment := range strings.SplitSeq(name, "/") {
		if segment == ".." {
			return false
		}
	}
	return true
}

// bounded refuses what goes on beyond the bound.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, badArchive("it unpacks to more than %d GiB", maxUnpacked>>30)
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

package rubygems

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"

	"entrepot/protocols"
	"entrepot/registry"
)

// The bounds of a gem, which is a tar of a few files.
const (
	maxEntries = 100
	// maxGemspec and maxChecksums are sizes in bytes, packed as well as
	// unpacked.
	maxGemspec   = 8 << 20
	maxChecksums = 1 << 20
)

// The files of a gem, in any order. There may be signatures beside them.
const (
	metadataFile  = "metadata.gz"
	dataFile      = "data.tar.gz"
	checksumsFile = "checksums.yaml.gz"
)

// storeGem stores a gem and looks into it at the same time: its bytes pass by
// once. size is the announced length or -1.
func storeGem(r *protocols.Request, body io.Reader, size int64) (*registry.Stored, *gemspec, error) {
	type inspection struct {
		spec *gemspec
		err  error
	}
	pr, pw := io.Pipe()
	done := make(chan inspection, 1)
	go func() {
		spec, err := inspectGuarded(pr)
		// A gem that is no good ends the upload.
		pr.CloseWithError(err)
		done <- inspection{spec, err}
	}()
	content, err := r.Registry.Store(r.Context(), io.TeeReader(body, pw), size, 0)
	pw.CloseWithError(err) // without an error: the end
	seen := <-done
	if err != nil {
		return nil, nil, err
	}
	if seen.err != nil {
		r.Registry.Discard(r.Context(), content)
		return nil, nil, seen.err
	}
	return content, seen.spec, nil
}

// inspectGuarded is inspect for a goroutine of its own, where a panic would end
// the server and not only the request. It reads to the end.
func inspectGuarded(r io.Reader) (s *gemspec, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("inspect gem: panic: %v", p)
		}
	}()
	if s, err = inspect(r); err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, r)
	return s, err
}

func badGem(format string, args ...any) error {
	return registry.FieldErrorf("gem", "the gem is no good: %s", fmt.Sprintf(format, args...))
}

// sourceReader tells errors of reading an upload from those of its content.
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

// or is the error of the source if it had one, else the other.
func (s *sourceReader) or(err error) error {
	if s.err != nil {
		return s.err
	}
	return err
}

// inspect reads a gem. Errors: Invalid for what is none, Mismatch when its
// files are not those that its checksums are of, TooLarge.
func inspect(r io.Reader) (*gemspec, error) {
	src := &sourceReader{r: r}
	entries := tar.NewReader(src)
	g := &contents{sums: map[string]fileSums{}}
	for n := 0; ; n++ {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, src.or(badGem("it is not a tar archive of files: %v", err))
		}
		if n == maxEntries {
			return nil, registry.Errorf(registry.TooLarge, "the gem has more than %d entries", maxEntries)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := g.take(h, entries); err != nil {
			return nil, src.or(err)
		}
	}
	return g.finish()
}

// contents are the files of a gem as they come by.
type contents struct {
	spec      *gemspec
	checksums []byte
	sums      map[string]fileSums
}

type fileSums struct{ sha256, sha512 string }

// take reads a file of the gem.
func (g *contents) take(h *tar.Header, content io.Reader) error {
	limit := int64(0) // none
	switch h.Name {
	case metadataFile:
		limit = maxGemspec
	case checksumsFile:
		limit = maxChecksums
	case dataFile:
	default:
		return nil
	}
	if _, twice := g.sums[h.Name]; twice {
		return badGem("it has several files %s", h.Name)
	}
	if limit > 0 && h.Size > limit {
		return registry.Errorf(registry.TooLarge, "the gem's %s is larger than %d bytes", h.Name, limit)
	}
	short, long := sha256.New(), sha512.New()
	content = io.TeeReader(content, io.MultiWriter(short, long))
	if limit > 0 {
		raw, err := io.ReadAll(content)
		if err != nil {
			return badGem("its %s cannot be read: %v", h.Name, err)
		}
		if raw, err = unpack(h.Name, raw, limit); err != nil {
			return err
		}
		if h.Name == checksumsFile {
			g.checksums = raw
		} else if g.spec, err = parseGemspec(raw); err != nil {
			return err
		}
	} else if _, err := io.Copy(io.Discard, content); err != nil {
		return badGem("its %s cannot be read: %v", h.Name, err)
	}
	g.sums[h.Name] = fileSums{hexSum(short), hexSum(long)}
	return nil
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// unpack unpacks a file; what stands behind the end of its gzip is left out.
func unpack(name string, raw []byte, limit int64) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, badGem("its %s is not gzip", name)
	}
	z.Multistream(false)
	content, err := io.ReadAll(io.LimitReader(z, limit+1))
	if err != nil {
		return nil, badGem("its %s cannot be unpacked: %v", name, err)
	}
	if int64(len(content)) > limit {
		return nil, registry.Errorf(registry.TooLarge, "the gem's %s unpacks to more than %d bytes", name, limit)
	}
	return content, nil
}

// finish checks that all is there and is what the checksums say.
func (g *contents) finish() (*gemspec, error) {
	if g.spec == nil {
		return nil, badGem("it has no %s", metadataFile)
	}
	if _, ok := g.sums[dataFile]; !ok {
		return nil, badGem("it has no %s", dataFile)
	}
	if g.checksums == nil {
		return g.spec, nil
	}
	root, err := parseYAML(g.checksums)
	if err != nil {
		return nil, badGem("its %s cannot be read", checksumsFile)
	}
	w := &walk{left: maxVisits}
	for _, file := range []string{metadataFile, dataFile} {
		for algorithm, sum := range map[string]string{"SHA256": g.sums[file].sha256, "SHA512": g.sums[file].sha512} {
			said := w.text(w.get(w.get(root, algorithm), file))
			if said != "" && !strings.EqualFold(said, sum) {
				return nil, registry.Errorf(registry.Mismatch, "the gem's %s does not have the %s that its %s says", file, algorithm, checksumsFile)
			}
		}
	}
	return g.spec, nil
}

package npm

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"

	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/storage"
)

// The bounds of what a tarball may unpack to. They are far beyond what can be
// installed in earnest, and end what was made to keep a server busy.
const (
	maxEntries  = 250_000
	maxUnpacked = 4 << 30
	// maxReadme is how much of a README is kept, in bytes.
	maxReadme = 64 << 10
)

// tarball is a package's archive: stored, and looked into on the way.
type tarball struct {
	attachment
	// length is what the body says of its length in bytes; -1 when it does
	// not.
	length int64
	facts  archive
}

// archive is what an archive says of itself.
type archive struct {
	// manifest is its package.json.
	manifest json.RawMessage
	// files and unpackedSize count its files and their bytes.
	files        int
	unpackedSize int64
	// shrinkwrap tells that it has an npm-shrinkwrap.json.
	shrinkwrap bool
	// readme is the beginning of its README, readmeFile that file's name.
	readme, readmeFile string
}

// receiveAttachment stores an attachment: the tarball in base64, and the
// provenance attestation, whose JSON is written as it is.
func receiveAttachment(r *protocols.Request) receive {
	return func(s *scanner, b *body, name string) error {
		switch {
		case strings.HasSuffix(name, ".tgz") && b.tarball == nil:
			b.tarball = &tarball{attachment: attachment{name: name}, length: -1}
			return b.tarball.receive(r, s)
		case strings.HasSuffix(name, ".sigstore") && b.provenance == nil:
			b.provenance = &attachment{name: name}
			return b.provenance.receiveText(r, s)
		}
		return registry.FieldErrorf("_attachments", "the attachment %.200q is not wanted: a publish has one .tgz and at most one .sigstore", name)
	}
}

func (t *tarball) receive(r *protocols.Request, s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "data":
			if t.content != nil {
				return registry.FieldErrorf("_attachments", "the attachment's data is there twice")
			}
			text, err := s.stream()
			if err != nil {
				return err
			}
			t.content, t.facts, err = storeTarball(r, text)
			return err
		case "length":
			raw, err := s.raw()
			if err != nil {
				return err
			}
			if json.Unmarshal(raw, &t.length) != nil || t.length < 0 {
				return registry.FieldErrorf("_attachments", "the attachment's length %.40q is no length", raw)
			}
			return nil
		}
		return s.skip()
	})
}

// maxProvenance is the longest attestation in bytes.
const maxProvenance = 4 << 20

func (a *attachment) receiveText(r *protocols.Request, s *scanner) error {
	return s.object(func(key string) error {
		if key != "data" || a.content != nil {
			return s.skip()
		}
		text, err := s.stream()
		if err != nil {
			return err
		}
		a.content, err = r.Registry.Store(r.Context(), &boundedReader{r: text, left: maxProvenance}, -1, 0)
		return err
	})
}

// boundedReader refuses what goes on beyond the bound.
type boundedReader struct {
	r    io.Reader
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

// storeTarball decodes, hashes and stores a tarball, and looks into it at the
// same time: its bytes pass by once.
func storeTarball(r *protocols.Request, text io.Reader) (*registry.Stored, archive, error) {
	type inspection struct {
		archive
		err error
	}
	pr, pw := io.Pipe()
	done := make(chan inspection, 1)
	go func() {
		a, err := inspectGuarded(pr)
		// An archive that is no good ends the upload; one that is good may
		// be followed by something that tar does not look at.
		pr.CloseWithError(err)
		done <- inspection{a, err}
	}()
	plain := &base64Reader{base64.NewDecoder(base64.StdEncoding, text)}
	content, err := r.Registry.Store(r.Context(), io.TeeReader(plain, pw), -1, storage.SHA512|storage.SHA1)
	pw.CloseWithError(err) // without an error: the end
	seen := <-done
	if err != nil {
		return nil, archive{}, err
	}
	return content, seen.archive, seen.err
}

// base64Reader fills the buffers it is given, which the decoder does not: it
// decodes less than a kilobyte at a time.
type base64Reader struct{ r io.Reader }

func (b *base64Reader) Read(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = b.r.Read(p[n:])
		n += m
	}
	if _, corrupt := errors.AsType[base64.CorruptInputError](err); corrupt || errors.Is(err, io.ErrUnexpectedEOF) {
		return n, registry.FieldErrorf("_attachments", "the attachment is not base64")
	}
	if n > 0 && errors.Is(err, io.EOF) {
		return n, nil // the decoder says so again
	}
	return n, err
}

// inspectGuarded is inspect for a goroutine of its own, where a panic would
// end the server and not only the request.
func inspectGuarded(r io.Reader) (a archive, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("inspect tarball: panic: %v", p)
		}
	}()
	if a, err = inspect(r); err != nil {
		return a, err
	}
	_, err = io.Copy(io.Discard, r)
	return a, err
}

func badTarball(format string, args ...any) error {
	return registry.FieldErrorf("_attachments", "the tarball is no good: "+format, args...)
}

// inspect reads an archive to its end: gzip around tar, everything in one
// folder of any name, with one package.json at its top. Errors: Invalid for
// anything else, TooLarge for more than the bounds above; errors of r as they
// are.
func inspect(r io.Reader) (archive, error) {
	var a archive
	src := &sourceReader{r: r}
	z, err := gzip.NewReader(src)
	if err != nil {
		return a, src.or(badTarball("it is not gzip"))
	}
	unpacked := &boundedReader{r: z, left: maxUnpacked}
	entries := tar.NewReader(unpacked)
	for n := 0; ; n++ {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return a, src.or(tarError(err))
		}
		if n >= maxEntries {
			return a, registry.Errorf(registry.TooLarge, "the tarball has more than %d entries", maxEntries)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := a.add(h, entries); err != nil {
			return a, src.or(tarError(err))
		}
	}
	if a.manifest == nil {
		return a, badTarball("there is no package.json in its top folder")
	}
	// The checksum stands at the end. What follows the archive is nobody's
	// business: gunzip passes over it as well.
	if _, err := io.Copy(io.Discard, unpacked); err != nil && !errors.Is(err, gzip.ErrHeader) {
		return a, src.or(tarError(err))
	}
	return a, nil
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
	return badTarball("%v", err)
}

// add takes one file of the archive in.
func (a *archive) add(h *tar.Header, content io.Reader) error {
	a.files++
	a.unpackedSize += h.Size
	if a.unpackedSize > maxUnpacked {
		return registry.Errorf(registry.TooLarge, "the tarball unpacks to more than %d GiB", maxUnpacked>>30)
	}
	name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
	folder, file, ok := strings.Cut(name, "/")
	if !ok || folder == "" || strings.Contains(file, "/") {
		return nil
	}
	switch {
	case file == "package.json":
		if a.manifest != nil {
			return badTarball("there are several package.json in its top folders")
		}
		return a.readManifest(content)
	case file == "npm-shrinkwrap.json":
		a.shrinkwrap = true
	case betterReadme(file, a.readmeFile):
		return a.readReadme(file, content)
	}
	return nil
}

func (a *archive) readManifest(content io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(content, maxKept+1))
	if err != nil {
		return err
	}
	if len(raw) > maxKept {
		return registry.Errorf(registry.TooLarge, "the tarball's package.json is larger than %d MiB", maxKept>>20)
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if !json.Valid(raw) {
		return badTarball("its package.json is not JSON")
	}
	a.manifest = raw
	return nil
}

func (a *archive) readReadme(file string, content io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(content, maxReadme))
	if err != nil {
		return err
	}
	a.readme, a.readmeFile = protocols.CleanText(string(text)), file
	return nil
}

// betterReadme tells whether a file is a README and shows better than the one
// found so far: Markdown shows best.
func betterReadme(file, sofar string) bool {
	lower := strings.ToLower(file)
	if !strings.HasPrefix(lower, "readme") {
		return false
	}
	rest := lower[len("readme"):]
	if rest != "" && rest[0] != '.' {
		return false
	}
	markdown := rest == ".md" || rest == ".markdown"
	return sofar == "" || markdown && !strings.HasSuffix(strings.ToLower(sofar), ".md")
}

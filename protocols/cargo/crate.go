package cargo

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/pelletier/go-toml/v2"

	"entrepot/protocols"
	"entrepot/registry"
)

// The bounds of what an archive may unpack to. They are far beyond what can be
// built in earnest, and end what was made to keep a server busy.
const (
	maxEntries  = 100_000
	maxUnpacked = 2 << 30
	maxManifest = 1 << 20
	// maxBrackets bounds the nesting of a manifest: the parser calls itself
	// for each level.
	maxBrackets = 50_000
)

// wanted is what the archive of a publish must be, and what is looked for in
// it.
type wanted struct {
	name, version string
	// readme is the path of the file below the crate's folder, or "".
	readme string
}

// archive is what an archive says of itself.
type archive struct {
	manifest     *cargoManifest
	readme       string
	files        int
	unpackedSize int64
}

// cargoManifest is what counts of a Cargo.toml,
// https://doc.rust-lang.org/cargo/reference/manifest.html.
type cargoManifest struct {
	Package struct {
		Name    string `toml:"name"`
		Version string `toml:"version"`
		// The others may be of any shape: only those of the usual one count.
		RustVersion any `toml:"rust-version"`
		Edition     any `toml:"edition"`
	} `toml:"package"`
}

// store stores the archive of a publish and looks into it at the same time:
// its bytes pass by once.
func (w wanted) store(r *protocols.Request, body io.Reader, size int64) (*registry.Stored, archive, error) {
	type inspection struct {
		archive
		err error
	}
	pr, pw := io.Pipe()
	done := make(chan inspection, 1)
	go func() {
		a, err := w.inspectGuarded(pr)
		// An archive that is no good ends the upload.
		pr.CloseWithError(err)
		done <- inspection{a, err}
	}()
	content, err := r.Registry.Store(r.Context(), io.TeeReader(io.LimitReader(body, size), pw), size, 0)
	pw.CloseWithError(err) // without an error: the end
	seen := <-done
	if err != nil {
		return nil, archive{}, err
	}
	if seen.err != nil {
		r.Registry.Discard(r.Context(), content)
		return nil, archive{}, seen.err
	}
	return content, seen.archive, nil
}

// inspectGuarded is inspect for a goroutine of its own, where a panic would
// end the server and not only the request.
func (w wanted) inspectGuarded(r io.Reader) (a archive, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("inspect crate: panic: %v", p)
		}
	}()
	if a, err = w.inspect(r); err != nil {
		return a, err
	}
	_, err = io.Copy(io.Discard, r)
	return a, err
}

func badCrate(format string, args ...any) error {
	return registry.FieldErrorf("crate", "the .crate is no good: "+format, args...)
}

// inspect reads an archive to its end: gzip around tar, everything in the
// folder "name-version", with a Cargo.toml that says the same. Errors: Invalid
// for anything else, TooLarge for more than the bounds above; errors of r as
// they are.
func (w wanted) inspect(r io.Reader) (archive, error) {
	var a archive
	src := &source{r: r}
	z, err := gzip.NewReader(src)
	if err != nil {
		return a, src.or(badCrate("it is not gzip"))
	}
	unpacked := &bounded{r: z, left: maxUnpacked}
	entries := tar.NewReader(unpacked)
	for n := 0; ; n++ {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return a, src.or(archiveError(err))
		}
		if n >= maxEntries {
			return a, registry.Errorf(registry.TooLarge, "the .crate has more than %d entries", maxEntries)
		}
		if err := w.entry(&a, h, entries); err != nil {
			return a, src.or(archiveError(err))
		}
	}
	if a.manifest == nil {
		return a, badCrate("there is no Cargo.toml in its folder %s", w.folder())
	}
	// The checksum stands at the end.
	if _, err := io.Copy(io.Discard, unpacked); err != nil {
		return a, src.or(archiveError(err))
	}
	return a, nil
}

// folder is the one that everything lies in.
func (w wanted) folder() string { return w.name + "-" + w.version }

// entry takes one entry of the archive in.
func (w wanted) entry(a *archive, h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil // holds no file
	}
	file, inside := w.below(h.Name)
	if !inside {
		return badCrate("its entry %.200q does not lie in %s/", h.Name, w.folder())
	}
	switch h.Typeflag {
	case tar.TypeReg:
	case tar.TypeDir:
		return nil
	case tar.TypeSymlink:
		target := path.Join(path.Dir(w.folder()+"/"+file), h.Linkname)
		if _, inside := w.below(target); !inside || path.IsAbs(h.Linkname) {
			return badCrate("its link %.200q leads out of the folder", h.Name)
		}
		return nil
	case tar.TypeLink:
		if _, inside := w.below(h.Linkname); !inside {
			return badCrate("its link %.200q leads out of the folder", h.Name)
		}
		return nil
	default:
		return badCrate("its entry %.200q is neither a file nor a folder", h.Name)
	}
	a.files++
	if a.unpackedSize += h.Size; a.unpackedSize > maxUnpacked {
		return tooMuch
	}
	switch {
	case file == "Cargo.toml":
		return w.readManifest(a, content)
	case w.readme != "" && file == path.Clean(w.readme):
		text, err := io.ReadAll(io.LimitReader(content, maxReadme))
		a.readme = protocols.CleanText(string(text))
		return err
	}
	return nil
}

// below is the path below the crate's folder, "" for the folder itself.
func (w wanted) below(name string) (file string, inside bool) {
	if path.IsAbs(name) || strings.Contains(name, `\`) {
		return "", false
	}
	for segment := range strings.SplitSeq(name, "/") {
		if segment == ".." {
			return "", false
		}
	}
	first, rest, _ := strings.Cut(path.Clean(name), "/")
	return rest, first == w.folder()
}

func (w wanted) readManifest(a *archive, content io.Reader) error {
	if a.manifest != nil {
		return badCrate("it has two Cargo.toml")
	}
	raw, err := io.ReadAll(io.LimitReader(content, maxManifest+1))
	if err != nil {
		return err
	}
	if len(raw) > maxManifest {
		return badCrate("its Cargo.toml is larger than %d bytes", maxManifest)
	}
	if a.manifest, err = parseManifest(raw); err != nil {
		return err
	}
	p := a.manifest.Package
	if p.Name != w.name {
		return badCrate("its Cargo.toml has the name %.100q, the metadata %q", p.Name, w.name)
	}
	if p.Version != w.version {
		return badCrate("its Cargo.toml has the version %.300q, the metadata %q", p.Version, w.version)
	}
	return nil
}

// parseManifest reads a Cargo.toml.
func parseManifest(raw []byte) (*cargoManifest, error) {
	brackets := 0
	for _, c := range raw {
		if c == '[' || c == '{' {
			brackets++
		}
	}
	if brackets > maxBrackets {
		return nil, badCrate("its Cargo.toml has more than %d lists and tables", maxBrackets)
	}
	var m cargoManifest
	if err := toml.Unmarshal(raw, &m); err != nil {
		return nil, badCrate("its Cargo.toml cannot be read: %v", err)
	}
	return &m, nil
}

// rust is the oldest version of Rust the manifest says it takes, or "".
func (m *cargoManifest) rust() string {
	if text, ok := m.Package.RustVersion.(string); ok && rustVersion.MatchString(text) {
		return text
	}
	return ""
}

// edition is the edition of the language the manifest names, or "".
func (m *cargoManifest) edition() string {
	text, _ := m.Package.Edition.(string)
	return protocols.CutText(line(text), 20)
}

var tooMuch = registry.Errorf(registry.TooLarge, "the .crate unpacks to more than %d GiB", maxUnpacked>>30)

// bounded refuses what goes on beyond the bound.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, tooMuch
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

// or is the source's error if it had one, else err.
func (s *source) or(err error) error {
	if s.err != nil {
		return s.err
	}
	return err
}

func archiveError(err error) error {
	if _, ok := errors.AsType[*registry.Error](err); ok {
		return err
	}
	return badCrate("%v", err)
}

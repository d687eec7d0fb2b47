package debian

import (
	"archive/tar"
	"errors"
	"io"
	"path"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// The bounds of what is read of a package. The files it installs are not
// looked into at all.
const (
	// maxControlTar is how many bytes the control member may unpack to,
	// maxControlEntries how many files it may hold.
	maxControlTar     = 16 << 20
	maxControlEntries = 10_000
	// maxControl is the longest control file.
	maxControl = 1 << 20
)

// badPackage refuses an uploaded package.
func badPackage(format string, args ...any) error {
	return registry.FieldErrorf("file", "this is not a Debian package: "+format, args...)
}

// readControl returns the control file of a package (deb(5)). Errors: Invalid
// for anything that is no package or beyond the bounds above; errors of r as
// they are.
func readControl(r io.ReadSeeker, size int64) ([]byte, error) {
	archive, err := newArReader(r, size)
	if err != nil {
		return nil, err
	}
	name, body, err := archive.member()
	if err != nil {
		return nil, endIsBad(err)
	}
	format, err := protocols.ReadLimited(body, 64)
	if err != nil && !errors.Is(err, protocols.ErrTooMuch) {
		return nil, err
	}
	if name != "debian-binary" || !strings.HasPrefix(string(format), "2.0\n") {
		return nil, badPackage("want debian-binary with the format 2.0 first, got %q", name)
	}
	name, body, err = dataMember(archive)
	if err != nil {
		return nil, err
	}
	ending, isControl := strings.CutPrefix(name, "control.tar")
	if !isControl {
		return nil, badPackage("want control.tar after debian-binary, got %q", name)
	}
	control, err := controlFile(body, ending)
	if err != nil {
		return nil, err
	}
	if name, _, err = dataMember(archive); err != nil {
		return nil, err
	}
	if ending, isData := strings.CutPrefix(name, "data.tar"); !isData || !dataEndings[ending] {
		return nil, badPackage("want data.tar after control.tar, got %q", name)
	}
	return control, nil
}

// dataEndings are the compressions dpkg knows of the files to be installed.
var dataEndings = map[string]bool{"": true, ".gz": true, ".xz": true, ".zst": true, ".bz2": true, ".lzma": true}

// dataMember is the next member whose name does not begin with "_": such ones
// are for programs that know them.
func dataMember(a *arReader) (string, io.Reader, error) {
	for {
		name, body, err := a.member()
		if err != nil {
			return "", nil, endIsBad(err)
		}
		if !strings.HasPrefix(name, "_") {
			return name, body, nil
		}
	}
}

func endIsBad(err error) error {
	if errors.Is(err, io.EOF) {
		return badPackage("a member is missing")
	}
	return err
}

// controlFile finds the control file in the control member.
func controlFile(body io.Reader, ending string) ([]byte, error) {
	switch ending {
	case "", ".gz", ".xz", ".zst":
	default:
		return nil, badPackage("the compression of control.tar%s is not supported", ending)
	}
	source := &sourceErrors{r: body}
	unpacked, err := protocols.Unpack(source, ending)
	if err != nil {
		return nil, source.or(badPackage("control.tar%s cannot be read: %v", ending, err))
	}
	defer unpacked.Close()
	archive := tar.NewReader(protocols.LimitUnpacked(unpacked, maxControlTar))
	for range maxControlEntries {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil, badPackage("it has no control file")
		}
		if err != nil {
			return nil, source.or(badPackage("control.tar%s cannot be read: %v", ending, err))
		}
		if h.Typeflag != tar.TypeReg || path.Clean(h.Name) != "control" {
			continue
		}
		control, err := protocols.ReadLimited(archive, maxControl)
		if err != nil {
			return nil, source.or(badPackage("the control file cannot be read: %v", err))
		}
		return control, nil
	}
	return nil, badPackage("control.tar%s has more than %d files", ending, maxControlEntries)
}

// sourceErrors tells errors of the store from those of what lies in it.
type sourceErrors struct {
	r   io.Reader
	err error
}

func (s *sourceErrors) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

func (s *sourceErrors) or(err error) error {
	if s.err != nil {
		return s.err
	}
	return err
}

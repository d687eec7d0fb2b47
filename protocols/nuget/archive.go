package nuget

import (
	"archive/zip"
	"errors"
	"io"
	"path"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// The bounds of what is read of an archive.
const (
	// maxEntries is the most entries.
	maxEntries = 100_000
	// maxReadme is how much of a readme is kept, in bytes.
	maxReadme = 1 << 20
	// maxReadmeFile is the longest readme of which so much is kept.
	maxReadmeFile = 8 << 20
)

// archive is a package's zip.
type archive struct {
	zip *protocols.ZipArchive
	// manifest is what its .nuspec says, raw its bytes as they are.
	manifest *manifest
	raw      []byte
}

// openArchive reads the list of a package's files and its manifest: the one
// .nuspec in its root. Errors: Invalid; errors of content as they are.
func openArchive(content io.ReadSeeker, size int64) (*archive, error) {
	z, err := protocols.OpenZip(content, size)
	if err != nil {
		return nil, blamePackage(err)
	}
	if len(z.File) > maxEntries {
		return nil, badPackage("it has more than %d entries", maxEntries)
	}
	a := &archive{zip: z}
	var found *zip.File
	for _, f := range z.File {
		name := entryPath(f.Name)
		if strings.Contains(name, "/") || !strings.EqualFold(path.Ext(name), ".nuspec") {
			continue
		}
		if found != nil {
			return nil, badPackage("there are two manifests in its root, %.100q and %.100q", found.Name, f.Name)
		}
		found = f
	}
	if found == nil {
		return nil, badPackage("there is no .nuspec in its root")
	}
	if a.raw, err = z.ReadFile(found, maxNuspec); err != nil {
		return nil, blamePackage(err)
	}
	if a.manifest, err = parseNuspec(a.raw); err != nil {
		return nil, err
	}
	return a, nil
}

// file returns the entry at a path that a manifest names, in any case, or nil.
func (a *archive) file(name string) *zip.File {
	if name == "" {
		return nil
	}
	for _, f := range a.zip.File {
		if strings.EqualFold(entryPath(f.Name), name) {
			return f
		}
	}
	return nil
}

// readme is the beginning of the file the manifest names, or "" when it cannot
// be had.
func (a *archive) readme() (string, error) {
	f := a.file(a.manifest.Readme)
	if f == nil {
		return "", nil
	}
	raw, err := a.zip.ReadFile(f, maxReadmeFile)
	if code := registry.CodeOf(err); code == registry.Invalid || code == registry.TooLarge {
		return "", nil // a package without a readme
	}
	if err != nil {
		return "", err
	}
	content := strings.TrimPrefix(string(raw), "\ufeff")
	return protocols.CutText(protocols.CleanText(content), maxReadme), nil
}

// settle drops the files from the manifest that are not in the package.
func (a *archive) settle() {
	for _, name := range []*string{&a.manifest.Icon, &a.manifest.LicenseFile, &a.manifest.Readme} {
		if a.file(*name) == nil {
			*name = ""
		}
	}
}

// entryPath is a path from the archive's root on. Packages made on Windows have
// backslashes.
func entryPath(name string) string {
	name = strings.ReplaceAll(protocols.CleanText(trim(name)), `\`, "/")
	if name == "" {
		return ""
	}
	return strings.TrimPrefix(path.Clean("/"+name), "/")
}

func badPackage(format string, args ...any) error {
	return registry.FieldErrorf("package", "the package is no good: "+format, args...)
}

// blamePackage makes of an archive that is too large, or broken, a bad package:
// for the client it is the file that is wrong, whichever way.
func blamePackage(err error) error {
	e, known := errors.AsType[*registry.Error](err)
	if known && (e.Code == registry.TooLarge || e.Code == registry.Invalid && e.Field == "") {
		return badPackage("%s", e.Message)
	}
	return err
}

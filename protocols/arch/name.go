package arch

import (
	"errors"
	"regexp"
	"strings"

	"entrepot/registry"
)

// The grammars of names; that of packages is makepkg's (PKGBUILD(5)).
var (
	packageName  = regexp.MustCompile(`^[a-zA-Z0-9@_+][a-zA-Z0-9@._+-]*$`)
	architecture = regexp.MustCompile(`^[a-z0-9_]+$`)
	segment      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
)

const (
	maxName  = 200
	maxArch  = 64
	maxGroup = 200
	// everyArch is the architecture of packages that run on all.
	everyArch = "any"
)

func checkName(name string) error {
	if len(name) > maxName || !packageName.MatchString(name) {
		return registry.FieldErrorf("pkgname", "pkgname: %.80q is not the name of a package", name)
	}
	return nil
}

func checkArch(arch string) error {
	if len(arch) > maxArch || !architecture.MatchString(arch) {
		return registry.FieldErrorf("arch", "arch: %.80q is not an architecture", arch)
	}
	return nil
}

// checkGroup tells whether a group can have the name: none, or segments
// divided by slashes.
func checkGroup(group string) error {
	bad := registry.FieldErrorf("group", "%.80q cannot be the name of a group: use letters, digits and ._-, at most %d of them; slashes divide it", group, maxGroup)
	if group == "" {
		return nil
	}
	if len(group) > maxGroup || group == keyFile || group == describeFile {
		return bad
	}
	for s := range strings.SplitSeq(group, "/") {
		if !segment.MatchString(s) {
			return bad
		}
	}
	return nil
}

// place is what a file lies in: a group, and the architecture it was built
// for. Its text is the composite key of files.
type place struct{ group, arch string }

func (p place) key() string { return p.group + "|" + p.arch }

// placeOf reads a composite key.
func placeOf(key string) (place, error) {
	group, arch, ok := strings.Cut(key, "|")
	if !ok {
		return place{}, errors.New("the file has no place")
	}
	return place{group, arch}, nil
}

// path is that of a file below the type's root, in the folder of its
// architecture.
func (p place) path(file string) string {
	if p.group == "" {
		return p.arch + "/" + file
	}
	return p.group + "/" + p.arch + "/" + file
}

// identity is what tells the packages of a group apart.
type identity struct{ name, version, arch string }

// parseIdentity reads the name, version and architecture of a package.
// Errors: Invalid, for the field that is wrong.
func parseIdentity(name, version, arch string) (identity, error) {
	if err := checkName(name); err != nil {
		return identity{}, err
	}
	if err := checkVersion(version); err != nil {
		return identity{}, registry.FieldErrorf("pkgver", "pkgver: %.80q is not a version: %v", version, err)
	}
	return identity{name, version, arch}, checkArch(arch)
}

// stem is the name of the package's file without what tells its compression,
// which two files of one package must not differ in alone.
func (i identity) stem() string { return i.name + "-" + i.version + "-" + i.arch }

// packageEnding stands in file names between the stem and the compression.
const packageEnding = ".pkg.tar"

// file is the package's file name.
func (i identity) file(compression string) string { return i.stem() + packageEnding + compression }

// parseFile reads a file name. A version has exactly one hyphen, a name any
// number.
func parseFile(file string) (identity, error) {
	stem, compression, ok := cutLast(file, packageEnding)
	if !ok || !isCompression(compression) {
		return identity{}, errors.New("this is not the name of a package's file")
	}
	rest, arch, ok := cutLast(stem, "-")
	if !ok {
		return identity{}, errors.New("the file's name has no architecture")
	}
	rest, release, ok := cutLast(rest, "-")
	if !ok {
		return identity{}, errors.New("the file's name has no release")
	}
	name, version, ok := cutLast(rest, "-")
	if !ok {
		return identity{}, errors.New("the file's name has no version")
	}
	return parseIdentity(name, version+"-"+release, arch)
}

func isCompression(ending string) bool {
	return ending == zstdEnding || ending == xzEnding || ending == gzipEnding
}

// cutLast cuts a text at the last separator.
func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}

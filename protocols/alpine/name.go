package alpine

import (
	"errors"
	"regexp"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// The grammars of names; branches and repositories are one segment of a path
// each.
var (
	packageName  = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9+_.-]*$`)
	architecture = regexp.MustCompile(`^[a-z0-9_]+$`)
	segment      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	fileName     = regexp.MustCompile(`^(.+)-([0-9][^-]*(?:-r[0-9]+)?)\.apk$`)
)

const (
	maxName    = 128
	maxArch    = 64
	maxSegment = 100
	// everyArch is the architecture of packages that run on all.
	everyArch = "noarch"
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

// place is where a package lies: a repository of a branch.
type place struct{ branch, repository string }

// parsePlace reads the place from a path.
func parsePlace(p protocols.Params) (place, error) {
	at := place{p["branch"], p["repository"]}
	if err := checkSegment("branch", at.branch); err != nil {
		return place{}, err
	}
	return at, checkSegment("repository", at.repository)
}

func checkSegment(what, name string) error {
	if len(name) > maxSegment || !segment.MatchString(name) || what == "branch" && (name == "key" || name == "keys") {
		return registry.FieldErrorf(what, "%.80q cannot be the name of a %s: use letters, digits and ._-, at most %d of them", name, what, maxSegment)
	}
	return nil
}

// String is the place in paths and as the family of its indexes.
func (p place) String() string { return p.branch + "/" + p.repository }

// key is the composite key of files of an architecture at the place.
func (p place) key(arch string) string { return p.branch + "|" + p.repository + "|" + arch }

// placeOf reads a composite key.
func placeOf(key string) (at place, arch string, err error) {
	parts := strings.Split(key, "|")
	if len(parts) != 3 {
		return place{}, "", errors.New("the file has no place")
	}
	return place{parts[0], parts[1]}, parts[2], nil
}

// identity is what tells the packages of a place and an architecture apart.
type identity struct{ name, version string }

// parseIdentity reads the name and version of a package. Errors: Invalid, for
// the field that is wrong.
func parseIdentity(name, version string) (identity, error) {
	if err := checkName(name); err != nil {
		return identity{}, err
	}
	if err := checkVersion(version); err != nil {
		return identity{}, registry.FieldErrorf("pkgver", "pkgver: %.80q is not a version: %v", version, err)
	}
	return identity{name, version}, nil
}

// file is the package's file name, in which the architecture is not told.
func (i identity) file() string { return i.name + "-" + i.version + ".apk" }

// parseFile reads a file name.
func parseFile(file string) (identity, error) {
	m := fileName.FindStringSubmatch(file)
	if m == nil {
		return identity{}, errors.New("this is not the name of a package's file")
	}
	return parseIdentity(m[1], m[2])
}

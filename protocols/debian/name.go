package debian

import (
	"errors"
	"regexp"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// The grammars of names. Packages and architectures are those of Debian
// policy 5.6; distributions and components are one segment of a path each.
var (
	packageName  = regexp.MustCompile(`^[a-z0-9][a-z0-9+.\-]+$`)
	architecture = regexp.MustCompile(`^[a-z0-9][a-z0-9\-]*$`)
	segment      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+~_\-]*$`)
)

const (
	maxSegment = 100
	maxName    = 200
	// everyArch is the architecture of packages that run on all.
	everyArch = "all"
)

// place is where a package lies: a component of a distribution.
type place struct{ distribution, component string }

// parsePlace reads the place from a path.
func parsePlace(p protocols.Params) (place, error) {
	at := place{strings.TrimSpace(p["distribution"]), strings.TrimSpace(p["component"])}
	if err := checkSegment("distribution", at.distribution); err != nil {
		return place{}, err
	}
	return at, checkSegment("component", at.component)
}

func checkSegment(what, name string) error {
	if len(name) > maxSegment || !segment.MatchString(name) || name == "by-hash" || name == "upload" {
		return registry.FieldErrorf(what, "%q cannot be the name of a %s: use letters, digits and .+~_-, at most %d of them", name, what, maxSegment)
	}
	return nil
}

// key is the place as the composite key of files.
func (p place) key() string { return p.distribution + "|" + p.component }

// placeOf reads a composite key.
func placeOf(key string) (place, error) {
	distribution, component, ok := strings.Cut(key, "|")
	if !ok {
		return place{}, errors.New("the file has no place")
	}
	return place{distribution, component}, nil
}

// pool is the path of a file below the root.
func (p place) pool(file string) string {
	return "pool/" + p.distribution + "/" + p.component + "/" + file
}

// identity is what tells packages of a place apart.
type identity struct{ name, version, arch string }

// parseIdentity reads the name, version and architecture of a package.
// Errors: Invalid, for the field that is wrong.
func parseIdentity(name, version, arch string) (identity, error) {
	if len(name) > maxName || !packageName.MatchString(name) {
		return identity{}, registry.FieldErrorf("Package", "Package: %.80q is not the name of a package", name)
	}
	if err := checkVersion(version); err != nil {
		return identity{}, registry.FieldErrorf("Version", "Version: %.80q is not a version: %v", version, err)
	}
	if len(arch) > maxSegment || !architecture.MatchString(arch) || arch == "any" || arch == "source" {
		return identity{}, registry.FieldErrorf("Architecture", "Architecture: %.80q is not an architecture of a binary package", arch)
	}
	return identity{name, version, arch}, nil
}

// file is the package's file name. It has the epoch: without it two versions
// would have one name.
func (i identity) file() string { return i.name + "_" + i.version + "_" + i.arch + ".deb" }

// parseFile reads a file name.
func parseFile(file string) (identity, error) {
	parts := strings.Split(strings.TrimSuffix(file, ".deb"), "_")
	if !strings.HasSuffix(file, ".deb") || len(parts) != 3 {
		return identity{}, registry.Errorf(registry.NotFound, "there is nothing at this path")
	}
	return parseIdentity(parts[0], parts[1], parts[2])
}

// archOf is the architecture in a file name of ours.
func archOf(file string) string {
	return strings.TrimSuffix(file[strings.LastIndexByte(file, '_')+1:], ".deb")
}

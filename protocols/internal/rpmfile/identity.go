package rpmfile

import (
	"regexp"
	"strconv"
	"strings"

	"entrepot/registry"
)

// The grammars of names. Upper and lower case differ everywhere.
var (
	packageName  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._+\-]*$`)
	versionText  = regexp.MustCompile(`^[A-Za-z0-9._+~^]+$`)
	architecture = regexp.MustCompile(`^[a-z0-9_]+$`)
	segment      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._\-]*$`)
)

const (
	maxName     = 200
	maxVersion  = 100
	maxSegments = 10
)

// MaxGroup is the longest name of a group in bytes.
const MaxGroup = 200

// EveryArch is the architecture of packages that run on all, SourceArch that of
// what packages are built from.
const (
	EveryArch  = "noarch"
	SourceArch = "src"
)

// CheckGroup checks the name of a group of packages, which has slashes in it as
// a path has. isReserved tells which words of paths no segment of it may be.
func CheckGroup(group string, isReserved func(segment string) bool) bool {
	segments := strings.Split(group, "/")
	good := len(group) <= MaxGroup && len(segments) <= maxSegments
	for _, s := range segments {
		good = good && segment.MatchString(s) && !isReserved(s)
	}
	return good
}

// Identity is what tells the packages of a group apart.
type Identity struct {
	Name             string
	Epoch            uint64
	Version, Release string
	Arch             string
}

// Check tells what is wrong with an identity. Error: Invalid.
func (i Identity) Check() error {
	switch {
	case len(i.Name) > maxName || !packageName.MatchString(i.Name):
		return registry.FieldErrorf("name", "name: %.80q is not the name of a package", i.Name)
	case len(i.Version) > maxVersion || !versionText.MatchString(i.Version):
		return registry.FieldErrorf("version", "version: %.80q is not a version", i.Version)
	case len(i.Release) > maxVersion || !versionText.MatchString(i.Release):
		return registry.FieldErrorf("release", "release: %.80q is not a release", i.Release)
	case len(i.Arch) > maxName || !architecture.MatchString(i.Arch):
		return registry.FieldErrorf("arch", "arch: %.80q is not an architecture", i.Arch)
	}
	return nil
}

// VersionString is the version in paths, [epoch-]version-release: neither of
// the latter has a hyphen.
func (i Identity) VersionString() string {
	v := i.Version + "-" + i.Release
	if i.Epoch != 0 {
		v = strconv.FormatUint(i.Epoch, 10) + "-" + v
	}
	return v
}

// FileName is the package's file name.
func (i Identity) FileName() string { return FileName(i.Name, i.VersionString(), i.Arch) }

// FileName is the file name of a package of that version string.
func FileName(name, version, arch string) string { return name + "-" + version + "." + arch + ".rpm" }

// ParseIdentity reads the version in a path, [epoch-]version-release, as that of
// a package for every architecture. Error: Invalid.
func ParseIdentity(name, version string) (Identity, error) {
	id := Identity{Name: name, Arch: EveryArch}
	parts := strings.Split(version, "-")
	if len(parts) == 3 {
		epoch, err := strconv.ParseUint(parts[0], 10, 32)
		if err != nil || strconv.FormatUint(epoch, 10) != parts[0] || epoch == 0 {
			return id, registry.FieldErrorf("version", "version: %.80q does not begin with an epoch", version)
		}
		id.Epoch, parts = epoch, parts[1:]
	}
	if len(parts) != 2 {
		return id, registry.FieldErrorf("version", "version: %.80q is not version-release", version)
	}
	id.Version, id.Release = parts[0], parts[1]
	return id, id.Check()
}

// ArchOf is the architecture in a file name.
func ArchOf(file string) string {
	file = strings.TrimSuffix(file, ".rpm")
	return file[strings.LastIndexByte(file, '.')+1:]
}

// WithEpoch is a version string as clients write it: 1-2.0-3 is 1:2.0-3.
func WithEpoch(version string) string {
	if strings.Count(version, "-") == 2 {
		return strings.Replace(version, "-", ":", 1)
	}
	return version
}

package rpm

import (
	"regexp"
	"strconv"
	"strings"

	"entrepot/protocols"
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
	maxGroup    = 200
	maxSegments = 10
	// everyArch is the architecture of packages that run on all, sourceArch
	// that of what packages are built from.
	everyArch  = "noarch"
	sourceArch = "src"
)

// reserved are words of paths, which no segment of a group is.
var reserved = map[string]bool{"repodata": true, "package": true, "upload": true, "repository.key": true, "repository.json": true}

// groupOf reads the group in the path: "" is the root group. Error: Invalid.
func groupOf(p protocols.Params) (string, error) { return parseGroup(p["group"]) }

// parseGroup checks the name of a group, which has slashes in it as a path
// has.
func parseGroup(group string) (string, error) {
	if group == "" {
		return "", nil
	}
	segments := strings.Split(group, "/")
	good := len(group) <= maxGroup && len(segments) <= maxSegments
	for _, s := range segments {
		good = good && segment.MatchString(s) && !reserved[s] && !strings.HasSuffix(s, repoEnding)
	}
	if !good {
		return "", registry.FieldErrorf("group", "%.80q cannot be the name of a group: use words of letters, digits and ._- with slashes between them, at most %d bytes, and none of repodata, package, upload", group, maxGroup)
	}
	return group, nil
}

// identity is what tells the packages of a group apart.
type identity struct {
	name             string
	epoch            uint64
	version, release string
	arch             string
}

// check tells what is wrong with an identity. Error: Invalid.
func (i identity) check() error {
	switch {
	case len(i.name) > maxName || !packageName.MatchString(i.name):
		return registry.FieldErrorf("name", "name: %.80q is not the name of a package", i.name)
	case len(i.version) > maxVersion || !versionText.MatchString(i.version):
		return registry.FieldErrorf("version", "version: %.80q is not a version", i.version)
	case len(i.release) > maxVersion || !versionText.MatchString(i.release):
		return registry.FieldErrorf("release", "release: %.80q is not a release", i.release)
	case len(i.arch) > maxName || !architecture.MatchString(i.arch):
		return registry.FieldErrorf("arch", "arch: %.80q is not an architecture", i.arch)
	}
	return nil
}

// versionString is the version in paths, [epoch-]version-release: neither of
// the latter has a hyphen.
func (i identity) versionString() string {
	v := i.version + "-" + i.release
	if i.epoch != 0 {
		v = decimal(i.epoch) + "-" + v
	}
	return v
}

// file is the package's file name.
func (i identity) file() string { return fileName(i.name, i.versionString(), i.arch) }

func fileName(name, version, arch string) string { return name + "-" + version + "." + arch + ".rpm" }

// identityOf reads the version in a path, [epoch-]version-release, as that of
// a package for every architecture. Error: Invalid.
func identityOf(name, version string) (identity, error) {
	id := identity{name: name, arch: everyArch}
	parts := strings.Split(version, "-")
	if len(parts) == 3 {
		epoch, err := strconv.ParseUint(parts[0], 10, 32)
		if err != nil || decimal(epoch) != parts[0] || epoch == 0 {
			return id, registry.FieldErrorf("version", "version: %.80q does not begin with an epoch", version)
		}
		id.epoch, parts = epoch, parts[1:]
	}
	if len(parts) != 2 {
		return id, registry.FieldErrorf("version", "version: %.80q is not version-release", version)
	}
	id.version, id.release = parts[0], parts[1]
	return id, id.check()
}

// archOf is the architecture in a file name of ours.
func archOf(file string) string {
	file = strings.TrimSuffix(file, ".rpm")
	return file[strings.LastIndexByte(file, '.')+1:]
}

// location is the path of a package below its group, as an index names it.
func (i identity) location() string {
	return "package/" + i.name + "/" + i.versionString() + "/" + i.arch + "/" + i.file()
}

// below is the path of something in a group below the type's root.
func below(group, path string) string {
	if group == "" {
		return "/" + path
	}
	return "/" + group + "/" + path
}

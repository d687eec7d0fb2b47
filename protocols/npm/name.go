package npm

import (
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"

	"entrepot/protocols"
	"entrepot/registry"
)

// The longest names in bytes.
const (
	maxName    = 214
	maxVersion = 256
	maxTag     = 128
)

// namePart is the rule for a scope without its "@" and for a name without its
// scope.
var namePart = regexp.MustCompile(`^[a-z0-9-][a-z0-9._-]*$`)

// validName tells whether a package can have the name: the rules of
// https://github.com/npm/validate-npm-package-name for new packages, and not
// "-", which is where the API lives.
func validName(name string) bool {
	if len(name) > maxName || name == "node_modules" || name == "favicon.ico" {
		return false
	}
	if scope, rest, scoped := strings.Cut(name, "/"); scoped {
		bare, at := strings.CutPrefix(scope, "@")
		if !at || !namePart.MatchString(bare) {
			return false
		}
		name = rest
	}
	return name != "-" && namePart.MatchString(name)
}

// baseName is the name without its scope.
func baseName(name string) string { return name[strings.IndexByte(name, '/')+1:] }

// cutName takes a package's name off a path whose segments are joined by
// slashes: a first segment that begins with "@" takes the next one along. rest
// is what follows, without a slash in front.
func cutName(path string) (name, rest string) {
	end := strings.IndexByte(path, '/')
	if strings.HasPrefix(path, "@") && end >= 0 {
		if next := strings.IndexByte(path[end+1:], '/'); next >= 0 {
			end += 1 + next
		} else {
			end = -1
		}
	}
	if end < 0 {
		return path, ""
	}
	return path[:end], path[end+1:]
}

// packagePath reads the part of the path that names the package, and what
// follows the name. The name arrives in four spellings: "name",
// "@scope/name", "@scope%2fname" and "%40scope%2Fname"; the router has
// unescaped each segment once. NotFound for what can be no name.
func packagePath(r *protocols.Request) (name, rest string, err error) {
	name, rest = cutName(r.Params["package"])
	if !validName(name) || !wholeSegments(r.URL.EscapedPath()) {
		return "", "", registry.Errorf(registry.NotFound, "Not found")
	}
	return name, rest, nil
}

// packageName is packagePath for routes in which nothing follows the name.
func packageName(r *protocols.Request) (string, error) {
	name, rest, err := packagePath(r)
	if err == nil && rest != "" {
		err = registry.Errorf(registry.NotFound, "Not found")
	}
	return name, err
}

// wholeSegments tells whether every escaped slash of the path joins a scope
// and a name. Escaped once more than that, "@scope%2fname%2fx" is one name
// that nobody can have, and not version x of a package.
func wholeSegments(escapedPath string) bool {
	for segment := range strings.SplitSeq(escapedPath, "/") {
		segment = strings.ToLower(segment)
		switch strings.Count(segment, "%2f") {
		case 0:
		case 1:
			if !strings.HasPrefix(segment, "@") && !strings.HasPrefix(segment, "%40") {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// parseVersion reads a version: strict Semantic Versioning 2.0.0, nothing
// left out and no "v" in front.
func parseVersion(version string) (*semver.Version, bool) {
	if len(version) > maxVersion {
		return nil, false
	}
	v, err := semver.StrictNewVersion(version)
	return v, err == nil
}

// identity is the version by which versions are told apart: build metadata
// counts for nothing, case does. It is the text itself for what is no
// version, which then finds none.
func identity(version string) string {
	plain, _, _ := strings.Cut(version, "+")
	return plain
}

// fileKey is the normalized name of a version's tarball.
func fileKey(name, version string) string { return tarballName(name, identity(version)) }

// tarballName is the file name that clients compute for themselves.
func tarballName(name, version string) string { return baseName(name) + "-" + version + ".tgz" }

// provenanceName is the file name of a version's provenance attestation.
func provenanceName(name, version string) string { return baseName(name) + "-" + version + ".sigstore" }

var (
	tagPattern = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,128}$`)
	// rangePattern is what npm reads as a version range within the letters a
	// tag may have: an optional tilde and "v", one to three numbers or
	// placeholders, and after three of them a prerelease, also the old sort
	// without a hyphen. npm would never look for a tag of that name.
	rangePattern = regexp.MustCompile(`^~?v*([0-9]+|[xX])(\.([0-9]+|[xX])(\.([0-9]+|[xX])(-?[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?)?)?$`)
)

// checkTag refuses names that no dist-tag can have.
func checkTag(tag string) error {
	if !tagPattern.MatchString(tag) || tag == "." || tag == ".." || tag == "~" {
		return registry.FieldErrorf("tag", "%.200q cannot be a dist-tag: use 1 to %d letters, digits and . _ ~ -", tag, maxTag)
	}
	if rangePattern.MatchString(tag) {
		return registry.FieldErrorf("tag", "%q cannot be a dist-tag: npm reads it as a version range", tag)
	}
	return nil
}

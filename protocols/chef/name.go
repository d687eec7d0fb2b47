package chef

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

const maxName = 100

var (
	namePattern    = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	versionPattern = regexp.MustCompile(`^[0-9]+(\.[0-9]+){1,2}$`)
)

// validName tells whether a cookbook can have the name.
func validName(name string) bool { return len(name) <= maxName && namePattern.MatchString(name) }

// fold is the name by which cookbooks are told apart.
func fold(name string) string { return strings.ToLower(name) }

// version is a version of a cookbook: two numbers or three.
type version struct {
	// text is how it was written; 1.2 and 1.2.0 are the same version.
	text    string
	numbers [3]uint32
}

// parseVersion reads a version. ok is false for what is none.
func parseVersion(text string) (v version, ok bool) {
	if !versionPattern.MatchString(text) {
		return v, false
	}
	v.text = text
	for i, part := range strings.Split(text, ".") {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil {
			return v, false
		}
		v.numbers[i] = uint32(n)
	}
	return v, true
}

// normalized is the one form of the version: three numbers.
func (v version) normalized() string {
	return fmt.Sprintf("%d.%d.%d", v.numbers[0], v.numbers[1], v.numbers[2])
}

// sortKey orders versions by their numbers.
func (v version) sortKey() string {
	return registry.SemVerKey(semver.New(uint64(v.numbers[0]), uint64(v.numbers[1]), uint64(v.numbers[2]), "", ""))
}

// latestVersion stands for the highest version in URLs.
const latestVersion = "latest"

// underscored is a version as URLs have it.
func underscored(version string) string { return strings.ReplaceAll(version, ".", "_") }

// findPackage returns the cookbook that the path names, if the viewer may do
// the action to it.
func findPackage(r *protocols.Request, action access.Action) (*ent.Pkg, error) {
	name := r.Params["name"]
	if !validName(name) {
		return nil, registry.Errorf(registry.NotFound, "there is no cookbook %.100q here", name)
	}
	p, err := r.Space.Package(r.Context(), fold(name), action)
	if registry.CodeOf(err) == registry.NotFound {
		return nil, registry.Errorf(registry.NotFound, "there is no cookbook %s here", name)
	}
	return p, err
}

// findVersion returns the cookbook and the normalized version that the path
// names: with dots or underscores, or as the latest.
func findVersion(r *protocols.Request, action access.Action) (*ent.Pkg, string, error) {
	p, err := findPackage(r, action)
	if err != nil {
		return nil, "", err
	}
	text := r.Params["version"]
	if text == latestVersion {
		latest, err := r.Space.Latest(r.Context(), p)
		if err != nil {
			return nil, "", err
		}
		return p, latest.NormalizedVersion, nil
	}
	v, ok := parseVersion(strings.ReplaceAll(text, "_", "."))
	if !ok {
		return nil, "", noVersion(p, text)
	}
	return p, v.normalized(), nil
}

func noVersion(p *ent.Pkg, version string) error {
	return registry.Errorf(registry.NotFound, "the cookbook %s has no version %.100q", p.Name, version)
}

// findFile is findVersion for reading, with the version's archive.
func findFile(r *protocols.Request) (*ent.Pkg, *ent.PackageFile, error) {
	p, version, err := findVersion(r, access.Read)
	if err != nil {
		return nil, nil, err
	}
	f, err := r.Space.File(r.Context(), p, version, archiveKey, "")
	if registry.CodeOf(err) == registry.NotFound {
		return nil, nil, noVersion(p, r.Params["version"])
	}
	return p, f, err
}

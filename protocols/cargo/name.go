package cargo

import (
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

const (
	maxName    = 64
	maxVersion = 256
)

var (
	namePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)
	// devices are file names that Windows keeps for itself.
	devices = regexp.MustCompile(`^(?i:nul|con|aux|prn|com[0-9]|lpt[0-9])$`)
)

// validName tells whether a crate can have the name,
// https://doc.rust-lang.org/cargo/reference/registry-index.html#name-restrictions.
func validName(name string) bool {
	return len(name) <= maxName && namePattern.MatchString(name) && !devices.MatchString(name)
}

// fold is the name by which crates are told apart: letters count without
// case, and "-" and "_" are the same.
func fold(name string) string { return strings.ReplaceAll(strings.ToLower(name), "-", "_") }

// indexPath is where a crate's index file lies: in folders of its first
// letters, so that none gets too full.
func indexPath(name string) string {
	name = strings.ToLower(name)
	switch len(name) {
	case 1, 2:
		return string('0'+rune(len(name))) + "/" + name
	case 3:
		return "3/" + name[:1] + "/" + name
	}
	return name[:2] + "/" + name[2:4] + "/" + name
}

// parseVersion reads a version: Semantic Versioning 2.0.0 to the letter.
func parseVersion(version string) (*semver.Version, bool) {
	if len(version) > maxVersion {
		return nil, false
	}
	v, err := semver.StrictNewVersion(version)
	return v, err == nil
}

// identity is the version by which versions are told apart: build metadata
// counts for nothing.
func identity(version string) string {
	plain, _, _ := strings.Cut(version, "+")
	return plain
}

// fileName is the name of a version's archive.
func fileName(name, version string) string {
	return strings.ToLower(name) + "-" + strings.ToLower(version) + ".crate"
}

// fileKey is the archive's normalized name.
func fileKey(name, version string) string { return fold(name) + "-" + identity(version) + ".crate" }

// findCrate returns the crate that the path names, in any case and with "-"
// for "_", if the viewer may do the action to it.
func findCrate(r *protocols.Request, action access.Action) (*ent.Pkg, error) {
	name := r.Params["crate"]
	if !validName(name) {
		return nil, notFound("crate")
	}
	p, err := r.Space.Package(r.Context(), fold(name), action)
	if registry.CodeOf(err) == registry.NotFound {
		return nil, notFound("crate")
	}
	return p, err
}

// findVersion returns the crate and the version that the path names.
func findVersion(r *protocols.Request, action access.Action) (*ent.Pkg, *ent.PackageVersion, error) {
	p, err := findCrate(r, action)
	if err != nil {
		return nil, nil, err
	}
	version := r.Params["version"]
	if _, valid := parseVersion(version); !valid {
		return nil, nil, notFound("version")
	}
	v, err := r.Space.Version(r.Context(), p, identity(version))
	return p, v, err
}

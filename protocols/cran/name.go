package cran

import (
	"encoding/hex"
	"regexp"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// The grammars of "Writing R Extensions", and of the paths below bin.
var (
	packageName  = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9.]*[a-zA-Z0-9]$`)
	packageVer   = regexp.MustCompile(`^[0-9]+([.-][0-9]+)+$`)
	platformName = regexp.MustCompile(`^[a-z0-9._-]+(/[a-z0-9._-]+)*$`)
	minorVersion = regexp.MustCompile(`^[0-9]+\.[0-9]+$`)
)

// The bounds of names in bytes.
const (
	maxName     = 200
	maxVersion  = 64
	maxPlatform = 100
)

// fold is the name by which packages are told apart: libraries on macOS and
// Windows cannot hold two that differ in case alone.
func fold(name string) string { return strings.ToLower(name) }

func checkName(name string) error {
	if len(name) > maxName || !packageName.MatchString(name) {
		return registry.FieldErrorf("Package", "DESCRIPTION: Package %.80q must begin with a letter, end with a letter or digit, and have letters, digits and dots alone", name)
	}
	return nil
}

func checkVersion(version string) error {
	if len(version) > maxVersion || !packageVer.MatchString(version) {
		return registry.FieldErrorf("Version", "DESCRIPTION: Version %.80q must have at least two parts, which are numbers with . or - between them", version)
	}
	return nil
}

// parts are the numbers of a version, without zeros in front.
func parts(version string) []string {
	all := strings.FieldsFunc(version, func(c rune) bool { return c == '.' || c == '-' })
	for i, p := range all {
		if all[i] = strings.TrimLeft(p, "0"); all[i] == "" {
			all[i] = "0"
		}
	}
	return all
}

// normalize is the one spelling of a version: to R, 1.0-1 and 1.0.1 are equal.
func normalize(version string) string { return strings.Join(parts(version), ".") }

// sortKey is a text in whose order R has the versions: part by part as
// numbers, and with more parts after one that it begins with.
func sortKey(version string) string {
	var k []byte
	for _, p := range parts(version) {
		p = strings.TrimLeft(p, "0")
		k = append(append(k, byte(len(p))), p...)
	}
	return hex.EncodeToString(k)
}

// kind is what a file of a version is: the source, or a binary for a platform
// and a minor version of R.
type kind struct{ platform, rversion string }

func (k kind) isSource() bool { return k == kind{} }

// key is the kind as the composite key of files; "" for sources.
func (k kind) key() string {
	if k.isSource() {
		return ""
	}
	return k.platform + "|" + k.rversion
}

// kindOf reads a composite key.
func kindOf(key string) kind {
	platform, rversion, _ := strings.Cut(key, "|")
	return kind{platform, rversion}
}

// newKind checks a platform and a version of R. Errors: Invalid.
func newKind(platform, rversion string) (kind, error) {
	if len(platform) > maxPlatform || !platformName.MatchString(platform) || strings.Contains("/"+platform+"/", "/../") || strings.Contains("/"+platform+"/", "/./") {
		return kind{}, registry.FieldErrorf("platform", "platform: %.80q is not one: want windows, macosx/big-sur-arm64, linux/bookworm or the like", platform)
	}
	if len(rversion) > maxPlatform || !minorVersion.MatchString(rversion) {
		return kind{}, registry.FieldErrorf("rversion", "rversion: %.80q is not a minor version of R such as 4.2", rversion)
	}
	return kind{platform, rversion}, nil
}

// ending is how files of the kind end.
func (k kind) ending() string {
	switch {
	case k.platform == windows:
		return ".zip"
	case k.platform == macosx, strings.HasPrefix(k.platform, macosx+"/"):
		return ".tgz"
	}
	return ".tar.gz"
}

// The platforms that R has names for.
const (
	windows = "windows"
	macosx  = "macosx"
)

// folder is where files of the kind lie, without a final slash.
func (k kind) folder() string {
	if k.isSource() {
		return "src/contrib"
	}
	return "bin/" + k.platform + "/contrib/" + k.rversion
}

// index names the index of the kind.
func (k kind) index() registry.IndexName {
	if k.isSource() {
		return registry.IndexName{Family: "src"}
	}
	return registry.IndexName{Family: "bin", Member: k.key()}
}

// fileName is the name of a package's file of the kind.
func (k kind) fileName(name, version string) string { return name + "_" + version + k.ending() }

// parseFile reads a file name. Names and versions have no underscore, so there
// is one way to read it.
func (k kind) parseFile(file string) (name, version string, err error) {
	base, ok := strings.CutSuffix(file, k.ending())
	name, version, both := strings.Cut(base, "_")
	if !ok || !both || checkName(name) != nil || checkVersion(version) != nil {
		return "", "", nowhere()
	}
	return name, version, nil
}

// kindIn is the kind that a path means.
func kindIn(p protocols.Params) (kind, error) {
	if _, ok := p["platform"]; !ok {
		return kind{}, nil
	}
	return newKind(p["platform"], p["rversion"])
}

package conan

import (
	"fmt"
	"path"
	"strings"
	"time"

	"entrepot/protocols"
	"entrepot/registry"
)

// place is a revision: of a recipe or, with a package id, of a binary made
// from it. Parts that a path does not name are empty.
type place struct {
	reference
	rrev, packageID, prev string
}

// parsePlace reads reference and revisions of a path. Error: Invalid.
func parsePlace(params protocols.Params) (place, error) {
	ref, err := parseReference(params)
	if err != nil {
		return place{}, err
	}
	at := place{ref, params["rrev"], params["package"], params["prev"]}
	for _, part := range []struct{ param, text string }{
		{"rrev", at.rrev}, {"package", at.packageID}, {"prev", at.prev},
	} {
		if _, asked := params[part.param]; asked && !revision.MatchString(part.text) {
			return at, registry.FieldErrorf(part.param, "%.100q is no revision or package id: they are 1 to 64 letters and digits", part.text)
		}
	}
	return at, nil
}

// key is the composite key of the files of a revision: user/channel/rrev and,
// for a binary, /package/prev. No part holds a slash, so that the keys of all
// that belongs to a thing are those that begin with its own and a slash.
func (at place) key() string {
	if at.packageID == "" {
		return at.recipeKey()
	}
	return at.recipeKey() + "/" + at.packageID + "/" + at.prev
}

// recipeKey is the key of the recipe's revision.
func (at place) recipeKey() string { return at.scope() + "/" + at.rrev }

// placeOf is the inverse of key for a file of the reference's version; user
// and channel are taken from the key.
func placeOf(ref reference, key string) place {
	parts := append(strings.Split(key, "/"), "", "", "", "", "")
	ref.user, ref.channel = unlessNone(parts[0]), unlessNone(parts[1])
	return place{ref, parts[2], parts[3], parts[4]}
}

// within tells whether a file with the key belongs to the thing whose key it
// is, or to anything below it.
func within(key, of string) bool { return key == of || strings.HasPrefix(key, of+"/") }

// The lists that files stand in; see registry.ListedFile.

// recipeList holds the manifests of a recipe's revisions, by their instants.
func recipeList(packageRow int64, ref reference) string {
	return fmt.Sprintf("conan.recipe.revisions:%d/%s/%s", packageRow, ref.version, ref.scope())
}

// packageList holds the manifests of the revisions of one binary of a recipe's
// revision, by their instants.
func packageList(packageRow int64, at place) string {
	return fmt.Sprintf("conan.package.revisions:%d/%s/%s/%s", packageRow, at.version, at.recipeKey(), at.packageID)
}

// packagesList holds those of all its binaries.
func packagesList(packageRow int64, at place) string {
	return fmt.Sprintf("conan.packages:%d/%s/%s", packageRow, at.version, at.recipeKey())
}

// filesList holds the files of a revision, by their paths.
func filesList(packageRow int64, at place) string {
	return fmt.Sprintf("conan.files:%d/%s/%s", packageRow, at.version, at.key())
}

// referenceList holds the manifests of all recipes of an owner, by their
// references.
func referenceList(owner int64) string { return fmt.Sprintf("conan.references:%d", owner) }

// manifestName is the file that completes a revision.
const manifestName = "conanmanifest.txt"

// conaninfoName describes a binary.
const conaninfoName = "conaninfo.txt"

// conanfileName is the recipe.
const conanfileName = "conanfile.py"

// archives are the compressed files of recipes and of binaries, without their
// extensions: a revision has at most one of each.
var archives = map[bool][]string{false: {"conan_export", "conan_sources"}, true: {"conan_package"}}

var extensions = []string{".tgz", ".txz", ".tzst"}

const (
	// maxPath is the longest path of a file in bytes.
	maxPath = 500
	// metadataFolder is where all else lies that a revision carries: logs,
	// signatures, and what plugins put there.
	metadataFolder = "metadata/"
)

// checkPath tells whether a revision can have a file of the path. Error:
// Invalid.
func (at place) checkPath(name string) error {
	if strings.HasPrefix(name, metadataFolder) {
		return checkMetadataPath(name)
	}
	known := []string{manifestName, conanfileName}
	if at.packageID != "" {
		known[1] = conaninfoName
	}
	for _, k := range known {
		if name == k {
			return nil
		}
	}
	if _, ok := at.archive(name); ok {
		return nil
	}
	return registry.FieldErrorf("path", "%.200q is no file of a %s: use %s, an archive or metadata/...", name, at.kind(), strings.Join(known, ", "))
}

func checkMetadataPath(name string) error {
	if len(name) > maxPath || strings.ContainsAny(name, "\\\x00") || path.Clean(name) != name || strings.ToValidUTF8(name, "") != name {
		return registry.FieldErrorf("path", "invalid path %.200q: no empty or dotted segments, no backslashes, at most %d bytes", name, maxPath)
	}
	return nil
}

func (at place) kind() string {
	if at.packageID != "" {
		return "package"
	}
	return "recipe"
}

// archive tells which archive a file is, without its extension.
func (at place) archive(name string) (string, bool) {
	for _, stem := range archives[at.packageID != ""] {
		for _, ext := range extensions {
			if name == stem+ext {
				return stem, true
			}
		}
	}
	return "", false
}

// siblings are the other forms of an archive. The client refuses a revision
// that has more than one.
func (at place) siblings(name string) []string {
	stem, ok := at.archive(name)
	if !ok {
		return nil
	}
	var others []string
	for _, ext := range extensions {
		if stem+ext != name {
			others = append(others, stem+ext)
		}
	}
	return others
}

// timeLayout is the way of the documents to write an instant. Python reads it,
// and the fraction orders uploads of one second.
const timeLayout = "2006-01-02T15:04:05.000000-07:00"

// instant reads what registry.TimeKey has made of a time; the zero time of
// anything else.
func instant(key string) time.Time {
	var micro int64
	if _, err := fmt.Sscanf(key, "%x", &micro); err != nil {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}

package pypi

import (
	"strings"

	"entrepot/registry"
)

// kind is what a distribution is: the form's filetype.
type kind string

// The kinds.
const (
	wheel kind = "bdist_wheel"
	sdist kind = "sdist"
)

// maxFilename is the longest file name in bytes.
const maxFilename = 255

// extensions are the endings of file names that are taken. Eggs, installers
// and the like are not: no client installs them any more.
var extensions = []struct {
	ending string
	kind   kind
}{{".whl", wheel}, {".tar.gz", sdist}, {".zip", sdist}}

// checkFilename holds a file's name against the project and the version it is
// uploaded as, and returns what kind of distribution it is. Error: Invalid,
// also for a name that is none.
//
// https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-name-convention
// https://packaging.python.org/en/latest/specifications/source-distribution-format/#source-distribution-file-name
func checkFilename(file, project string, v version) (kind, error) {
	if !plainFilename(file) {
		return "", registry.FieldErrorf("content", "%.300q cannot be a file's name", file)
	}
	for _, e := range extensions {
		stem, ok := strings.CutSuffix(file, e.ending)
		if !ok {
			continue
		}
		fits := sdistFits
		if e.kind == wheel {
			fits = wheelFits
		}
		if !fits(stem, project, v) {
			return "", registry.FieldErrorf("content", "the file's name %q is not that of a distribution of %s %s", file, project, v)
		}
		return e.kind, nil
	}
	return "", registry.FieldErrorf("content", "%q is neither a wheel (.whl) nor a source distribution (.tar.gz or .zip)", file)
}

// plainFilename tells whether a name holds only what names of distributions
// do: nothing that means something to a path, a page or a shell.
func plainFilename(file string) bool {
	if file == "" || len(file) > maxFilename || file[0] == '.' {
		return false
	}
	for i := range len(file) {
		if c := file[i]; !isAlphanumeric(c) && strings.IndexByte("._-+!", c) < 0 {
			return false
		}
	}
	return true
}

// wheelFits reads {name}-{version}(-{build})?-{python}-{abi}-{platform}.
func wheelFits(stem, project string, v version) bool {
	parts := strings.Split(stem, "-")
	if len(parts) != 5 && len(parts) != 6 {
		return false
	}
	for _, part := range parts {
		if part == "" {
			return false
		}
	}
	if len(parts) == 6 && (parts[2][0] < '0' || parts[2][0] > '9') {
		return false // a build tag begins with a digit
	}
	return fits(parts[0], parts[1], project, v)
}

// sdistFits reads {name}-{version}, where older tools left dashes in both: any
// division that gives the project and its version will do.
func sdistFits(stem, project string, v version) bool {
	for i := range len(stem) {
		if stem[i] == '-' && fits(stem[:i], stem[i+1:], project, v) {
			return true
		}
	}
	return false
}

// fits tells whether a name and a version, as they stand in a file's name, are
// the project's and v. A dash of either stands there as an underscore.
func fits(name, text, project string, v version) bool {
	other, ok := parseVersion(strings.ReplaceAll(text, "_", "-"))
	return ok && normalizeName(name) == project && other.identity() == v.identity()
}

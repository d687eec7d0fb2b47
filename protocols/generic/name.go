package generic

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"entrepot/registry"
)

// maxPart is the longest name, version or file name in bytes.
const maxPart = 255

// coordinates say which file is meant: as spelled, and as compared.
type coordinates struct {
	name, version, file          string
	nameKey, versionKey, fileKey string
}

// parse checks the parts of a path that are there. Error: Invalid, naming the
// part.
func parse(params map[string]string) (coordinates, error) {
	c := coordinates{name: params["name"], version: norm.NFC.String(params["version"]), file: norm.NFC.String(params["file"])}
	if !validName(c.name) {
		return c, registry.FieldErrorf("name", "invalid package name %q: use letters, digits and - _ . +", c.name)
	}
	if _, ok := params["version"]; ok && !validVersion(c.version) {
		return c, registry.FieldErrorf("version", "invalid version %q: no slashes, control characters or outer blanks, at most %d bytes", c.version, maxPart)
	}
	if _, ok := params["file"]; ok && !validFile(c.file) {
		return c, registry.FieldErrorf("file", "invalid file name %q: use letters, digits, blanks and - _ + = : ; . ( ) [ ] { } ~ ! @ # $ %% ^ & ,", c.file)
	}
	c.nameKey, c.versionKey, c.fileKey = fold(c.name), fold(c.version), fold(c.file)
	return c, nil
}

// fold makes texts equal that differ in case or in the composition of their
// characters alone.
func fold(s string) string { return norm.NFC.String(cases.Fold().String(s)) }

func validName(s string) bool {
	if !validLength(s) {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("_-+.", c) >= 0:
		default:
			return false
		}
	}
	return len(s) > 1 || strings.IndexByte("_-+.", s[0]) < 0
}

func validVersion(s string) bool {
	return validLength(s) && strings.TrimSpace(s) == s &&
		strings.IndexFunc(s, func(c rune) bool { return c == '/' || c == '\\' || unicode.IsControl(c) }) < 0
}

func validFile(s string) bool {
	return validLength(s) && strings.TrimSpace(s) == s && strings.IndexFunc(s, func(c rune) bool {
		return !(unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c) || strings.ContainsRune(" -_+=:;.()[]{}~!@#$%^&,", c))
	}) < 0
}

func validLength(s string) bool {
	return s != "" && s != "." && s != ".." && len(s) <= maxPart && utf8.ValidString(s)
}

package protocols

import (
	"bytes"
	"strings"

	"entrepot/registry"
)

// PkginfoFile is the name of the description in packages of pacman and of apk.
const PkginfoFile = ".PKGINFO"

// Pkginfo is such a description: keys with one value or several, in their
// order, none of them empty and none with a control character but tabs.
type Pkginfo map[string][]string

// ParsePkginfo reads a description: a line for each key and value, with an
// equals sign between them. Keys that nobody knows are kept: the programs that
// write them have new ones every other year. Errors: Invalid.
func ParsePkginfo(text []byte) (Pkginfo, error) {
	bad := func(format string, args ...any) error {
		return registry.FieldErrorf(PkginfoFile, PkginfoFile+" is no good: "+format, args...)
	}
	if i := bytes.IndexFunc(text, func(c rune) bool { return c < ' ' && c != '\n' && c != '\t' || c == 0x7f }); i >= 0 {
		return nil, bad("it holds the character %q", text[i])
	}
	p := Pkginfo{}
	for line := range strings.SplitSeq(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" {
			return nil, bad("%.80q is not a key and a value", line)
		}
		if value != "" {
			p[key] = append(p[key], value)
		}
	}
	return p, nil
}

// Only returns the value of a key that must have exactly one: two would be
// read in two ways. Errors: Invalid.
func (p Pkginfo) Only(key string) (string, error) {
	switch values := p[key]; len(values) {
	case 0:
		return "", registry.FieldErrorf(key, "%s has no %s", PkginfoFile, key)
	case 1:
		return values[0], nil
	default:
		return "", registry.FieldErrorf(key, "%s has more than one %s", PkginfoFile, key)
	}
}

// One is the value of a key that has one; of several the last counts.
func (p Pkginfo) One(key string) string {
	values := p[key]
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// Number is the value of a key if it is a decimal number of at most 18 digits,
// else "".
func (p Pkginfo) Number(key string) string {
	value := p.One(key)
	if value == "" || len(value) > 18 || strings.Trim(value, "0123456789") != "" {
		return ""
	}
	return value
}

// URL is the value of the key url if a browser may follow it, else "".
func (p Pkginfo) URL() string { return WebURL(CleanText(p.One("url"))) }

package arch

import (
	"bytes"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// pkginfo is the description in a package: keys with one value or several, in
// their order (.PKGINFO, as makepkg writes it).
type pkginfo map[string][]string

func badInfo(format string, args ...any) error {
	return registry.FieldErrorf(infoFile, infoFile+" is no good: "+format, args...)
}

// once are the keys that tell packages apart: two values of one would be read
// in two ways.
var once = []string{"pkgname", "pkgver", "arch"}

// parseInfo reads a description. Keys that nobody knows are kept as well:
// makepkg has new ones every other year.
func parseInfo(text []byte) (pkginfo, error) {
	if i := bytes.IndexFunc(text, func(c rune) bool { return c < ' ' && c != '\n' && c != '\t' || c == 0x7f }); i >= 0 {
		return nil, badInfo("it holds the character %q", text[i])
	}
	p := pkginfo{}
	for line := range strings.SplitSeq(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case !ok || key == "":
			return nil, badInfo("%.80q is not a key and a value", line)
		case value == "":
			continue
		case value[0] == '%' && value[len(value)-1] == '%':
			// pacman would take it for the heading of another value.
			return nil, registry.FieldErrorf(key, "%.80s: %.80q cannot be a value", key, value)
		}
		p[key] = append(p[key], value)
	}
	for _, key := range once {
		switch len(p[key]) {
		case 0:
			return nil, registry.FieldErrorf(key, "%s has no %s", infoFile, key)
		case 1:
		default:
			return nil, registry.FieldErrorf(key, "%s has more than one %s", infoFile, key)
		}
	}
	return p, nil
}

// one is the value of a key that has one; of several pacman takes the last.
func (p pkginfo) one(key string) string {
	values := p[key]
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// number is the value of a key if it is a number, else "".
func (p pkginfo) number(key string) string {
	value := p.one(key)
	if value == "" || len(value) > 18 || strings.Trim(value, "0123456789") != "" {
		return ""
	}
	return value
}

// url is the address in the description if a browser may follow it.
func (p pkginfo) url() string { return protocols.WebURL(protocols.CleanText(p.one("url"))) }

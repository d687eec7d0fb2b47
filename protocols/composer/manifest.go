package composer

import (
	"bytes"
	"encoding/json"
	"regexp"
	"unicode/utf8"

	"entrepot/protocols"
	"entrepot/registry"
)

// manifest is a composer.json, its values as they were written.
//
// https://getcomposer.org/doc/04-schema.md
type manifest map[string]json.RawMessage

// defaultKind is the type of a package that names none.
const defaultKind = "library"

// kindPattern is the rule for types of packages.
var kindPattern = regexp.MustCompile(`^[a-z0-9-]{1,100}$`)

// links are the members that map packages to versions.
var links = []string{"require", "require-dev", "conflict", "replace", "provide", "suggest"}

func badManifest(field, format string, args ...any) error {
	return registry.FieldErrorf(field, "the "+manifestFile+" is no good: "+format, args...)
}

// parseManifest reads a composer.json, and checks of it what a client could
// not do without. Error: Invalid, with the member that is at fault.
func parseManifest(raw []byte) (manifest, error) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(raw) {
		return nil, badManifest("", "it is not UTF-8")
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, badManifest("", "%v", err)
	}
	if m == nil {
		return nil, badManifest("", "it is not an object")
	}
	if name, ok := m.text("name"); !ok || !validName(name) {
		return nil, badManifest("name", "the name %.300s is none: use vendor/project in lower case, at most %d bytes, and no name of a device", m["name"], maxName)
	}
	if raw, ok := m.member("type"); ok {
		if kind, ok := m.text("type"); !ok || !kindPattern.MatchString(kind) {
			return nil, badManifest("type", "the type %.200s is none: use lower-case letters, digits and -", raw)
		}
	}
	if raw, ok := m.member("license"); ok {
		_, isText := m.text("license")
		if !isText && json.Unmarshal(raw, &[]string{}) != nil {
			return nil, badManifest("license", "the license is neither a text nor a list of texts")
		}
	}
	for _, field := range links {
		if raw, ok := m.member(field); ok && json.Unmarshal(raw, &map[string]string{}) != nil && !isEmptyList(raw) {
			return nil, badManifest(field, "%s does not map names to texts", field)
		}
	}
	return m, nil
}

// isEmptyList tells whether a value is [], as PHP writes an empty map.
func isEmptyList(raw json.RawMessage) bool {
	var list []json.RawMessage
	return json.Unmarshal(raw, &list) == nil && len(list) == 0
}

// member returns a value that is there and is not null.
func (m manifest) member(key string) (json.RawMessage, bool) {
	raw, ok := m[key]
	return raw, ok && string(raw) != "null"
}

// text returns a member that is a text.
func (m manifest) text(key string) (text string, ok bool) {
	raw, ok := m.member(key)
	ok = ok && json.Unmarshal(raw, &text) == nil
	return text, ok
}

// name is the package's; parseManifest has checked it.
func (m manifest) name() string {
	name, _ := m.text("name")
	return name
}

// kind is the package's type.
func (m manifest) kind() string {
	if kind, ok := m.text("type"); ok {
		return kind
	}
	return defaultKind
}

// version reads the version that the manifest has, or the one that the client
// asked for if it has none. Error: Invalid when there is none, when it is no
// version, or when the two are not the same.
func (m manifest) version(asked string) (version, error) {
	var said, wanted version
	raw, has := m.member("version")
	if has {
		text, isText := m.text("version")
		if !isText {
			return said, badManifest("version", "the version %.100s is not a text: put it into quotation marks", raw)
		}
		valid := false
		if said, valid = parseVersion(text); !valid {
			return said, badManifest("version", "%.200q is no version", text)
		}
	}
	if asked != "" {
		valid := false
		if wanted, valid = parseVersion(asked); !valid {
			return wanted, registry.FieldErrorf("version", "%.200q is no version", asked)
		}
	}
	switch {
	case !has && asked == "":
		return said, registry.FieldErrorf("version", "there is no version: put it into the %s, or add ?version= to the address", manifestFile)
	case !has:
		return wanted, nil
	case asked != "" && said.normal != wanted.normal:
		return said, registry.FieldErrorf("version", "the %s has the version %s, the address %s", manifestFile, said.pretty, wanted.pretty)
	}
	return said, nil
}

// object returns a member that is an object; it is empty for any other.
func (m manifest) object(key string) manifest {
	var o manifest
	if json.Unmarshal(m[key], &o) != nil {
		return nil
	}
	return o
}

// line returns a member that is a text as one line for people.
func (m manifest) line(key string) string {
	text, _ := m.text(key)
	return line(text)
}

// maxLine is the longest text that is lifted out of a composer.json, in bytes.
const maxLine = 2000

func line(text string) string {
	return protocols.CutText(protocols.OneLine(protocols.CleanText(text)), maxLine)
}

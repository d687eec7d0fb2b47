package pub

import (
	"encoding/json"
	"unicode/utf8"

	"entrepot/registry"
)

// pubspec is a pubspec.yaml, https://dart.dev/tools/pub/pubspec.
type pubspec struct {
	name, text string
	version    version
	// document is all of it.
	document *yamlObject
	// encoded is the document as JSON.
	encoded json.RawMessage
}

func badPubspec(format string, args ...any) error {
	return registry.FieldErrorf("pubspec", "pubspec.yaml is no good: "+format, args...)
}

// mappings are the members that the client can read as mappings alone: one
// version of another form would spoil the whole listing for it.
var mappings = []string{"dependencies", "dev_dependencies", "dependency_overrides", "environment"}

// parsePubspec reads and checks a pubspec. Every member is kept. Error:
// Invalid.
func parsePubspec(raw []byte) (*pubspec, error) {
	if !utf8.Valid(raw) {
		return nil, badPubspec("it is not UTF-8")
	}
	document, err := parseYAML(raw)
	if err != nil {
		return nil, badPubspec("%v", err)
	}
	p := &pubspec{document: document}
	p.name, _ = document.values["name"].(string)
	if !validName(p.name) {
		return nil, badPubspec("the name %.100q cannot be a package's: use 1 to %d letters, digits and _, no digit first, and no word of the language", p.name, maxName)
	}
	valid := false
	p.text, _ = document.values["version"].(string)
	if p.version, valid = parseVersion(p.text); !valid {
		return nil, badPubspec("the version %.100q is none: it takes three numbers without leading zeros and nothing in front, at most %d bytes", p.text, maxVersion)
	}
	for _, key := range mappings {
		switch document.values[key].(type) {
		case nil, *yamlObject:
		default:
			return nil, badPubspec("%s is not a mapping", key)
		}
	}
	if p.encoded, err = document.MarshalJSON(); err != nil {
		return nil, badPubspec("%v", err)
	}
	return p, nil
}

// string is a member of the document that is a string, or "".
func (p *pubspec) string(key string) string {
	text, _ := p.document.values[key].(string)
	return text
}

// strings are the strings of a member that is a list.
func (p *pubspec) strings(key string) []string {
	list, _ := p.document.values[key].([]any)
	var all []string
	for _, item := range list {
		if text, ok := item.(string); ok {
			all = append(all, text)
		}
	}
	return all
}

// object is a member that is a mapping, an empty one if it is none.
func (p *pubspec) object(key string) *yamlObject {
	if o, ok := p.document.values[key].(*yamlObject); ok {
		return o
	}
	return &yamlObject{}
}

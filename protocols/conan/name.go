package conan

import (
	"regexp"

	"entrepot/protocols"
	"entrepot/registry"
)

// maxReference is the longest reference in bytes.
const maxReference = 200

var (
	// word is a name, a user or a channel; versions may have one character.
	word     = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_+.-]{1,100}$`)
	version  = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_+.-]{0,100}$`)
	revision = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)
)

// none stands for a user or channel that a reference does not have, in paths
// and in keys.
const none = "_"

// reference names a recipe: name/version[@user[/channel]]
// (https://docs.conan.io/2/reference/conanfile/attributes.html#package-reference).
type reference struct{ name, version, user, channel string }

// String is the reference as people and clients write it.
func (ref reference) String() string {
	text := ref.name + "/" + ref.version
	if ref.user != "" {
		text += "@" + ref.user
	}
	if ref.channel != "" {
		text += "/" + ref.channel
	}
	return text
}

// scope is what tells recipes of one name and version apart.
func (ref reference) scope() string { return orNone(ref.user) + "/" + orNone(ref.channel) }

func orNone(s string) string {
	if s == "" {
		return none
	}
	return s
}

func unlessNone(s string) string {
	if s == none {
		return ""
	}
	return s
}

// parseReference reads the reference in a path. Error: Invalid, naming the
// part. Case matters: what one client calls Zlib another may find missing, as
// with the client's own cache.
func parseReference(params protocols.Params) (reference, error) {
	ref := reference{params["name"], params["version"], unlessNone(params["user"]), unlessNone(params["channel"])}
	for _, part := range []struct {
		name, text string
		form       *regexp.Regexp
		optional   bool
	}{
		{"name", ref.name, word, false}, {"version", ref.version, version, false},
		{"user", ref.user, word, true}, {"channel", ref.channel, word, true},
	} {
		if part.optional && part.text == "" {
			continue
		}
		if !part.form.MatchString(part.text) {
			return ref, registry.FieldErrorf(part.name, "invalid %s %.120q: use letters, digits and _ + . -, not one of the last three at the beginning, 2 to 101 in all", part.name, part.text)
		}
	}
	if ref.channel != "" && ref.user == "" {
		return ref, registry.FieldErrorf("channel", "a reference with a channel needs a user")
	}
	if len(ref.String()) > maxReference {
		return ref, registry.FieldErrorf("name", "a reference has at most %d characters", maxReference)
	}
	return ref, nil
}

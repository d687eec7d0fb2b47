package rubygems

import (
	"regexp"
	"strings"

	"entrepot/registry"
)

// The longest texts that stand in index lines, in bytes.
const (
	maxName     = 255
	maxPlatform = 128
)

// rubyPlatform is the platform of gems that run everywhere.
const rubyPlatform = "ruby"

var (
	nameForm     = regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9._-]*\z`)
	platformForm = regexp.MustCompile(`\A[A-Za-z0-9._-]+\z`)
)

// validName tells whether a gem can be called so. The form alone keeps forged
// lines out of the indexes.
func validName(name string) bool {
	return len(name) <= maxName && nameForm.MatchString(name) &&
		strings.ContainsAny(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
}

// fold is what names are told apart by.
func fold(name string) string { return strings.ToLower(name) }

func checkName(field, name string) error {
	if !validName(name) {
		return registry.FieldErrorf(field, "%.100q is no name of a gem", name)
	}
	return nil
}

// platformOf is the platform that a gemspec tells.
func platformOf(text string) (string, error) {
	if text == "" {
		return rubyPlatform, nil
	}
	if len(text) > maxPlatform || !platformForm.MatchString(text) {
		return "", registry.FieldErrorf("platform", "%.100q is no platform", text)
	}
	return text, nil
}

// fullName is how a file of a gem is called, without its extension. It cannot
// be taken apart again: names may hold dashes and digits.
func fullName(name string, v version, platform string) string {
	return name + "-" + v.withPlatform(platform)
}

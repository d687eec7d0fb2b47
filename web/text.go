package web

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"entrepot/web/ui"
)

// displayAddress shortens an address to what tells it from others: host and path.
func displayAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address
	}
	return u.Host + strings.TrimSuffix(u.Path, "/")
}

// visibilityName is a visibility in the middle of a sentence.
func visibilityName(visibility string) string {
	switch visibility {
	case ui.VisibilityLimited:
		return "visible to signed-in users"
	case ui.VisibilityPrivate:
		return "private"
	}
	return "public"
}

// sentence makes a message of the API a sentence: an upper-case start and a full stop.
func sentence(message string) string {
	if message == "" {
		return ""
	}
	r, size := utf8.DecodeRuneInString(message)
	s := string(unicode.ToUpper(r)) + message[size:]
	if last := s[len(s)-1]; last != '.' && last != '?' {
		s += "."
	}
	return s
}

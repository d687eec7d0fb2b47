package web

import (
	"net/url"
	"strings"

	"entrepot/web/ui"
)

// hostOnly is the host, with the port if any, of a base address such as "https://packages.example".
func hostOnly(base string) string {
	_, host, found := strings.Cut(base, "://")
	if !found {
		return base
	}
	return strings.TrimSuffix(host, "/")
}

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

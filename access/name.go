package access

import (
	"slices"
	"strings"
)

// MaxOwnerName is the longest name of an owner in bytes.
const MaxOwnerName = 64

// reservedNames are first segments of the server's own paths.
var reservedNames = []string{
	"-", "admin", "api", "assets", "docs", "favicon.ico", "graphiql", "graphql", "healthz", "login", "logout",
	"metrics", "new", "orgs", "readyz", "robots.txt", "search", "settings", "setup", "sign-in", "sign-out",
	"static", "v1", "v2",
}

// ValidOwnerName tells whether a namespace may have this name: letters and
// digits of ASCII, single '-', '_' or '.' between them, at most MaxOwnerName
// bytes, and no word the server needs for itself. Such names need no escaping
// in any client's URLs.
func ValidOwnerName(name string) bool {
	if name == "" || len(name) > MaxOwnerName || slices.Contains(reservedNames, strings.ToLower(name)) {
		return false
	}
	separator := true
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			separator = false
		case (c == '-' || c == '_' || c == '.') && !separator:
			separator = true
		default:
			return false
		}
	}
	return !separator
}

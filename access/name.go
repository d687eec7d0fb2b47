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
	"static", "t", "v1", "v2",
}

// condaSubdirs are the platforms that conda knows: it takes a URL apart at the
// first of them, and at "t", so that no owner may be called so.
var condaSubdirs = []string{
	"emscripten-32", "emscripten-wasm32", "freebsd-64", "linux-32", "linux-64", "linux-aarch64", "linux-armv6l", "linux-armv7l",
	"linux-loongarch64", "linux-ppc", "linux-ppc64", "linux-ppc64le", "linux-riscv32", "linux-riscv64", "linux-s390x",
	"noarch", "osx-32", "osx-64", "osx-arm64", "wasi-32", "wasi-wasm32", "win-32", "win-64", "win-arm64", "zos-z",
}

// ValidOwnerName tells whether a namespace may have this name: letters and
// digits of ASCII, single '-', '_' or '.' between them, at most MaxOwnerName
// bytes, and no word the server needs for itself. Such names need no escaping
// in any client's URLs.
func ValidOwnerName(name string) bool {
	if name == "" || len(name) > MaxOwnerName {
		return false
	}
	if folded := strings.ToLower(name); slices.Contains(reservedNames, folded) || slices.Contains(condaSubdirs, folded) {
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

package protocols

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"entrepot/access"
	"entrepot/registry"
)

// Route is one endpoint of a type.
type Route struct {
	// Method is the HTTP method; GET serves HEAD as well.
	Method string
	// Pattern is the path below the type's root: segments divided by
	// slashes, each a literal, {name} for exactly one segment, or {name...}
	// for one or more, as many as the rest of the pattern allows. The empty
	// pattern is the root itself.
	Pattern string
	// Action is what the viewer must be allowed on the owner before Handle
	// runs; the package's own visibility is the handler's to check, by
	// getting the package from the space.
	Action access.Action
	// Open routes need no right, and get no space: they say who is calling
	// or answer a ping.
	Open bool
	// SignIn routes serve also requests whose credential is wrong: clients
	// send the old one along when they ask for a new one.
	SignIn bool
	// File names the one file that a request to the route reads, if the
	// request says which: it is then found together with the owner. Only for
	// GET routes; Handle asks the space for the file all the same.
	File func(*Request) (key registry.FilePath, ok bool)
	// Identify, if not nil, finds out who asks where the headers do not say:
	// some clients can put a credential into the URL alone, or carry none to
	// the files that an index names. It returns the anonymous viewer when
	// nothing says. What a URL says is for reads only, a signature for all.
	Identify func(*Request) (access.Viewer, error)
	// Handle answers, or returns the error to be told to the client.
	Handle func(http.ResponseWriter, *Request) error
}

// Params are the parts of a path that a pattern names.
type Params map[string]string

// find returns the first route for the method and path, and its parameters.
// When none fits the method, allowed lists the methods that would.
func find(routes []Route, method string, path []string) (route *Route, params Params, allowed []string) {
	for i := range routes {
		params, ok := match(routes[i].Pattern, path)
		if !ok {
			continue
		}
		if m := routes[i].Method; m == method || m == http.MethodGet && method == http.MethodHead {
			return &routes[i], params, nil
		}
		if !slices.Contains(allowed, routes[i].Method) {
			allowed = append(allowed, routes[i].Method)
		}
	}
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	return nil, nil, allowed
}

// match holds a path's segments against a pattern. The parameters are made
// once it is known to fit: most patterns that are tried do not.
func match(pattern string, path []string) (Params, bool) {
	if pattern == "" {
		return Params{}, len(path) == 0
	}
	if len(path) == 0 {
		return nil, false
	}
	element, rest, more := strings.Cut(pattern, "/")
	after := func(n int) (Params, bool) {
		if !more && n < len(path) {
			return nil, false
		}
		return match(rest, path[n:])
	}
	name, isParam := strings.CutPrefix(element, "{")
	if !isParam {
		if element != path[0] {
			return nil, false
		}
		return after(1)
	}
	name = strings.TrimSuffix(name, "}")
	name, many := strings.CutSuffix(name, "...")
	longest := 1
	if many {
		longest = len(path)
		if more {
			longest -= strings.Count(rest, "/") + 1
		}
	}
	// The longest run first: names may hold the words that follow them.
	for n := longest; n >= 1; n-- {
		if params, ok := after(n); ok {
			params[name] = strings.Join(path[:n], "/")
			return params, true
		}
	}
	return nil, false
}

// SplitPath cuts an escaped URL path into its segments and unescapes each
// once. It reports false for a bad escape, and for one that hides what no name
// has and no database takes: NUL, or bytes that are not UTF-8. Empty segments
// are kept, so that "a//b" is not "a/b"; a final slash gives a final empty
// segment.
func SplitPath(escaped string) ([]string, bool) {
	escaped = strings.TrimPrefix(escaped, "/")
	if escaped == "" {
		return nil, true
	}
	segments := strings.Split(escaped, "/")
	for i, s := range segments {
		decoded, err := url.PathUnescape(s)
		if err != nil || !utf8.ValidString(decoded) || strings.Contains(decoded, "\x00") {
			return nil, false
		}
		segments[i] = decoded
	}
	return segments, true
}

// JoinPath is the escaped path of segments, each escaped whole.
func JoinPath(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

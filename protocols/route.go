package protocols

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"entrepot/access"
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

// match holds a path's segments against a pattern.
func match(pattern string, path []string) (Params, bool) {
	params := Params{}
	var elements []string
	if pattern != "" {
		elements = strings.Split(pattern, "/")
	}
	return params, matchElements(elements, path, params)
}

func matchElements(elements, path []string, params Params) bool {
	if len(elements) == 0 {
		return len(path) == 0
	}
	element, rest := elements[0], elements[1:]
	if len(path) < len(elements) {
		return false
	}
	name, isParam := strings.CutPrefix(element, "{")
	if !isParam {
		return element == path[0] && matchElements(rest, path[1:], params)
	}
	name = strings.TrimSuffix(name, "}")
	name, many := strings.CutSuffix(name, "...")
	if !many {
		params[name] = path[0]
		return matchElements(rest, path[1:], params)
	}
	// The longest run first: names may hold the words that follow them.
	for n := len(path) - len(rest); n >= 1; n-- {
		if matchElements(rest, path[n:], params) {
			params[name] = strings.Join(path[:n], "/")
			return true
		}
	}
	return false
}

// SplitPath cuts an escaped URL path into its segments and unescapes each
// once. It reports false for a bad escape. Empty segments are kept, so that
// "a//b" is not "a/b"; a final slash gives a final empty segment.
func SplitPath(escaped string) ([]string, bool) {
	escaped = strings.TrimPrefix(escaped, "/")
	if escaped == "" {
		return nil, true
	}
	segments := strings.Split(escaped, "/")
	for i, s := range segments {
		decoded, err := url.PathUnescape(s)
		if err != nil {
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

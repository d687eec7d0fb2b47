package vagrant

import (
	"context"
	"net/http"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// Aliases serves what the client asks for at the root of the host when it is
// given a short name, owner/box, and VAGRANT_SERVER_URL: the document of the
// box, and whether its token is good.
type Aliases struct {
	// Packages is the gate and the error path of all types.
	Packages *protocols.Handler
	// Type is the one New made.
	Type *protocols.Type
}

// apiPath is where newer clients ask first. Older ones ask for /owner/box,
// which is also a page for people.
const apiPath = "/api/v2/vagrant/"

// isAuthenticate tells whether an escaped path is one of those at which
// `vagrant cloud auth login` tries its token.
func isAuthenticate(path string) bool {
	return path == "/authenticate" || path == "/api/v1/authenticate" || path == "/api/v2/authenticate"
}

// Serves tells whether a request is for Aliases.
func Serves(r *http.Request) bool {
	path := r.URL.EscapedPath()
	switch {
	case strings.HasPrefix(path, apiPath):
		return true
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return false
	case isAuthenticate(path):
		return true
	}
	return strings.Count(path, "/") == 2 && strings.HasPrefix(r.UserAgent(), "Vagrant/") && prefersJSON(r.Header.Get("Accept"))
}

// prefersJSON tells whether an Accept header names JSON and not HTML.
func prefersJSON(accept string) bool {
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}

// asked is the key of the short name under which a box was asked for.
type asked struct{}

// shortName is the short name under which the request asks for a box, spelled
// as there, or "" when it asks by a URL.
func shortName(ctx context.Context) string {
	name, _ := ctx.Value(asked{}).(string)
	return name
}

// ServeHTTP enters the routes of the type. The viewer is taken from the
// context.
func (h *Aliases) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	if isAuthenticate(path) {
		h.Packages.Dispatch(w, r, h.Type, "", []string{"authenticate"})
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		h.Packages.Refuse(w, r, h.Type, &protocols.StatusError{
			Status: http.StatusMethodNotAllowed,
			Err:    registry.Errorf(registry.Invalid, "boxes are published below %s", protocols.Prefix+"OWNER/"+typeName),
		})
		return
	}
	segments, ok := protocols.SplitPath(strings.TrimPrefix(path, apiPath))
	if !ok || len(segments) != 2 || !validName(segments[1]) {
		h.Packages.Refuse(w, r, h.Type, registry.Errorf(registry.NotFound, "a box is called OWNER/BOX"))
		return
	}
	ctx := context.WithValue(r.Context(), asked{}, segments[0]+"/"+segments[1])
	h.Packages.Dispatch(w, r.WithContext(ctx), h.Type, segments[0], segments[1:])
}

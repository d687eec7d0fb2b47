package container

import (
	"context"
	"net/http"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// Handler serves /v2/. It takes the credential from the request itself: the
// registry tokens of image clients mean nothing elsewhere.
type Handler struct {
	// Packages is the gate and the error path of all types.
	Packages *protocols.Handler
	// Type is the one New made.
	Type *protocols.Type
	// AnonymousRead lets anybody read what is public.
	AnonymousRead bool
}

// Serves tells whether an escaped URL path is for Handler.
func Serves(path string) bool { return path == "/v2" || strings.HasPrefix(path, "/v2/") }

// ServeHTTP takes the path apart from the right, since an image's name may
// hold any of the words that follow it, and hands over to the routes.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	path, ok := protocols.SplitPath(strings.TrimPrefix(r.URL.EscapedPath(), "/v2"))
	for len(path) > 0 && path[len(path)-1] == "" {
		path = path[:len(path)-1]
	}
	root := len(path) == 0 || len(path) == 1 && (path[0] == "token" || path[0] == "_catalog")
	v, c, err := h.identify(r)
	if err == nil && !v.SignedIn() && !h.AnonymousRead && !root {
		err = registry.Errorf(registry.Unauthenticated, "this server asks everybody to sign in")
	}
	ctx := context.WithValue(r.Context(), callerKey{}, c)
	if err != nil {
		ctx = protocols.WithCredentialError(ctx, err)
		v = access.Viewer{}
	}
	r = r.WithContext(access.NewContext(ctx, v))
	switch {
	case !ok:
		h.Packages.Refuse(w, r, h.Type, fault(http.StatusBadRequest, nameInvalid, "the path has a bad escape"))
	case root:
		h.Packages.Dispatch(w, r, h.Type, "", path)
	case err != nil && !wholeName(path):
		h.Packages.Refuse(w, r, h.Type, err)
	case !wholeName(path):
		h.Packages.Refuse(w, r, h.Type, fault(http.StatusNotFound, nameUnknown, "the name of a repository has at least two parts: owner/image"))
	default:
		h.Packages.Dispatch(w, r, h.Type, path[0], path[1:])
	}
}

// wholeName tells whether there is an image between the owner and the words
// that end a path.
func wholeName(path []string) bool {
	if len(path) == 4 && path[1] == "blobs" && path[2] == "uploads" {
		return false
	}
	return len(path) >= 4
}

// request is a request to one repository that has passed the gate.
type request struct {
	*protocols.Request
	// image is the repository's name below its owner.
	image  string
	caller *caller
}

// route is a route to a repository. The gate has asked for the action on the
// owner; here the name and the token's grants are checked.
func route(method, pattern string, a access.Action, handle func(http.ResponseWriter, *request) error) protocols.Route {
	return protocols.Route{Method: method, Pattern: pattern, Action: a, Handle: func(w http.ResponseWriter, pr *protocols.Request) error {
		r := &request{Request: pr, image: pr.Params["image"], caller: callerOf(pr.Context())}
		if err := checkName(pr.Host, pr.OwnerName, r.image); err != nil {
			return err
		}
		if err := r.caller.narrow(pr, r.image, a); err != nil {
			return err
		}
		return handle(w, r)
	}}
}

// about is the route with the file that its requests read.
func about(file func(*protocols.Request) (registry.FilePath, bool), route protocols.Route) protocols.Route {
	route.File = file
	return route
}

// repository returns the package, if the viewer may do the action to it. One
// without any manifest yet is found too: its blobs arrive before.
func (r *request) repository(a access.Action) (*ent.Pkg, error) {
	p, err := r.Space.AnyPackage(r.Context(), r.image)
	if err != nil {
		return nil, err
	}
	if p != nil && r.Space.Can(a, p) {
		return p, nil
	}
	return r.Space.Package(r.Context(), r.image, a)
}

// mayPush refuses who may write to the owner, but not to this repository.
func (r *request) mayPush() error {
	p, err := r.Space.AnyPackage(r.Context(), r.image)
	if err != nil || p == nil || r.Space.Can(access.Write, p) {
		return err
	}
	_, err = r.Space.Package(r.Context(), r.image, access.Write)
	return err
}

// location is the path of something in the repository.
func (r *request) location(segments ...string) string {
	path := append([]string{"v2", r.OwnerName}, strings.Split(r.image, "/")...)
	return protocols.JoinPath(append(path, segments...)...)
}

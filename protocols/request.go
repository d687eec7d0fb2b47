package protocols

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"entrepot/access"
	"entrepot/auth"
	"entrepot/ent"
	"entrepot/registry"
)

// Request is a request to one package type.
type Request struct {
	*http.Request
	// Registry and Auth are the house.
	Registry *registry.Registry
	Auth     *auth.Service
	// Type is the package type asked.
	Type *Type
	// Viewer is who asks.
	Viewer access.Viewer
	// OwnerName is the owner as the path spells it.
	OwnerName string
	// Space is the owner's packages of the type; nil on open routes.
	Space *registry.Space
	// Params are the parts of the path the route's pattern names, each
	// segment unescaped once.
	Params Params
	// BaseURL is the server's public URL without a final slash, as the
	// client knows it.
	BaseURL string
	// SignInRequired tells that the server asks everybody to sign in.
	SignInRequired bool
}

// Anybody tells whether the package, which is one of the space's, can be read
// without signing in.
func (r *Request) Anybody(p *ent.Pkg) bool {
	return !r.SignInRequired && access.Can(access.Viewer{}, access.Read, access.Target{
		OwnerVisibility: access.Visibility(r.Space.Owner.Visibility), PackageVisibility: access.Visibility(p.Visibility),
	})
}

// Root is the public URL of the type's root under the owner, without a final
// slash: the R of the documentation.
func (r *Request) Root() string {
	owner := r.OwnerName
	if r.Space != nil {
		owner = r.Space.Owner.Name
	}
	return r.BaseURL + JoinPath("api", "packages", owner, r.Type.Name)
}

// Handler serves /api/packages/{owner}/{type}/... for all types.
type Handler struct {
	Registry *registry.Registry
	Auth     *auth.Service
	Types    map[string]*Type
	// BaseURL tells the public URL for a request.
	BaseURL func(*http.Request) string
	// SignInRequired tells that the server asks everybody to sign in.
	SignInRequired bool
	Logger         *slog.Logger
}

// Prefix is where Handler is mounted.
const Prefix = "/api/packages/"

// ServeHTTP finds the type and the route, passes the gate and runs the route.
// The viewer is taken from the context.
func (h *Handler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	path, ok := SplitPath(req.URL.EscapedPath()[len(Prefix):])
	if !ok {
		http.Error(w, "the path has a bad escape", http.StatusBadRequest)
		return
	}
	if len(path) < 2 {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	t, rest := h.Types[path[1]], path[2:]
	if name, ending, ok := strings.Cut(path[1], "."); t == nil && ok && len(rest) == 0 {
		if beside := h.Types[name]; beside != nil && slices.Contains(beside.Endings, "."+ending) {
			t, rest = beside, []string{"." + ending}
		}
	}
	if t == nil || t.OwnPaths {
		http.Error(w, "there is no such package type", http.StatusNotFound)
		return
	}
	h.Dispatch(w, req, t, path[0], rest)
}

// Dispatch serves a request whose owner and path below the type's root are
// known: types with URLs of their own enter here.
func (h *Handler) Dispatch(w http.ResponseWriter, req *http.Request, t *Type, owner string, path []string) {
	r := &Request{
		Request: req, Registry: h.Registry, Auth: h.Auth, Type: t,
		Viewer: access.FromContext(req.Context()), OwnerName: owner, BaseURL: h.BaseURL(req), SignInRequired: h.SignInRequired,
	}
	// A final slash means nothing.
	if n := len(path); n > 0 && path[n-1] == "" {
		path = path[:n-1]
	}
	defer h.calm(w, r)
	if err := h.serve(w, r, path); err != nil {
		h.fail(w, r, err)
	}
}

// Answering is a writer that tells whether the answer has begun.
type Answering interface {
	http.ResponseWriter
	Begun() bool
}

// calm makes a panic an internal error, told in the type's dialect, as long as
// nothing else has been. To be deferred.
func (h *Handler) calm(w http.ResponseWriter, r *Request) {
	p := recover()
	if p == nil {
		return
	}
	if a, ok := w.(Answering); !ok || a.Begun() || p == http.ErrAbortHandler {
		panic(p)
	}
	h.fail(w, r, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
}

// Refuse answers a request with an error in the type's dialect, for what a
// handler in front of Dispatch cannot make a path of.
func (h *Handler) Refuse(w http.ResponseWriter, req *http.Request, t *Type, err error) {
	h.fail(w, &Request{
		Request: req, Registry: h.Registry, Auth: h.Auth, Type: t,
		Viewer: access.FromContext(req.Context()), BaseURL: h.BaseURL(req),
	}, err)
}

func (h *Handler) serve(w http.ResponseWriter, r *Request, path []string) error {
	route, params, allowed := find(r.Type.Routes, r.Method, path)
	r.Params = params // a challenge may name what the path asks for
	identified, err := identify(r, route)
	if err != nil {
		return err
	}
	if err := credentialError(r.Context()); err != nil && !identified && (route == nil || !route.SignIn) {
		return err
	}
	if route == nil {
		return h.unrouted(w, r, allowed)
	}
	if !route.Open {
		space, err := h.enter(r, route)
		if err != nil {
			return err
		}
		r.Space = space
	}
	return route.Handle(w, r)
}

// enter passes the gate of a route.
func (h *Handler) enter(r *Request, route *Route) (*registry.Space, error) {
	if route.File != nil {
		if key, ok := route.File(r); ok {
			return h.Registry.EnterFor(r.Context(), r.OwnerName, r.Type.Name, route.Action, key)
		}
	}
	return h.Registry.Enter(r.Context(), r.OwnerName, r.Type.Name, route.Action)
}

// identify lets the route find out who asks, if nothing else has told.
func identify(r *Request, route *Route) (bool, error) {
	if route == nil || route.Identify == nil || r.Viewer.SignedIn() || auth.CarriesCredential(r.Request) {
		return false, nil
	}
	v, err := route.Identify(r)
	if err != nil || !v.SignedIn() {
		return false, err
	}
	r.Viewer = v
	r.Request = r.WithContext(access.NewContext(r.Context(), v))
	return true, nil
}

// unrouted answers a path or method that no route serves, but only to who may
// know the owner.
func (h *Handler) unrouted(w http.ResponseWriter, r *Request, allowed []string) error {
	if _, err := h.Registry.Enter(r.Context(), r.OwnerName, r.Type.Name, access.Read); err != nil {
		return err
	}
	if len(allowed) == 0 {
		return registry.Errorf(registry.NotFound, "there is nothing at this path")
	}
	for _, m := range allowed {
		w.Header().Add("Allow", m)
	}
	return &StatusError{Status: http.StatusMethodNotAllowed, Err: registry.Errorf(registry.Invalid, "the method %s is not allowed here", r.Method)}
}

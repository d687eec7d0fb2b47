package container

import (
	"context"
	"net/http"
	"strings"

	"entrepot/access"
	"entrepot/auth"
	"entrepot/protocols"
	"entrepot/registry"
)

// caller is how a request has identified itself, beside the viewer it speaks
// for. It travels in the request's context.
type caller struct {
	// bearer tells that the request carries a registry token, be it an
	// anonymous one.
	bearer bool
	// grants are the registry token's.
	grants auth.RegistryGrants
	// anonymousRead tells that anybody may read what is public.
	anonymousRead bool
	// problem is why a 401 refuses the token, in the challenge's terms
	// (RFC 6750, section 3.1).
	problem string
}

type callerKey struct{}

func callerOf(ctx context.Context) *caller {
	if c, ok := ctx.Value(callerKey{}).(*caller); ok {
		return c
	}
	return &caller{}
}

// identify finds out who sends the request. Besides what all types understand
// there are registry tokens. The error is for the route to tell.
func (h *Handler) identify(r *http.Request) (access.Viewer, *caller, error) {
	c := &caller{anonymousRead: h.AnonymousRead}
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		v, err := h.Packages.Auth.Identify(r)
		return v, c, err
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "bearer") {
		v, err := h.Packages.Auth.Identify(r)
		return v, c, err
	}
	c.problem = "invalid_token"
	if strings.HasPrefix(strings.TrimSpace(token), auth.TokenPrefix) {
		v, err := h.Packages.Auth.Identify(r)
		if err == nil {
			c.problem = ""
		}
		return v, c, err
	}
	v, grants, err := h.Packages.Auth.CheckRegistryToken(r.Context(), strings.TrimSpace(token))
	if err == nil {
		c.bearer, c.grants, c.problem = true, grants, ""
	}
	return v, c, err
}

// insufficient refuses a token that does not grant what the request needs: the
// client fetches another.
func (c *caller) insufficient() error {
	c.problem = "insufficient_scope"
	return registry.Errorf(registry.Unauthenticated, "the token does not grant what the request needs")
}

// grantFor is the action of a grant that the action on a repository needs.
func grantFor(a access.Action) string {
	switch a {
	case access.Read:
		return "pull"
	case access.Delete:
		return "delete"
	}
	return "push"
}

// narrow holds a request that has passed the gate against the grants of its
// token. Without the grant the token speaks for nobody: what everybody may
// read can be read, and for the rest another token is needed.
func (c *caller) narrow(r *protocols.Request, image string, a access.Action) error {
	if !c.bearer || c.grants.Allow("repository", repositoryName(r.OwnerName, image), grantFor(a)) {
		return nil
	}
	if a != access.Read {
		return c.insufficient()
	}
	r.Viewer = access.Viewer{}
	r.Space.Viewer, r.Space.Role = access.Viewer{}, access.NoRole
	if !c.anonymousRead || !r.Space.Can(access.Read, nil) {
		return c.insufficient()
	}
	return nil
}

// repositoryName is the whole name of a repository.
func repositoryName(owner, image string) string { return strings.ToLower(owner) + "/" + image }

package auth

import (
	"context"
	"net"
	"net/http"
	"strings"

	"entrepot/access"
	"entrepot/registry"
)

// keyHeaders carry a bare token in the manner of one client or another; all
// are understood everywhere.
var keyHeaders = []string{nugetKey, "X-API-Key", "X-Jfrog-Art-Api"}

// nugetKey goes along with the credentials of a source, and people who have
// those put anything into it: tools ask for one. It counts only alone.
const nugetKey = "X-NuGet-ApiKey"

// Identify returns the viewer a request's headers speak for: the anonymous
// one when it carries no credential. Understood are Basic with a password,
// Basic with a token as password or as user name, Bearer, "token T", a bare
// token and the key headers. A credential that is present and wrong is
// Unauthenticated, also where nobody needs one: dropping it silently would
// hide an expired token. Several credentials must speak for the same viewer;
// beside an Authorization, NuGet's key is not looked at.
//
// Cookies are not looked at: a form on another site must not publish.
func (s *Service) Identify(r *http.Request) (access.Viewer, error) {
	return s.identify(r, s.checkToken)
}

// IdentifyClient is Identify for the clients of package types: they may send a
// bearer token as well.
func (s *Service) IdentifyClient(r *http.Request) (access.Viewer, error) {
	return s.identify(r, func(ctx context.Context, token string) (access.Viewer, error) {
		if looksSigned(token) {
			return s.checkBearerToken(ctx, token)
		}
		return s.checkToken(ctx, token)
	})
}

// checkFunc returns the viewer of what a client presents as a token.
type checkFunc func(ctx context.Context, token string) (access.Viewer, error)

func (s *Service) identify(r *http.Request, bearer checkFunc) (access.Viewer, error) {
	var found []access.Viewer
	for _, header := range keyHeaders {
		if header == nugetKey && len(r.Header.Values("Authorization")) > 0 {
			continue
		}
		if key := r.Header.Get(header); key != "" {
			v, err := s.checkToken(r.Context(), key)
			if err != nil {
				return access.Viewer{}, err
			}
			found = append(found, v)
		}
	}
	for _, value := range r.Header.Values("Authorization") {
		v, err := s.authorization(r, value, bearer)
		if err != nil {
			return access.Viewer{}, err
		}
		found = append(found, v)
	}
	for _, v := range found {
		if v.UserID != found[0].UserID || v.CredentialID != found[0].CredentialID {
			return access.Viewer{}, registry.Errorf(registry.Unauthenticated, "the request carries credentials of different accounts")
		}
	}
	if len(found) == 0 {
		return access.Viewer{}, nil
	}
	return found[0], nil
}

// authorization checks one Authorization header (RFC 9110, section 11.6.2).
func (s *Service) authorization(r *http.Request, value string, bearer checkFunc) (access.Viewer, error) {
	scheme, rest, _ := strings.Cut(value, " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(scheme) {
	case "basic":
		user, password, ok := (&http.Request{Header: http.Header{"Authorization": {value}}}).BasicAuth()
		if !ok {
			return access.Viewer{}, registry.Errorf(registry.Unauthenticated, "the Basic credential cannot be read")
		}
		return s.basic(r, user, password)
	case "bearer":
		return bearer(r.Context(), rest)
	case "token":
		return s.checkToken(r.Context(), rest)
	}
	if rest == "" {
		return s.checkToken(r.Context(), scheme)
	}
	return access.Viewer{}, registry.Errorf(registry.Unauthenticated, "there is no authentication scheme %q here", scheme)
}

func (s *Service) basic(r *http.Request, user, password string) (access.Viewer, error) {
	switch {
	case strings.HasPrefix(password, TokenPrefix):
		// Whatever stands for the user name: "__token__", an e-mail, nothing.
		return s.checkToken(r.Context(), password)
	case strings.HasPrefix(user, TokenPrefix) && (password == "" || password == "x-oauth-basic"):
		return s.checkToken(r.Context(), user)
	}
	u, err := s.CheckPassword(r.Context(), user, password, clientAddress(r))
	if err != nil {
		return access.Viewer{}, err
	}
	return viewer(u, nil), nil
}

// clientAddress is the peer's address without its port.
func clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// CarriesCredential tells whether a request's headers carry a credential that
// Identify would look at, a good or a bad one.
func CarriesCredential(r *http.Request) bool {
	if r.Header.Get("Authorization") != "" {
		return true
	}
	for _, header := range keyHeaders {
		if r.Header.Get(header) != "" {
			return true
		}
	}
	return false
}

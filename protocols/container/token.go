package container

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/auth"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

const (
	// maxScopes bounds what one token is asked for.
	maxScopes = 100
	// maxTokenForm is the largest body of a token request in bytes.
	maxTokenForm = 64 << 10
)

// tokenAnswer is what both forms of the token endpoint answer.
type tokenAnswer struct {
	Token        string `json:"token"`
	AccessToken  string `json:"access_token"`
	ExpiresIn    int    `json:"expires_in"`
	IssuedAt     string `json:"issued_at"`
	RefreshToken string `json:"refresh_token,omitempty"`
}

// getToken gives who signs in with Basic, or nobody, a registry token
// (https://distribution.github.io/distribution/spec/auth/token/).
func getToken(w http.ResponseWriter, r *protocols.Request) error {
	return answerToken(w, r, r.URL.Query()["scope"], "")
}

// postToken does the same for a form with a password or a refresh token
// (https://distribution.github.io/distribution/spec/auth/oauth/).
func postToken(w http.ResponseWriter, r *protocols.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxTokenForm)
	if err := r.ParseForm(); err != nil {
		return fault(http.StatusBadRequest, unsupported, "the form cannot be read: %v", err)
	}
	form := r.PostForm
	var v access.Viewer
	var err error
	refresh := ""
	switch grant := form.Get("grant_type"); grant {
	case "password":
		// The one parser of credentials knows tokens in place of passwords.
		basic := &http.Request{Header: http.Header{}, RemoteAddr: r.RemoteAddr}
		basic.SetBasicAuth(form.Get("username"), form.Get("password"))
		v, err = r.Auth.Identify(basic.WithContext(r.Context()))
	case "refresh_token":
		refresh = form.Get("refresh_token")
		v, err = r.Auth.CheckRefreshToken(r.Context(), refresh)
	default:
		return fault(http.StatusBadRequest, unsupported, "there is no grant_type %q here", grant)
	}
	if err != nil {
		return err
	}
	r.Viewer = v
	r.Request = r.WithContext(access.NewContext(r.Context(), v))
	if form.Get("access_type") == "offline" && refresh == "" {
		if refresh, err = r.Auth.NewRefreshToken(r.Context()); err != nil {
			return err
		}
	}
	return answerToken(w, r, form["scope"], refresh)
}

// answerToken grants as much of what is asked as the viewer may do. Asking for
// too much is no error: the token then says less.
func answerToken(w http.ResponseWriter, r *protocols.Request, scopes []string, refresh string) error {
	asked, err := parseScopes(scopes)
	if err != nil {
		return err
	}
	grants := auth.RegistryGrants{}
	for _, g := range asked {
		if g.Actions, err = allowed(r, g); err != nil {
			return err
		}
		if len(g.Actions) > 0 {
			g.Name = strings.ToLower(g.Name)
			grants = append(grants, g)
		}
	}
	token, issued, err := r.Auth.NewRegistryToken(r.Context(), grants)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	protocols.WriteJSON(w, r.Request, http.StatusOK, tokenAnswer{
		Token: token, AccessToken: token, RefreshToken: refresh,
		ExpiresIn: int(auth.RegistryTokenLife / time.Second), IssuedAt: issued.Format(time.RFC3339),
	})
	return nil
}

// parseScopes reads what is asked for: "repository:acme/app:pull,push", joined
// by spaces or repeated. What cannot be read grants nothing.
func parseScopes(values []string) (auth.RegistryGrants, error) {
	var asked auth.RegistryGrants
	for _, text := range strings.Fields(strings.Join(values, " ")) {
		typ, rest, _ := strings.Cut(text, ":")
		colon := strings.LastIndexByte(rest, ':')
		if colon < 0 {
			continue
		}
		typ, _, _ = strings.Cut(typ, "(") // "repository(plugin)"
		name, actions := rest[:colon], strings.Split(rest[colon+1:], ",")
		i := slices.IndexFunc(asked, func(g auth.RegistryGrant) bool { return g.Type == typ && g.Name == name })
		if i < 0 {
			if len(asked) == maxScopes {
				return nil, fault(http.StatusBadRequest, unsupported, "a token cannot be for more than %d scopes", maxScopes)
			}
			asked = append(asked, auth.RegistryGrant{Type: typ, Name: name})
			i = len(asked) - 1
		}
		asked[i].Actions = append(asked[i].Actions, actions...)
	}
	return asked, nil
}

// allowed is the part of what is asked that the viewer may do now. It is asked
// again at each use: a token outlives rights, but gives none.
func allowed(r *protocols.Request, asked auth.RegistryGrant) ([]string, error) {
	if asked.Type == "registry" && asked.Name == "catalog" {
		return []string{"*"}, nil
	}
	owner, image, ok := strings.Cut(asked.Name, "/")
	if asked.Type != "repository" || !ok || checkName(r.Host, owner, image) != nil {
		return nil, nil
	}
	if !r.Viewer.SignedIn() && !callerOf(r.Context()).anonymousRead {
		return nil, nil
	}
	var granted []string
	for _, action := range []access.Action{access.Read, access.Write, access.Delete} {
		name := grantFor(action)
		if !slices.Contains(asked.Actions, name) && !slices.Contains(asked.Actions, "*") {
			continue
		}
		may, err := mayInRepository(r.Context(), r.Registry, owner, image, action)
		if err != nil {
			return nil, err
		}
		if may {
			granted = append(granted, name)
		}
	}
	return granted, nil
}

// mayInRepository tells whether the viewer in the context may do the action in
// a repository, which need not exist.
func mayInRepository(ctx context.Context, reg *registry.Registry, owner, image string, a access.Action) (bool, error) {
	_, _, err := enter(ctx, reg, owner, image, a)
	if registry.CodeOf(err) != "" {
		return false, nil
	}
	return err == nil, err
}

// enter opens the space of a repository that is not the request's own, if the
// viewer in the context may do the action there. The package is nil when there
// is none.
func enter(ctx context.Context, reg *registry.Registry, owner, image string, a access.Action) (*registry.Space, *ent.Pkg, error) {
	s, err := reg.Enter(ctx, owner, typeName, a)
	if err != nil {
		return nil, nil, err
	}
	p, err := s.AnyPackage(ctx, image)
	if err == nil && p != nil && !s.Can(a, p) {
		err = registry.Errorf(registry.NotFound, "package not found")
	}
	return s, p, err
}

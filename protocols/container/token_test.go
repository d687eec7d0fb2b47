package container_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/server"
	"entrepot/server/servertest"
)

type tokenAnswer struct {
	Token        string    `json:"token"`
	AccessToken  string    `json:"access_token"`
	ExpiresIn    int       `json:"expires_in"`
	IssuedAt     time.Time `json:"issued_at"`
	RefreshToken string    `json:"refresh_token"`
}

func decodeToken(t *testing.T, res servertest.Response) tokenAnswer {
	t.Helper()
	var a tokenAnswer
	if err := json.Unmarshal([]byte(res.Body), &a); err != nil {
		t.Fatalf("%v: %s", err, res.Body)
	}
	return a
}

func TestTokenFlow(t *testing.T) {
	s := servertest.New(t)
	s.Organization(t, "vault", access.Private)
	push(t, s, root, "1", "")
	push(t, s, "/v2/vault/app", "1", "")
	const open, secret = "/v2/acme/app/manifests/1", "/v2/vault/app/manifests/1"
	res := s.Want(t, 200, "wim", "GET", "/v2/token?account=wim&client_id=docker&offline_token=true&service=x&scope=repository:vault/app:pull", "")
	a := decodeToken(t, res)
	if a.Token == "" || a.Token != a.AccessToken || a.ExpiresIn < 60 || a.ExpiresIn > 3600 || time.Since(a.IssuedAt).Abs() > time.Minute || a.RefreshToken != "" {
		t.Errorf("token %+v", a)
	}
	if res.Header.Get("Cache-Control") != "no-store" {
		t.Error("a token may be cached")
	}
	for _, tt := range []struct {
		name, login, scopes string
		method, path        string
		status              int
		problem             string
	}{
		{"pull what was asked for", "wim", "repository:vault/app:pull", "GET", secret, 200, ""},
		{"ping", "wim", "repository:vault/app:pull", "GET", "/v2/", 200, ""},
		{"pull what anybody may", "wim", "repository:vault/app:pull", "GET", open, 200, ""},
		{"pull what was not asked for", "wim", "repository:acme/app:pull", "GET", secret, 401, "insufficient_scope"},
		{"push with a token to pull", "wim", "repository:acme/app:pull", "POST", root + "/blobs/uploads/", 401, "insufficient_scope"},
		{"delete with a token to push", "wim", "repository:acme/app:pull,push", "DELETE", open, 401, "insufficient_scope"},
		{"push", "wim", "repository:acme/app:pull,push", "POST", root + "/blobs/uploads/", 202, ""},
		{"two scopes", "wim", "repository:acme/app:push repository:vault/app:pull", "GET", secret, 200, ""},
		{"all actions", "wim", "repository:acme/x:*", "POST", "/v2/acme/x/blobs/uploads/", 202, ""},
		{"a reader pushes", "rea", "repository:acme/app:pull,push", "POST", root + "/blobs/uploads/", 403, ""},
		{"a stranger pulls", "out", "repository:vault/app:pull", "GET", secret, 404, ""},
		{"a stranger pushes", "out", "repository:vault/app:pull,push", "POST", "/v2/vault/app/blobs/uploads/", 404, ""},
		{"anybody pulls what is public", "", "repository:acme/app:pull", "GET", open, 200, ""},
		{"anybody pulls what is private", "", "repository:vault/app:pull", "GET", secret, 401, ""},
		{"anybody pushes", "", "repository:acme/app:pull,push", "POST", root + "/blobs/uploads/", 401, ""},
		{"anybody pings", "", "", "GET", "/v2/", 200, ""},
		{"catalog", "wim", "registry:catalog:*", "GET", "/v2/_catalog", 200, ""},
		{"catalog without scope", "wim", "repository:acme/app:pull", "GET", "/v2/_catalog", 401, "insufficient_scope"},
		{"nonsense scope", "wim", "x y:z :: repository:acme/app:pull", "GET", open, 200, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := s.Want(t, tt.status, "", tt.method, tt.path, "", "Authorization", bearer(t, s, tt.login, tt.scopes))
			challenge := res.Header.Get("WWW-Authenticate")
			if tt.problem != "" && !strings.HasSuffix(challenge, `,error="`+tt.problem+`"`) || tt.problem == "" && strings.Contains(challenge, "error=") {
				t.Errorf("challenge %q, want problem %q", challenge, tt.problem)
			}
		})
	}
}

func TestTokenNeedsTheRightCredential(t *testing.T) {
	s := servertest.New(t)
	const path = "/v2/token?scope=repository:acme/app:pull"
	for name, header := range map[string]string{
		"wrong password": "Basic d2ltOndyb25n",
		"wrong token":    "Basic d2ltOmVudC14eA==",
		"unreadable":     "Basic !",
		"wrong bearer":   "Bearer ent-x",
	} {
		t.Run(name, func(t *testing.T) {
			res := s.Want(t, 401, "", "GET", path, "", "Authorization", header)
			refuse(t, res, 401, "UNAUTHORIZED")
			if got := res.Header.Values("WWW-Authenticate"); len(got) != 1 || !strings.HasPrefix(got[0], "Basic ") {
				t.Errorf("challenges %q", got)
			}
		})
	}
}

func TestTokenEndsWithItsParent(t *testing.T) {
	s := servertest.New(t)
	s.SetVisibility(t, "acme", access.Private)
	push(t, s, root, "1", "")
	token := bearer(t, s, "wim", "repository:acme/app:pull,push")
	s.Want(t, 200, "", "GET", root+"/manifests/1", "", "Authorization", token)
	if err := s.Auth().RevokeSecret(t.Context(), s.Tokens["wim"]); err != nil {
		t.Fatal(err)
	}
	res := s.Want(t, 401, "", "GET", root+"/manifests/1", "", "Authorization", token)
	if got := res.Header.Get("WWW-Authenticate"); !strings.HasSuffix(got, `error="invalid_token"`) {
		t.Errorf("challenge %q", got)
	}
	// A right that is gone is gone, whatever the token says.
	token = bearer(t, s, "rea", "repository:acme/app:pull")
	s.Want(t, 200, "", "GET", root+"/manifests/1", "", "Authorization", token)
	if err := s.Registry().RemoveMember(access.SystemContext(t.Context()), "acme", "rea"); err != nil {
		t.Fatal(err)
	}
	refuse(t, s.Do(t, "", "GET", root+"/manifests/1", "", "Authorization", token), 404, "NAME_UNKNOWN")
}

func TestTokenHoldsNoMoreThanItsParent(t *testing.T) {
	s := servertest.New(t)
	push(t, s, root, "1", "")
	s.Tokens["wim"] = s.Token(t, "wim", access.ReadPackage)
	token := bearer(t, s, "wim", "repository:acme/app:pull,push,delete")
	s.Want(t, 200, "", "GET", root+"/manifests/1", "", "Authorization", token)
	refuse(t, s.Do(t, "", "POST", root+"/blobs/uploads/", "", "Authorization", token), 403, "DENIED")
	refuse(t, s.Do(t, "", "DELETE", root+"/manifests/1", "", "Authorization", token), 403, "DENIED")
}

func TestTokenForm(t *testing.T) {
	s := servertest.New(t)
	s.Organization(t, "vault", access.Private)
	push(t, s, "/v2/vault/app", "1", "")
	post := func(status int, values url.Values) servertest.Response {
		t.Helper()
		return s.Want(t, status, "", "POST", "/v2/token", values.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	}
	form := url.Values{
		"grant_type": {"password"}, "service": {host(s)}, "client_id": {"test"}, "scope": {"repository:vault/app:pull"},
		"username": {"wim"}, "password": {servertest.Password},
	}
	a := decodeToken(t, post(200, form))
	if a.RefreshToken != "" {
		t.Error("a refresh token nobody asked for")
	}
	s.Want(t, 200, "", "GET", "/v2/vault/app/manifests/1", "", "Authorization", "Bearer "+a.AccessToken)
	form.Set("access_type", "offline")
	form.Set("password", s.Tokens["wim"])
	a = decodeToken(t, post(200, form))
	if a.RefreshToken == "" {
		t.Fatal("no refresh token")
	}
	// It is for this endpoint alone.
	s.Want(t, 401, "", "GET", "/v2/vault/app/manifests/1", "", "Authorization", "Bearer "+a.RefreshToken)
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.RefreshToken}, "scope": {"repository:vault/app:pull"}}
	a = decodeToken(t, post(200, refresh))
	s.Want(t, 200, "", "GET", "/v2/vault/app/manifests/1", "", "Authorization", "Bearer "+a.AccessToken)
	refresh.Set("refresh_token", a.AccessToken)
	post(401, refresh)
	if err := s.Auth().RevokeSecret(t.Context(), s.Tokens["wim"]); err != nil {
		t.Fatal(err)
	}
	refresh.Set("refresh_token", a.RefreshToken)
	post(401, refresh)
	form.Set("password", "wrong")
	refuse(t, post(401, form), 401, "UNAUTHORIZED")
	form.Set("grant_type", "implicit")
	refuse(t, post(400, form), 400, "UNSUPPORTED")
	post(400, url.Values{"grant_type": {strings.Repeat("x", 100_000)}})
}

func TestWithoutAnonymousRead(t *testing.T) {
	s := servertest.New(t, func(c *server.Config) { c.Auth.AnonymousRead = false })
	push(t, s, root, "1", "")
	anonymous := bearer(t, s, "", "repository:acme/app:pull registry:catalog:*")
	for _, path := range []string{"/v2/", "/v2/_catalog", root + "/manifests/1", root + "/tags/list"} {
		refuse(t, s.Do(t, "", "GET", path, ""), 401, "UNAUTHORIZED")
		refuse(t, s.Do(t, "", "GET", path, "", "Authorization", anonymous), 401, "UNAUTHORIZED")
		s.Want(t, 200, "out", "GET", path, "")
	}
	s.Want(t, 200, "", "GET", root+"/manifests/1", "", "Authorization", bearer(t, s, "out", "repository:acme/app:pull"))
}

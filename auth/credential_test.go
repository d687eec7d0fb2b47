package auth

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/registry"
)

func TestIdentify(t *testing.T) {
	s, ann := registryTokens(t)
	if _, err := s.CreateUser(system(t), NewUser{Login: "bob", Email: "bob@example.com", Password: testPassword}); err != nil {
		t.Fatal(err)
	}
	token := func(login string) string {
		secret, _, err := s.CreateTokenFor(system(t), login, NewToken{Name: "x", Scopes: []access.Scope{access.ReadPackage}})
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	anns, bobs := token("ann"), token("bob")
	unknown := newSecret()
	basic := func(user, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	type header struct{ name, value string }
	for _, tt := range []struct {
		name    string
		headers []header
		// who is the login, followed by a slash for a token; "-" is refused.
		who string
	}{
		{"nothing", nil, ""},
		{"a password", []header{{"Authorization", basic("ann", testPassword)}}, "ann"},
		{"the address and a password", []header{{"Authorization", basic("ann@example.com", testPassword)}}, "ann"},
		{"the scheme in lower case", []header{{"authorization", strings.Replace(basic("ann", testPassword), "Basic", "basic", 1)}}, "ann"},
		{"a token for a password", []header{{"Authorization", basic("ann", anns)}}, "ann/"},
		{"a token for anybody's password", []header{{"Authorization", basic("__token__", anns)}}, "ann/"},
		{"a token for nobody's password", []header{{"Authorization", basic("", anns)}}, "ann/"},
		{"a token for a user name", []header{{"Authorization", basic(anns, "")}}, "ann/"},
		{"a token for a user name, as git has it", []header{{"Authorization", basic(anns, "x-oauth-basic")}}, "ann/"},
		{"Bearer", []header{{"Authorization", "Bearer " + anns}}, "ann/"},
		{"bearer in another case", []header{{"Authorization", "bEARER  " + anns}}, "ann/"},
		{"token", []header{{"Authorization", "token " + anns}}, "ann/"},
		{"a bare token", []header{{"Authorization", anns}}, "ann/"},
		{"NuGet's key", []header{{"X-NuGet-ApiKey", anns}}, "ann/"},
		{"an API key", []header{{"X-API-Key", anns}}, "ann/"},
		{"a key of JFrog's clients", []header{{"X-Jfrog-Art-Api", anns}}, "ann/"},
		{"the same twice", []header{{"Authorization", "Bearer " + anns}, {"X-Api-Key", anns}}, "ann/"},
		{"the same header twice", []header{{"Authorization", "Bearer " + anns}, {"Authorization", basic("x", anns)}}, "ann/"},
		{"two users", []header{{"Authorization", "Bearer " + anns}, {"X-Api-Key", bobs}}, "-"},
		{"a password and a token", []header{{"Authorization", basic("ann", testPassword)}, {"X-Api-Key", anns}}, "-"},
		{"one good and one bad", []header{{"Authorization", "Bearer " + anns}, {"X-Api-Key", unknown}}, "-"},
		{"a password beside anything as NuGet's key", []header{{"Authorization", basic("ann", testPassword)}, {"X-NuGet-ApiKey", "none"}}, "ann"},
		{"a wrong password beside a good key of NuGet's", []header{{"Authorization", basic("ann", "wrong password")}, {"X-NuGet-ApiKey", anns}}, "-"},
		{"anything as NuGet's key", []header{{"X-NuGet-ApiKey", "none"}}, "-"},
		{"a wrong password", []header{{"Authorization", basic("ann", "wrong password")}}, "-"},
		{"no password", []header{{"Authorization", basic("ann", "")}}, "-"},
		{"a token with a password", []header{{"Authorization", basic(anns, testPassword)}}, "-"},
		{"an unknown token", []header{{"Authorization", "Bearer " + unknown}}, "-"},
		{"a token that was cut off", []header{{"Authorization", "Bearer " + anns[:len(anns)-1]}}, "-"},
		{"an empty Bearer", []header{{"Authorization", "Bearer "}}, "-"},
		{"another scheme", []header{{"Authorization", "Digest " + anns}}, "-"},
		{"Basic without a colon", []header{{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("ann"))}}, "-"},
		{"Basic that is no base64", []header{{"Authorization", "Basic !"}}, "-"},
		{"a session's cookie", []header{{"Cookie", "entrepot_session=" + anns}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			for _, h := range tt.headers {
				r.Header.Add(h.name, h.value)
			}
			v, err := s.Identify(r)
			if tt.who == "-" {
				wantCode(t, err, registry.Unauthenticated)
				if v.SignedIn() {
					t.Errorf("viewer %+v", v)
				}
				return
			}
			wantCode(t, err, "")
			login, _, withToken := strings.Cut(tt.who, "/")
			if v.Login != login || (v.CredentialID != 0) != withToken || (v.Scopes != nil) != withToken || v.SignedIn() != (login != "") {
				t.Errorf("viewer %+v, want %q", v, tt.who)
			}
			if login == "ann" && v.UserID != ann.UserID {
				t.Errorf("viewer %+v is not ann", v)
			}
		})
	}
}

// A disabled account's credentials are refused whatever their form.
func TestDisabledIsRefused(t *testing.T) {
	s, _ := registryTokens(t)
	secret, _, err := s.CreateTokenFor(system(t), "ann", NewToken{Name: "x", Scopes: []access.Scope{access.ReadPackage}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetDisabled(system(t), "ann", true); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{
		"Bearer " + secret,
		"Basic " + base64.StdEncoding.EncodeToString([]byte("ann:"+testPassword)),
		"Basic " + base64.StdEncoding.EncodeToString([]byte("ann:"+secret)),
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Authorization", value)
		_, err := s.Identify(r)
		wantCode(t, err, registry.Unauthenticated)
	}
}

// Failures from one address do not count against another.
func TestThrottleByAddress(t *testing.T) {
	s, _ := registryTokens(t)
	try := func(address, password string) error {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = address
		r.SetBasicAuth("ann", password)
		_, err := s.Identify(r)
		return err
	}
	for range maxFailures {
		wantCode(t, try("192.0.2.1:1000", "wrong password"), registry.Unauthenticated)
	}
	wantCode(t, try("192.0.2.1:2000", testPassword), registry.RateLimited)
	wantCode(t, try("[2001:db8::1]:1000", testPassword), "")
}

// FuzzIdentify looks for an Authorization header that is taken for somebody.
func FuzzIdentify(f *testing.F) {
	for _, seed := range []string{"Basic YTpi", "Bearer x", "token", "", "Basic", " ", "ent-", "Bearer ent-x"} {
		f.Add(seed)
	}
	s, _ := registryTokens(f)
	f.Fuzz(func(t *testing.T, value string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header["Authorization"] = []string{value}
		if v, err := s.Identify(r); err == nil || v.SignedIn() {
			t.Errorf("%q is %+v", value, v)
		}
	})
}

// Package servertest starts the whole server for a test: SQLite and local
// storage in temporary folders, every package type, on a loopback port.
package servertest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/auth"
	"entrepot/ent/membership"
	"entrepot/registry"
	"entrepot/server"
)

// Password is every test user's.
const Password = "correct horse battery"

// Server is a running server with some accounts: "root" administers the site,
// "ann" owns the organization "acme", "wim" writes in it, "rea" reads in it,
// and "out" is a stranger to it.
type Server struct {
	*server.Server
	// URL is the server's, without a final slash.
	URL string
	// Tokens holds a token of every user with all package scopes.
	Tokens map[string]string
}

// Logins are the test users.
var Logins = []string{"root", "ann", "wim", "rea", "out"}

// Option changes the configuration before the start.
type Option func(*server.Config)

// New starts a server that is stopped at the end of the test.
func New(tb testing.TB, opts ...Option) *Server {
	tb.Helper()
	c := server.DefaultConfig()
	c.Data = tb.TempDir()
	c.Database.Fast = true
	// Nothing is written behind a test's back while it counts statements.
	c.Limits.Flush = time.Hour
	for _, o := range opts {
		o(&c)
	}
	ctx := access.SystemContext(context.Background())
	srv, err := server.New(ctx, c, slog.New(slog.NewTextHandler(&testLog{tb}, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		tb.Fatal(err)
	}
	web := httptest.NewServer(srv.Handler())
	tb.Cleanup(func() {
		web.Close()
		if err := srv.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	s := &Server{Server: srv, URL: web.URL, Tokens: map[string]string{}}
	for _, login := range Logins {
		_, err := srv.Auth().CreateUser(ctx, auth.NewUser{
			Login: login, Email: login + "@example.com", Password: Password, Admin: login == "root",
		})
		if err != nil {
			tb.Fatal(err)
		}
		s.Tokens[login] = s.Token(tb, login, access.ReadPackage, access.WritePackage, access.DeletePackage)
	}
	s.Organization(tb, "acme", access.Public)
	return s
}

// Token makes a token for the user.
func (s *Server) Token(tb testing.TB, login string, scopes ...access.Scope) string {
	tb.Helper()
	secret, _, err := s.Auth().CreateTokenFor(access.SystemContext(context.Background()), login, auth.NewToken{Name: "test", Scopes: scopes})
	if err != nil {
		tb.Fatal(err)
	}
	return secret
}

// Organization makes an organization with ann as its owner, wim as a writer
// and rea as a reader.
func (s *Server) Organization(tb testing.TB, name string, vis access.Visibility) {
	tb.Helper()
	ctx := access.SystemContext(context.Background())
	if _, err := s.Registry().CreateOrganization(ctx, name, vis, "ann"); err != nil {
		tb.Fatal(err)
	}
	for login, role := range map[string]membership.Role{"wim": membership.RoleWriter, "rea": membership.RoleReader} {
		if _, err := s.Registry().SetMember(ctx, name, login, role); err != nil {
			tb.Fatal(err)
		}
	}
}

// SetVisibility changes an owner's visibility.
func (s *Server) SetVisibility(tb testing.TB, owner string, vis access.Visibility) {
	tb.Helper()
	ctx := access.SystemContext(context.Background())
	if _, err := s.Registry().UpdateOwner(ctx, owner, registry.OwnerChange{Visibility: &vis}); err != nil {
		tb.Fatal(err)
	}
}

// Response is an answer read to its end.
type Response struct {
	*http.Response
	Body string
}

// Do sends a request as the user, or as nobody for "". headers are pairs of
// name and value. Redirects are not followed.
func (s *Server) Do(tb testing.TB, login, method, path, body string, headers ...string) Response {
	tb.Helper()
	target := path
	if !strings.HasPrefix(path, "http") {
		target = s.URL + path
	}
	req, err := http.NewRequestWithContext(tb.Context(), method, target, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	if login != "" {
		req.SetBasicAuth(login, s.Tokens[login])
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return Response{res, string(content)}
}

var client = &http.Client{
	Timeout:       time.Minute,
	Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Want is Do that fails the test unless the status is the wanted one.
func (s *Server) Want(tb testing.TB, status int, login, method, path, body string, headers ...string) Response {
	tb.Helper()
	res := s.Do(tb, login, method, path, body, headers...)
	if res.StatusCode != status {
		tb.Fatalf("%s %s as %q: status %d, want %d; body: %.300s", method, path, login, res.StatusCode, status, res.Body)
	}
	return res
}

type testLog struct{ tb testing.TB }

func (l *testLog) Write(p []byte) (int, error) {
	l.tb.Logf("server: %s", p)
	return len(p), nil
}

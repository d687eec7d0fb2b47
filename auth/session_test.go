package auth

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/registry"
)

// browser is a client with cookies before a server where /in signs ann in,
// /out signs out, and every page says who one is.
type browser struct {
	t   *testing.T
	srv *httptest.Server
	*http.Client
}

func newBrowser(t *testing.T, s *Service, ann access.Viewer) *browser {
	t.Helper()
	m := s.Sessions(false)
	srv := httptest.NewServer(m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		switch r.URL.Path {
		case "/in":
			err = s.SignIn(r.Context(), m, s.db.User.GetX(access.SystemContext(r.Context()), ann.UserID))
		case "/out":
			err = s.SignOut(r.Context(), m)
		}
		v, verr := s.SessionViewer(r.Context(), m)
		if err != nil || verr != nil {
			t.Errorf("%s: %v, %v", r.URL.Path, err, verr)
		}
		if v.CredentialID != 0 || v.Scopes != nil {
			t.Errorf("a session is narrowed: %+v", v)
		}
		w.Write([]byte(v.Login))
	})))
	t.Cleanup(srv.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, srv, &http.Client{Jar: jar}}
}

func (b *browser) get(path string) (who string, set *http.Cookie) {
	b.t.Helper()
	resp, err := b.Get(b.srv.URL + path)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	buf := make([]byte, 64)
	n, _ := resp.Body.Read(buf)
	for _, c := range resp.Cookies() {
		set = c
	}
	return string(buf[:n]), set
}

func (b *browser) cookie() string {
	u, err := url.Parse(b.srv.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.Jar.Cookies(u) {
		return c.Value
	}
	return ""
}

func TestSession(t *testing.T) {
	s, ann := registryTokens(t)
	b := newBrowser(t, s, ann)
	if who, set := b.get("/"); who != "" || set != nil {
		t.Errorf("before signing in: %q, cookie %v", who, set)
	}
	who, set := b.get("/in")
	if who != "ann" {
		t.Errorf("signed in: %q", who)
	}
	if set == nil || !set.HttpOnly || set.SameSite != http.SameSiteLaxMode || set.Secure || set.Name != "entrepot_session" {
		t.Errorf("cookie %v", set)
	}
	if !s.Sessions(true).Cookie.Secure {
		t.Error("over HTTPS the cookie may go in the clear")
	}
	if who, _ := b.get("/"); who != "ann" {
		t.Errorf("the next page: %q", who)
	}
	for _, row := range s.db.Session.Query().AllX(system(t)) {
		if row.Token == b.cookie() || strings.Contains(string(row.Data), b.cookie()) {
			t.Error("the database holds what the cookie holds")
		}
	}
	old := b.cookie()
	if b.get("/in"); b.cookie() == old {
		t.Error("signing in keeps the session's name: one planted before would be good")
	}
	stolen := b.cookie()
	if who, _ := b.get("/out"); who != "" {
		t.Errorf("signed out: %q", who)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{old, stolen, "nonsense"} {
		req.Header.Set("Cookie", "entrepot_session="+value)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.ContentLength != 0 {
			t.Errorf("a session that is over is still good")
		}
	}
}

// Who only looks at pages writes nothing; a session that goes on is renewed now
// and then.
func TestSessionIsNotWrittenByReads(t *testing.T) {
	s, ann := registryTokens(t)
	b := newBrowser(t, s, ann)
	b.get("/in")
	writes := func() int64 {
		_, before := s.db.Statements()
		for range 3 {
			if who, _ := b.get("/"); who != "ann" {
				t.Errorf("who = %q", who)
			}
		}
		_, after := s.db.Statements()
		return after - before
	}
	if n := writes(); n != 0 {
		t.Errorf("three pages wrote %d times", n)
	}
	nearEnd := now().Add(time.Hour)
	s.db.Session.Update().SetExpiresAt(nearEnd).ExecX(system(t))
	if n := writes(); n != 1 {
		t.Errorf("three pages of a session near its end wrote %d times", n)
	}
	if end := s.db.Session.Query().OnlyX(system(t)).ExpiresAt; end.Sub(nearEnd) < 6*24*time.Hour {
		t.Errorf("the session ends at %v", end)
	}
}

// Other servers over the same database know the session; a change of the
// password, or a lock, ends it.
func TestSessionEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*testing.T, *Service, access.Viewer)
	}{
		{"another password", func(t *testing.T, s *Service, ann access.Viewer) {
			wantCode(t, s.SetPassword(as(t, ann), testPassword, "another password"), "")
		}},
		{"a lock", func(t *testing.T, s *Service, _ access.Viewer) {
			if _, err := s.SetDisabled(system(t), "ann", true); err != nil {
				t.Fatal(err)
			}
		}},
		{"its time", func(t *testing.T, s *Service, _ access.Viewer) {
			s.db.Session.Update().SetExpiresAt(now().Add(-time.Second)).ExecX(system(t))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, ann := registryTokens(t)
			b := newBrowser(t, s, ann)
			b.get("/in")
			replica := New(s.db, nil)
			defer replica.Close(t.Context())
			other := newBrowser(t, replica, ann)
			other.Jar = b.Jar
			if who, _ := other.get("/"); who != "ann" {
				t.Errorf("on another server: %q", who)
			}
			tt.end(t, s, ann)
			for _, b := range []*browser{b, other} {
				if who, _ := b.get("/"); who != "" {
					t.Errorf("after the end: %q", who)
				}
			}
		})
	}
}

func TestSweepSessions(t *testing.T) {
	s, _ := registryTokens(t)
	store := &sessionStore{s}
	for name, expiry := range map[string]time.Time{"old": now().Add(-time.Second), "new": now().Add(time.Hour)} {
		if err := store.Commit(name, []byte(name), expiry); err != nil {
			t.Fatal(err)
		}
	}
	if _, found, err := store.Find("old"); found || err != nil {
		t.Errorf("an expired session is found: %v", err)
	}
	if n, err := s.SweepSessions(t.Context()); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if err := store.Commit("new", []byte("changed"), now().Add(time.Hour)); err != nil { // no gob: never the same
		t.Fatal(err)
	}
	if b, found, err := store.Find("new"); string(b) != "changed" || !found || err != nil {
		t.Errorf("%q, %v, %v", b, found, err)
	}
	if err := store.Delete("new"); err != nil {
		t.Fatal(err)
	}
	if _, found, _ := store.Find("new"); found {
		t.Error("a deleted session is found")
	}
}

func TestSetup(t *testing.T) {
	s, _ := registryTokens(t)
	root := NewUser{Login: "root", Email: "root@example.com", Password: testPassword}
	token, err := s.NewSetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if needed, err := s.NeedsSetup(t.Context()); needed || err != nil {
		t.Errorf("with an account: needed %v, %v", needed, err)
	}
	_, err = s.Setup(t.Context(), token, root)
	wantCode(t, err, registry.NotFound)

	s = emptyService(t)
	if needed, err := s.NeedsSetup(t.Context()); !needed || err != nil {
		t.Errorf("without an account: needed %v, %v", needed, err)
	}
	wantCode(t, s.CheckSetupToken(t.Context(), newSecret()), registry.NotFound)
	first, err := s.NewSetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.NewSetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.CheckSetupToken(t.Context(), first), registry.NotFound)
	wantCode(t, s.CheckSetupToken(t.Context(), second), "")
	_, err = s.Setup(t.Context(), first, root)
	wantCode(t, err, registry.NotFound)
	// A typing error does not use it up.
	_, err = s.Setup(t.Context(), second, NewUser{Login: "root", Email: "nonsense", Password: testPassword})
	wantCode(t, err, registry.Invalid)
	u, err := s.Setup(t.Context(), second, root)
	if err != nil || !u.Admin {
		t.Fatalf("%v, %v", u, err)
	}
	wantCode(t, s.CheckSetupToken(t.Context(), second), registry.NotFound)
	_, err = s.Setup(t.Context(), second, NewUser{Login: "other", Email: "other@example.com", Password: testPassword})
	wantCode(t, err, registry.NotFound)
}

// Of many who use the link at the same moment one becomes administrator.
func TestSetupRace(t *testing.T) {
	s := emptyService(t)
	token, err := s.NewSetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const n = 8
	results := make(chan error, n)
	for i := range n {
		login := "root" + string(rune('a'+i))
		go func() {
			_, err := s.Setup(t.Context(), token, NewUser{Login: login, Email: login + "@example.com", Password: testPassword})
			results <- err
		}()
	}
	won := 0
	for range n {
		if err := <-results; err == nil {
			won++
		} else {
			wantCode(t, err, registry.NotFound)
		}
	}
	if users := s.db.User.Query().CountX(system(t)); won != 1 || users != 1 {
		t.Errorf("%d won, %d accounts", won, users)
	}
}

package auth

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"entrepot/access"
	"entrepot/registry"
)

func TestPasswordRules(t *testing.T) {
	for _, tt := range []struct {
		password string
		good     bool
	}{
		{"1234567", false}, {"12345678", true}, {strings.Repeat("x", 256), true}, {strings.Repeat("x", 257), false},
		{"ééééé", true}, {"1234567\xff", false}, {"", false},
	} {
		if err := checkPasswordRules(tt.password); (err == nil) != tt.good || err != nil && registry.CodeOf(err) != registry.Invalid {
			t.Errorf("%q: %v", tt.password, err)
		}
	}
}

func TestCheckPassword(t *testing.T) {
	s, ann := registryTokens(t)
	if u := s.db.User.GetX(system(t), ann.UserID); !strings.HasPrefix(u.PasswordHash, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(u.PasswordHash, testPassword) {
		t.Errorf("the hash is %q", u.PasswordHash)
	}
	for _, tt := range []struct {
		name, login, password string
		good                  bool
	}{
		{"the login name", "ann", testPassword, true},
		{"in any case", "ANN", testPassword, true},
		{"the address", "Ann@Example.com", testPassword, true},
		{"another password", "ann", testPassword + " ", false},
		{"no password", "ann", "", false},
		{"nobody", "nobody", testPassword, false},
		{"no name", "", testPassword, false},
		{"a password without end", "ann", strings.Repeat("x", 1<<20), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, err := s.CheckPassword(t.Context(), tt.login, tt.password, "here")
			if tt.good && (err != nil || u.ID != ann.UserID) {
				t.Errorf("%v, %v", u, err)
			}
			if !tt.good && (registry.CodeOf(err) != registry.Unauthenticated || err.Error() != "wrong user name or password") {
				t.Errorf("%v: every failure is told in the same words", err)
			}
		})
	}
}

// A password that was right once is not hashed again, until it changes or the
// account is locked.
func TestRememberedPassword(t *testing.T) {
	s, ann := registryTokens(t)
	check := func(password string) error {
		_, err := s.CheckPassword(t.Context(), "ann", password, "here")
		return err
	}
	wantCode(t, check(testPassword), "")
	start := time.Now()
	const n = 100
	for range n {
		wantCode(t, check(testPassword), "")
	}
	remembered := time.Since(start) / n
	start = time.Now()
	if _, err := argon2id.ComparePasswordAndHash(testPassword, s.db.User.GetX(system(t), ann.UserID).PasswordHash); err != nil {
		t.Fatal(err)
	}
	if hashed := time.Since(start); remembered > hashed/2 {
		t.Errorf("a remembered password takes %v, a hash %v", remembered, hashed)
	}
	if err := s.SetPassword(as(t, ann), testPassword, "another password"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, check(testPassword), registry.Unauthenticated)
	wantCode(t, check("another password"), "")
	if _, err := s.SetDisabled(system(t), "ann", true); err != nil {
		t.Fatal(err)
	}
	wantCode(t, check("another password"), registry.Unauthenticated)
}

func TestSetPassword(t *testing.T) {
	s, ann := registryTokens(t)
	for _, tt := range []struct {
		name          string
		viewer        access.Viewer
		old, password string
		code          registry.Code
	}{
		{"nobody", access.Viewer{}, testPassword, "another password", registry.Forbidden},
		{"a token", withToken(t, s, ann), testPassword, "another password", registry.Forbidden},
		{"a wrong old one", ann, "wrong password", "another password", registry.Invalid},
		{"a short one", ann, testPassword, "short", registry.Invalid},
		{"a good one", ann, testPassword, "another password", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantCode(t, s.SetPassword(as(t, tt.viewer), tt.old, tt.password), tt.code)
		})
	}
}

// Ten failures of a name from an address close the door for a minute, there
// and for that name alone, also for the right password.
func TestThrottle(t *testing.T) {
	s, _ := registryTokens(t)
	for i := range maxFailures {
		_, err := s.CheckPassword(t.Context(), "ann", fmt.Sprint("guess ", i), "there")
		wantCode(t, err, registry.Unauthenticated)
	}
	_, err := s.CheckPassword(t.Context(), "Ann", testPassword, "there")
	wantCode(t, err, registry.RateLimited)
	_, err = s.CheckPassword(t.Context(), "ann", testPassword, "elsewhere")
	wantCode(t, err, "")
	_, err = s.CheckPassword(t.Context(), "bob", testPassword, "there")
	wantCode(t, err, registry.Unauthenticated)
}

// The count of failures ends a minute after the first of them; later ones do
// not keep the door shut longer.
func TestThrottleEnds(t *testing.T) {
	s, _ := registryTokens(t)
	end := func() time.Time {
		s.failures.Compute("ann", countUp)
		e, ok := s.failures.GetEntryQuietly("ann")
		if !ok {
			t.Fatal("the failure is not counted")
		}
		return e.ExpiresAt()
	}
	first := end()
	if left := time.Until(first); left <= 0 || left > failuresFor {
		t.Errorf("the first failure counts for %v", left)
	}
	for range maxFailures {
		if later := end(); later.Sub(first).Abs() > time.Second {
			t.Errorf("a later failure moves the end from %v to %v", first, later)
		}
	}
}

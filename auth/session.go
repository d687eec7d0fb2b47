package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"reflect"
	"time"

	"github.com/alexedwards/scs/v2"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/session"
)

// Sessions returns the manager of browser sessions, kept in the database so
// that every replica knows them. secure marks the cookie for HTTPS alone.
func (s *Service) Sessions(secure bool) *scs.SessionManager {
	m := scs.New()
	m.Store = &sessionStore{s}
	m.HashTokenInStore = true
	m.Lifetime = 30 * 24 * time.Hour
	m.IdleTimeout = 7 * 24 * time.Hour
	m.Cookie.Name = "entrepot_session"
	m.Cookie.HttpOnly = true
	m.Cookie.SameSite = http.SameSiteLaxMode
	m.Cookie.Secure = secure
	return m
}

const (
	sessionUser     = "user"
	sessionPassword = "password"
)

// SignIn makes the browser session the user's. The session gets a new name,
// so that one planted before is worth nothing.
func (s *Service) SignIn(ctx context.Context, m *scs.SessionManager, u *ent.User) error {
	if err := m.RenewToken(ctx); err != nil {
		return err
	}
	m.Put(ctx, sessionUser, u.ID)
	m.Put(ctx, sessionPassword, passwordMark(u))
	return nil
}

// SignOut ends the browser session.
func (s *Service) SignOut(ctx context.Context, m *scs.SessionManager) error { return m.Destroy(ctx) }

// SessionViewer returns the viewer of the browser session, the anonymous one
// when nobody has signed in or the account was disabled or has another
// password since.
func (s *Service) SessionViewer(ctx context.Context, m *scs.SessionManager) (access.Viewer, error) {
	id := m.GetInt64(ctx, sessionUser)
	if id == 0 {
		return access.Viewer{}, nil
	}
	u, err := s.db.User.Get(access.SystemContext(ctx), id)
	if ent.IsNotFound(err) || err == nil && (u.Disabled || m.GetString(ctx, sessionPassword) != passwordMark(u)) {
		return access.Viewer{}, nil
	}
	if err != nil {
		return access.Viewer{}, err
	}
	return viewer(u, nil), nil
}

// passwordMark changes with the password and tells nothing of it.
func passwordMark(u *ent.User) string {
	sum := sha256.Sum256([]byte(u.PasswordHash))
	return hex.EncodeToString(sum[:8])
}

// sessionStore keeps sessions in the database; it is a scs.CtxStore.
type sessionStore struct{ s *Service }

func (st *sessionStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	row, err := st.s.db.Session.Query().
		Where(session.Token(token), session.ExpiresAtGT(now())).
		Only(access.SystemContext(ctx))
	if ent.IsNotFound(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return row.Data, true, nil
}

// renewAfter is how much later a session must end for that alone to be
// written: looking at pages writes nothing.
const renewAfter = time.Hour

func (st *sessionStore) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	row, err := st.s.db.Session.Query().Where(session.Token(token)).Only(access.SystemContext(ctx))
	if err != nil && !ent.IsNotFound(err) {
		return err
	}
	if row != nil && expiry.Sub(row.ExpiresAt).Abs() < renewAfter && sameSession(row.Data, b) {
		return nil
	}
	return st.s.db.Session.Create().
		SetToken(token).
		SetData(b).
		SetExpiresAt(expiry.UTC().Truncate(time.Microsecond)).
		OnConflictColumns(session.FieldToken).
		Update(func(u *ent.SessionUpsert) { u.UpdateData().UpdateExpiresAt() }).
		Exec(access.SystemContext(ctx))
}

// sameSession tells whether two sessions hold the same; gob writes a map in
// any order.
func sameSession(a, b []byte) bool {
	codec := scs.GobCodec{}
	deadlineA, valuesA, errA := codec.Decode(a)
	deadlineB, valuesB, errB := codec.Decode(b)
	return errA == nil && errB == nil && deadlineA.Equal(deadlineB) && reflect.DeepEqual(valuesA, valuesB)
}

func (st *sessionStore) DeleteCtx(ctx context.Context, token string) error {
	_, err := st.s.db.Session.Delete().Where(session.Token(token)).Exec(access.SystemContext(ctx))
	return err
}

// The forms without a context are part of the interface; the manager uses the
// others.
func (st *sessionStore) Find(token string) ([]byte, bool, error) {
	return st.FindCtx(context.Background(), token)
}

func (st *sessionStore) Commit(token string, b []byte, expiry time.Time) error {
	return st.CommitCtx(context.Background(), token, b, expiry)
}

func (st *sessionStore) Delete(token string) error { return st.DeleteCtx(context.Background(), token) }

// SweepSessions removes the sessions that have expired.
func (s *Service) SweepSessions(ctx context.Context) (int, error) {
	return s.db.Session.Delete().Where(session.ExpiresAtLTE(now())).Exec(access.SystemContext(ctx))
}

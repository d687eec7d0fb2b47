// Package auth finds out who is calling. It turns whatever a client sends (a
// password, an access token, a browser session) into an access.Viewer, and
// manages accounts and their credentials.
//
// It imports ent, access and, for errors alone, registry; it knows no package
// type. Its central idea: one parser for all credentials (credential.go) and
// one answer for them, so that no route has rules of its own. What the viewer
// may do is decided elsewhere, at each request: nothing here remembers a
// right.
package auth

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/maypok86/otter/v2"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/secret"
	"entrepot/registry/database"
)

// Service checks and manages credentials. It is safe for concurrent use.
type Service struct {
	db       *database.DB
	log      *slog.Logger
	hashing  chan struct{}
	macKey   [32]byte
	verified *otter.Cache[[32]byte, struct{}]
	failures *otter.Cache[string, int]
	lastUsed lastUsed
	// registryKey signs registry tokens.
	registryKey sharedKey
	// linkKey signs links.
	linkKey sharedKey
}

// How long a password that was verified is remembered, and how long failed
// attempts count against one user and address.
const (
	verifiedFor = 5 * time.Minute
	failuresFor = time.Minute
	maxFailures = 10
)

// Option changes how a Service works.
type Option func(flush *time.Duration)

// FlushEvery says how long last-used stamps stay in memory, in place of 15
// seconds.
func FlushEvery(d time.Duration) Option { return func(flush *time.Duration) { *flush = d } }

// New returns a Service over the database. Close must be called to write what
// is still in memory.
func New(db *database.DB, log *slog.Logger, opts ...Option) *Service {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Service{
		db:      db,
		log:     log,
		hashing: make(chan struct{}, runtime.NumCPU()),
		verified: otter.Must(&otter.Options[[32]byte, struct{}]{
			MaximumSize:      10_000,
			ExpiryCalculator: otter.ExpiryWriting[[32]byte, struct{}](verifiedFor),
		}),
		failures: otter.Must(&otter.Options[string, int]{
			MaximumSize:      100_000,
			ExpiryCalculator: otter.ExpiryCreating[string, int](failuresFor),
		}),
	}
	rand.Read(s.macKey[:])
	s.registryKey.name = registryKeyName
	s.linkKey.name = linkKeyName
	flush := defaultFlush
	for _, o := range opts {
		o(&flush)
	}
	s.lastUsed.init(s, flush)
	return s
}

// Close writes the last-used stamps still in memory.
func (s *Service) Close(ctx context.Context) error { return s.lastUsed.close(ctx) }

// sharedSecret returns the value of that name that all replicas share,
// making it at random on first use.
func (s *Service) sharedSecret(ctx context.Context, name string) ([]byte, error) {
	ctx = access.SystemContext(ctx)
	row, err := s.db.Secret.Query().Where(secret.Name(name)).Only(ctx)
	if ent.IsNotFound(err) {
		value := make([]byte, 32)
		rand.Read(value)
		// Whoever is first decides; everybody reads what was decided.
		err = s.db.Secret.Create().SetName(name).SetValue(value).
			OnConflictColumns(secret.FieldName).Ignore().Exec(ctx)
		if err != nil {
			return nil, fmt.Errorf("make secret: %w", err)
		}
		row, err = s.db.Secret.Query().Where(secret.Name(name)).Only(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	return row.Value, nil
}

// now is the clock of the database; see ent/schema.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

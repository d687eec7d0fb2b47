// Package server wires the house together: configuration in, one http.Handler
// out; start, drain, stop. It holds no rule of its own.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"

	"entrepot/auth"
	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/registry/database"
	"entrepot/storage"
)

// Server is the whole program but for its command line.
type Server struct {
	config   Config
	log      *slog.Logger
	db       *database.DB
	store    storage.Store
	registry *registry.Registry
	auth     *auth.Service
	sessions *scs.SessionManager
	metrics  *metrics
	handler  http.Handler

	background sync.WaitGroup
	stop       context.CancelFunc
	draining   chan struct{}
}

// New opens the database and the store and puts everything together. It
// serves nothing yet, and starts no background work.
func New(ctx context.Context, c Config, log *slog.Logger) (_ *Server, err error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &Server{config: c, log: log, draining: make(chan struct{}), stop: func() {}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close(context.WithoutCancel(ctx)))
		}
	}()
	if s.db, err = database.Open(ctx, c.databaseURL(), database.Options{Fast: c.Database.Fast}); err != nil {
		return nil, err
	}
	s.store, err = storage.Open(ctx, c.storageRemote(), storage.Options{
		RcloneConfig: c.Storage.RcloneConfig, PublicEndpoint: c.Storage.PublicEndpoint, LinkTTL: c.Storage.LinkTTL, Logger: log,
	})
	if err != nil {
		return nil, fmt.Errorf("open the storage: %w", err)
	}
	types := packageTypes(c)
	facts := make([]registry.Type, len(types))
	for i, t := range types {
		facts[i] = t.Type
	}
	redirect, err := c.Storage.redirectPolicy()
	if err != nil {
		return nil, err
	}
	s.registry, err = registry.New(registry.Options{
		Database: s.db, Store: s.store, Types: facts, Logger: log,
		Grace: c.Storage.Grace, KeepUnneeded: c.Storage.KeepUnneeded, Redirect: redirect, MaxSize: c.Limits.FileSize, Flush: c.Limits.Flush,
		CleanupSchedule: c.Cleanup.Schedule,
	})
	if err != nil {
		return nil, err
	}
	s.auth = auth.New(s.db, log, auth.FlushEvery(c.Limits.Flush))
	s.sessions = s.auth.Sessions(c.Auth.SecureCookies || strings.HasPrefix(c.URL, "https://"))
	s.metrics = newMetrics(s.db)
	s.handler = s.routes(types)
	return s, nil
}

// Handler is the server as one handler.
func (s *Server) Handler() http.Handler { return s.handler }

// Registry is the domain, for commands and tests.
func (s *Server) Registry() *registry.Registry { return s.registry }

// Auth is the accounts, for commands and tests.
func (s *Server) Auth() *auth.Service { return s.auth }

// BaseURL is the public URL of the server as the request's client knows it,
// without a final slash.
func (s *Server) BaseURL(r *http.Request) string {
	if s.config.URL != "" {
		return strings.TrimSuffix(s.config.URL, "/")
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// Serve serves on the listener until ctx is done, then lets running requests
// finish for as long as the configuration allows.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	s.startBackground(ctx)
	srv := &http.Server{
		Handler: s.handler,
		// Bodies and answers have deadlines that move with their progress;
		// see observe.
		ReadHeaderTimeout: 15 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	if err := releaseProgram(); err != nil {
		s.log.Debug("the memory that starting took stays", "error", err)
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	close(s.draining)
	s.log.Info("stopping; running requests may finish", "for", s.config.Limits.Drain)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.Limits.Drain)
	defer cancel()
	if err := srv.Shutdown(drain); err != nil {
		s.log.Warn("some requests were cut off", "error", err)
		return srv.Close()
	}
	return nil
}

// startBackground runs what happens without a request.
func (s *Server) startBackground(ctx context.Context) {
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.every(ctx, time.Hour, func(ctx context.Context) error {
		_, err := s.auth.SweepSessions(ctx)
		return err
	})
	s.every(ctx, time.Minute, s.registry.TendIndexes)
	s.every(ctx, time.Minute, s.registry.CleanUp)
	if s.config.Storage.Collect > 0 {
		s.every(ctx, s.config.Storage.Collect, func(ctx context.Context) error {
			_, err := s.registry.Collect(ctx)
			return err
		})
	}
}

func (s *Server) every(ctx context.Context, period time.Duration, work func(context.Context) error) {
	s.background.Go(func() {
		tick := time.NewTicker(period)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := work(ctx); err != nil && ctx.Err() == nil {
					s.log.Error("background work failed; it will be tried again", "error", err)
				}
			}
		}
	})
}

// Close ends background work, writes what is still in memory and closes the
// database and the store.
func (s *Server) Close(ctx context.Context) error {
	s.stop()
	s.background.Wait()
	var errs []error
	if s.registry != nil {
		errs = append(errs, s.registry.Close(ctx))
	}
	if s.auth != nil {
		errs = append(errs, s.auth.Close(ctx))
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}

// routesFor indexes the types by name.
func routesFor(types []*protocols.Type) map[string]*protocols.Type {
	byName := make(map[string]*protocols.Type, len(types))
	for _, t := range types {
		byName[t.Name] = t
	}
	return byName
}

package server

import (
	"context"
	"net/http"
	"strings"
	"time"

	"entrepot/protocols"
	"entrepot/protocols/generic"
	"entrepot/protocols/npm"
)

// PackageTypes lists the package types: one line each.
func PackageTypes() []*protocols.Type {
	return []*protocols.Type{
		generic.New(),
		npm.New(),
	}
}

// routes is the one handler. Package routes are told apart by prefix before
// the mux sees them: it would redirect paths with ".." or "//" in them, and
// decode what must be decoded segment by segment.
func (s *Server) routes(types []*protocols.Type) http.Handler {
	packages := &protocols.Handler{
		Registry: s.registry, Auth: s.auth, Types: routesFor(types), BaseURL: s.BaseURL, Logger: s.log,
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", s.serveReady)
	mux.Handle("GET /metrics", s.serveMetrics())

	wire := s.identify(packages)
	return s.observe(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.EscapedPath(), protocols.Prefix) {
			wire.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
}

// serveReady tells a balancer whether to send requests here.
func (s *Server) serveReady(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.draining:
		http.Error(w, "stopping", http.StatusServiceUnavailable)
		return
	default:
	}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if err := s.db.Ping(ctx); err != nil {
		s.log.ErrorContext(ctx, "the database does not answer", "error", err)
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	if err := s.store.Ping(ctx); err != nil {
		s.log.ErrorContext(ctx, "the storage does not answer", "error", err)
		http.Error(w, "the storage does not answer", http.StatusServiceUnavailable)
		return
	}
	w.Write([]byte("ready\n"))
}

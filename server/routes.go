package server

import (
	"context"
	"net/http"
	"strings"
	"time"

	"entrepot/graph"
	"entrepot/graph/graphiql"
	"entrepot/protocols"
	"entrepot/protocols/alpine"
	"entrepot/protocols/alt"
	"entrepot/protocols/arch"
	"entrepot/protocols/cargo"
	"entrepot/protocols/chef"
	"entrepot/protocols/composer"
	"entrepot/protocols/conan"
	"entrepot/protocols/conda"
	"entrepot/protocols/container"
	"entrepot/protocols/cran"
	"entrepot/protocols/debian"
	"entrepot/protocols/generic"
	"entrepot/protocols/golang"
	"entrepot/protocols/helm"
	"entrepot/protocols/maven"
	"entrepot/protocols/npm"
	"entrepot/protocols/nuget"
	"entrepot/protocols/pub"
	"entrepot/protocols/pypi"
	"entrepot/protocols/rpm"
	"entrepot/protocols/rubygems"
	"entrepot/protocols/swift"
	"entrepot/protocols/vagrant"
	"entrepot/registry"
	"entrepot/web"
)

// PackageTypes lists the package types: one line each.
func PackageTypes() []*protocols.Type { return packageTypes(DefaultConfig()) }

// packageTypes are the package types as they are configured.
func packageTypes(c Config) []*protocols.Type {
	return []*protocols.Type{
		alpine.New(),
		alt.New(),
		arch.New(),
		cargo.New(),
		chef.New(),
		composer.New(),
		conan.New(),
		conda.New(),
		container.New(),
		cran.New(),
		debian.New(),
		generic.New(),
		golang.New(),
		helm.New(),
		maven.New(),
		npm.New(),
		nuget.New(),
		pub.New(),
		pypi.New(),
		rpm.New(),
		rubygems.New(),
		swift.New(swift.Options{RequireSignature: c.Swift.RequireSignature}),
		vagrant.New(),
	}
}

// routes is the one handler. Package routes are told apart by prefix before
// the mux sees them: it would redirect paths with ".." or "//" in them, and
// decode what must be decoded segment by segment.
func (s *Server) routes(types []*protocols.Type) http.Handler {
	packages := &protocols.Handler{
		Registry: s.registry, Auth: s.auth, Types: routesFor(types), BaseURL: s.BaseURL,
		SignInRequired: !s.config.Auth.AnonymousRead, Logger: s.log,
	}
	api := graph.New(graph.Options{
		Registry: s.registry, Auth: s.auth, BaseURL: baseURL, Logger: s.log,
		Uploaders: map[string]graph.Uploader{"generic": genericUploader{}},
	})
	pages := web.New(web.Options{
		GraphQL: api.Client(), Auth: s.auth, Sessions: s.sessions, Version: Version, Logger: s.log,
		SignInRequired: !s.config.Auth.AnonymousRead,
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", s.serveReady)
	mux.Handle("GET /metrics", s.serveMetrics())
	mux.Handle("/graphql", s.browse(api.Handler()))
	mux.Handle("GET "+graphiql.Prefix, graphiql.Handler())
	mux.Handle("GET "+graphiql.Prefix+"/", graphiql.Handler())
	mux.Handle("GET /-/files/", s.browse(api.Files()))

	wire := s.identify(packages)
	images := &container.Handler{Packages: packages, Type: packages.Types["container"], AnonymousRead: s.config.Auth.AnonymousRead}
	boxes := s.identify(&vagrant.Aliases{Packages: packages, Type: packages.Types["vagrant"]})
	channels := s.identify(&conda.Aliases{Packages: packages, Type: packages.Types["conda"]})
	ui := s.withBaseURL(pages)
	return s.observe(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.EscapedPath(), protocols.Prefix) {
			wire.ServeHTTP(w, r)
			return
		}
		if container.Serves(r.URL.EscapedPath()) {
			images.ServeHTTP(w, r)
			return
		}
		if vagrant.Serves(r) {
			boxes.ServeHTTP(w, r)
			return
		}
		if conda.Serves(r) {
			channels.ServeHTTP(w, r)
			return
		}
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		ui.ServeHTTP(w, r)
	}))
}

// genericUploader publishes files that people send with a browser.
type genericUploader struct{}

// Upload publishes one file.
func (genericUploader) Upload(ctx context.Context, s *registry.Space, f graph.UploadedFile) (*registry.Published, error) {
	return generic.Publish(ctx, s, f.Package, f.Version, f.Name, f.Body, -1)
}

type baseURLKey struct{}

// baseURL is the server's public URL as the client of the context's request
// knows it.
func baseURL(ctx context.Context) string {
	u, _ := ctx.Value(baseURLKey{}).(string)
	return u
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

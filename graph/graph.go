// Package graph is the GraphQL API: one schema for people's scripts and for
// the web UI, which runs its operations in process (client.go).
//
// It imports registry, auth and what lies below them, and neither protocols
// nor web. What can be generated is generated: the types, filters and
// connections of the entities come from ent/schema by entgql, the rest from
// schema/*.graphqls by gqlgen. Its central idea: a resolver says what it
// needs of one row and gets it for all rows that were read together
// (rows.go), so that the number of SQL statements follows the shape of a
// request and never the length of its lists. Every read runs under the viewer
// in the context and shows nothing hidden; every change goes through the
// registry's and auth's gates.
package graph

import (
	"context"
	"io"
	"log/slog"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"

	"entrepot/auth"
	"entrepot/graph/generated"
	"entrepot/registry"
)

// Options are what the API is built from.
type Options struct {
	Registry *registry.Registry
	Auth     *auth.Service
	// BaseURL is the server's public URL without a final slash, as the client
	// of the request in the context knows it.
	BaseURL func(context.Context) string
	// Logger receives failures that clients are not told about; nil discards
	// them.
	Logger *slog.Logger
	// Uploaders publish single files, by the name of their package type.
	Uploaders map[string]Uploader
}

// Uploader publishes single files of one package type.
type Uploader interface {
	// Upload publishes the file in the space, whose viewer may write there.
	// Names are as the user typed them: the uploader checks them as it would
	// those of its wire protocol. Errors are the registry's.
	Upload(ctx context.Context, s *registry.Space, f UploadedFile) (*registry.Published, error)
}

// UploadedFile is a file that a person sends.
type UploadedFile struct {
	// Package, Version and Name say what it becomes.
	Package, Version, Name string
	// Body is its bytes, read while they arrive; how many is not known.
	Body io.Reader
}

// API is the GraphQL API. It is safe for concurrent use.
type API struct {
	opts    Options
	log     *slog.Logger
	schema  graphql.ExecutableSchema
	readmes *readmes
}

// New returns the API over a registry.
func New(opts Options) *API {
	a := &API{opts: opts, log: opts.Logger, readmes: newReadmes()}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.schema = limitedSchema{generated.NewExecutableSchema(generated.Config{Resolvers: &Resolver{a}})}
	noteRows(opts.Registry.Client())
	return a
}

// server is what an executor and the HTTP handler around one have in common.
type server interface {
	Use(graphql.HandlerExtension)
	AroundOperations(graphql.OperationMiddleware)
	AroundRootFields(graphql.RootFieldMiddleware)
	SetErrorPresenter(graphql.ErrorPresenterFunc)
	SetRecoverFunc(graphql.RecoverFunc)
	SetQueryCache(graphql.Cache[*ast.QueryDocument])
	SetParserTokenLimit(int)
}

// The bounds of what the caches of queries may hold; with maxTokens and
// maxBody they also bound their memory.
const (
	cachedQueries   = 200
	persistedHashes = 500
)

func (a *API) configure(s server) {
	s.Use(textCheck{})
	s.Use(shapeLimit{})
	s.Use(extension.FixedComplexityLimit(maxComplexity))
	s.Use(extension.Introspection{})
	s.SetParserTokenLimit(maxTokens)
	s.SetQueryCache(lru.New[*ast.QueryDocument](cachedQueries))
	s.SetErrorPresenter(a.presentError)
	s.SetRecoverFunc(a.recovered)
	s.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		return next(a.withRows(ctx))
	})
	s.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		// What the mutation before has changed must be read again.
		if graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation {
			ctx = a.withRows(ctx)
		}
		return next(ctx)
	})
}

// Handler serves /graphql: POST with JSON, GET for queries alone, and
// multipart POST with one file. The viewer is taken from the request's
// context. Where that can be a browser's session, the handler belongs behind
// http.CrossOriginProtection: then no other site's page can send a mutation
// on the user's behalf.
func (a *API) Handler() http.Handler {
	srv := handler.New(a.schema)
	a.configure(srv)
	srv.Use(extension.AutomaticPersistedQuery{Cache: lru.New[string](persistedHashes)})
	srv.AddTransport(transport.Options{})
	srv.AddTransport(transport.GET{})
	srv.AddTransport(multipartForm{})
	srv.AddTransport(transport.POST{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if !(multipartForm{}).Supports(r) {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		}
		srv.ServeHTTP(w, r)
	})
}

func (a *API) executor() *executor.Executor {
	e := executor.New(a.schema)
	a.configure(e)
	return e
}

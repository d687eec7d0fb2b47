package graph

import (
	"context"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/registry"
)

// Resolver answers the fields of the schema; each file of the schema has its
// resolvers in a file of the same name.
type Resolver struct{ *API }

// client reads rows; every read is filtered by the viewer in its context.
func (a *API) client() *ent.Client { return a.opts.Registry.Client() }

// maskNotFound turns a row that is not there, or hidden, into nil.
func maskNotFound[T any](row *T, err error) (*T, error) {
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return row, err
}

// pointers returns pointers to the elements of a list, which is how the
// generated code wants them.
func pointers[T any](list []T) []*T {
	p := make([]*T, len(list))
	for i := range list {
		p[i] = &list[i]
	}
	return p
}

// signedIn refuses the anonymous viewer.
func signedIn(ctx context.Context) error {
	if !access.FromContext(ctx).SignedIn() {
		return registry.Errorf(registry.Unauthenticated, "sign in first")
	}
	return nil
}

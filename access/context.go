package access

import "context"

type contextKey struct{}

// NewContext returns a context that carries the viewer. Every database query
// made under it is filtered to what the viewer may see.
func NewContext(ctx context.Context, v Viewer) context.Context {
	return context.WithValue(ctx, contextKey{}, v)
}

// FromContext returns the viewer, or the anonymous one when the context
// carries none.
func FromContext(ctx context.Context) Viewer {
	v, _ := ctx.Value(contextKey{}).(Viewer)
	return v
}

// SystemContext returns a context for the server's own work, in which
// nothing is hidden. Whoever makes one has checked the caller's rights.
func SystemContext(ctx context.Context) context.Context {
	return NewContext(ctx, SystemViewer())
}

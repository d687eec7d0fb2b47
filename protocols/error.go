package protocols

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"entrepot/registry"
)

// statuses maps the domain's codes to HTTP. What is not here is internal.
var statuses = map[registry.Code]int{
	registry.Invalid:         http.StatusBadRequest,
	registry.Unauthenticated: http.StatusUnauthorized,
	registry.Forbidden:       http.StatusForbidden,
	registry.NotFound:        http.StatusNotFound,
	registry.Conflict:        http.StatusConflict,
	registry.Precondition:    http.StatusPreconditionFailed,
	registry.TooLarge:        http.StatusRequestEntityTooLarge,
	registry.Mismatch:        http.StatusUnprocessableEntity,
	registry.RateLimited:     http.StatusTooManyRequests,
	registry.Unavailable:     http.StatusServiceUnavailable,
}

// StatusError is an error with an HTTP status of its own, where the one that
// fits its code would not do.
type StatusError struct {
	Status int
	Err    *registry.Error
}

// Error is the message for the client.
func (e *StatusError) Error() string { return e.Err.Message }

// Unwrap gives the error beneath.
func (e *StatusError) Unwrap() error { return e.Err }

type credentialErrorKey struct{}

// WithCredentialError returns a context in which every package route answers
// with err: the request carries a credential that is wrong.
func WithCredentialError(ctx context.Context, err error) context.Context {
	return context.WithValue(ctx, credentialErrorKey{}, err)
}

func credentialError(ctx context.Context) error {
	err, _ := ctx.Value(credentialErrorKey{}).(error)
	return err
}

// fail tells the client about an error. Internal ones are logged, and shown
// as nothing but a request id's worth of an apology.
func (h *Handler) fail(w http.ResponseWriter, r *Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // the client is gone
	}
	status, e := http.StatusInternalServerError, (*registry.Error)(nil)
	if se, ok := errors.AsType[*StatusError](err); ok {
		status, e = se.Status, se.Err
	} else if re, ok := errors.AsType[*registry.Error](err); ok {
		e = re
		if s, ok := statuses[re.Code]; ok {
			status = s
		}
	}
	if e == nil {
		h.Logger.ErrorContext(r.Context(), "request failed", slog.String("method", r.Method),
			slog.String("type", r.Type.Name), slog.Any("error", err))
		e = registry.Errorf("INTERNAL", "internal error")
	}
	dialect := r.Type.Dialect
	if dialect == nil {
		dialect = plainText{}
	}
	// A handler that failed may have described the answer it did not give.
	for _, name := range []string{"Content-Length", "Content-Disposition", "Content-Range", "Etag", "Last-Modified", "Cache-Control", "Repr-Digest", "Accept-Ranges"} {
		w.Header().Del(name)
	}
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", dialect.Challenge(r))
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	dialect.WriteError(w, r, status, e)
}

// retryAfter is how many seconds clients wait before they try again.
const retryAfter = 30

// plainText is the dialect of types without one: a line of text, or JSON for
// clients that prefer it.
type plainText struct{}

// Challenge asks for Basic.
func (plainText) Challenge(*Request) string { return BasicChallenge }

// BasicChallenge asks for a user name and a password or token (RFC 7617).
const BasicChallenge = `Basic realm="Entrepot", charset="UTF-8"`

// WriteError writes one line.
func (plainText) WriteError(w http.ResponseWriter, r *Request, status int, e *registry.Error) {
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		WriteJSON(w, r.Request, status, map[string]string{"message": e.Message, "code": string(e.Code)})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write([]byte(e.Message + "\n")) // the client is told or gone
	}
}

// WriteJSON answers with a JSON document; only its headers to HEAD.
func WriteJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	body = append(body, '\n')
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body) // the client is told or gone
	}
}

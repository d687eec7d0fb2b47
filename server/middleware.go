package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/auth"
	"entrepot/protocols"
	"entrepot/registry"
)

type requestIDKey struct{}

// RequestID returns the id of the request the context belongs to, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// observe gives every request an id, guards against panics and stalled
// connections, and logs and measures how it went.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		id := requestID(r)
		w.Header().Set("X-Request-Id", id)
		r = r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id))
		rec := &recorder{ResponseWriter: w, conn: http.NewResponseController(w), idle: s.config.Limits.IdleTimeout}
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &patientBody{ReadCloser: r.Body, conn: rec.conn, idle: rec.idle}
		}
		s.metrics.inFlight.Inc()
		defer func() {
			s.metrics.inFlight.Dec()
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				s.log.ErrorContext(r.Context(), "a handler panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				if rec.status == 0 {
					http.Error(rec, "internal error", http.StatusInternalServerError)
				}
			}
			took := time.Since(start)
			s.metrics.observe(r, rec, took)
			level := slog.LevelInfo
			switch {
			case rec.status >= 500:
				level = slog.LevelError
			case strings.HasPrefix(r.URL.Path, "/healthz"), strings.HasPrefix(r.URL.Path, "/readyz"), strings.HasPrefix(r.URL.Path, "/static/"):
				level = slog.LevelDebug
			}
			s.log.LogAttrs(r.Context(), level, "request",
				slog.String("method", r.Method), slog.String("path", loggedPath(r)), slog.Int("status", rec.status),
				slog.Int64("bytes", rec.bytes), slog.Duration("took", took.Round(time.Microsecond)), slog.String("from", r.RemoteAddr))
		}()
		next.ServeHTTP(rec, r)
	})
}

// loggedPath is the path without the secrets some paths carry: what looks like
// a token of ours, and whatever stands where a path has a token, for it may be
// one of another server or a password.
func loggedPath(r *http.Request) string {
	const hidden = "***"
	segments := strings.Split(r.URL.Path, "/")
	for i, segment := range segments {
		switch {
		case strings.HasPrefix(segment, auth.TokenPrefix):
			segments[i] = auth.TokenPrefix + hidden
		case segment != "" && i > 0 && segments[i-1] == "t" && (i == 2 || i == 6 && segments[1] == "api"):
			// /t/TOKEN/..., /api/packages/OWNER/TYPE/t/TOKEN/...
			segments[i] = hidden
		}
	}
	return strings.Join(segments, "/")
}

// requestID takes the id a proxy gave, if it looks like one, or makes one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if id != "" && len(id) <= 64 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == "" {
		return id
	}
	return rand.Text()
}

// recorder notes the answer's status and length, and pushes the connection's
// deadline ahead of every piece that is written: a slow client may take hours
// over an image, a stalled one is cut off. It keeps sendfile.
type recorder struct {
	http.ResponseWriter
	conn   *http.ResponseController
	idle   time.Duration
	status int
	bytes  int64
}

// Begun tells whether the answer has begun.
func (r *recorder) Begun() bool { return r.status != 0 }

var _ protocols.Answering = (*recorder)(nil)

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	r.extend()
	r.ResponseWriter.WriteHeader(status)
}

// Write notes the length.
func (r *recorder) Write(p []byte) (int, error) {
	r.begin()
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// sendPiece is how many bytes are sent per deadline.
const sendPiece = 4 << 20

// ReadFrom sends a file a piece at a time.
func (r *recorder) ReadFrom(src io.Reader) (total int64, err error) {
	r.begin()
	limited, bounded := src.(*io.LimitedReader)
	for {
		// The piece is cut from the file itself: sendfile looks for one
		// limited reader around a file, not two.
		piece := &io.LimitedReader{R: src, N: sendPiece}
		if bounded {
			piece.R, piece.N = limited.R, min(sendPiece, limited.N)
		}
		want := piece.N
		n, err := io.Copy(r.ResponseWriter, piece)
		total += n
		r.bytes += n
		if bounded {
			limited.N -= n
		}
		if err != nil || n < want || bounded && limited.N == 0 {
			return total, err
		}
		r.extend()
	}
}

func (r *recorder) begin() {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	r.extend()
}

// extend fails on connections without deadlines, as in tests; that is fine.
func (r *recorder) extend() { _ = r.conn.SetWriteDeadline(time.Now().Add(r.idle)) }

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Flush sends what is buffered.
func (r *recorder) Flush() { _ = r.conn.Flush() }

// patientBody pushes the read deadline ahead of every piece that is read.
type patientBody struct {
	io.ReadCloser
	conn *http.ResponseController
	idle time.Duration
	next time.Time
}

// Read reads a piece.
func (b *patientBody) Read(p []byte) (int, error) {
	if now := time.Now(); now.After(b.next) {
		_ = b.conn.SetReadDeadline(now.Add(b.idle))
		b.next = now.Add(b.idle / 8)
	}
	return b.ReadCloser.Read(p)
}

// identify puts the viewer a request's headers speak for into its context. A
// credential that is wrong is told by the route, in its clients' way.
func (s *Server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := s.auth.IdentifyClient(r)
		ctx := r.Context()
		if err == nil && !v.SignedIn() && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			// Download links in the UI: reads alone, a cookie never publishes.
			v, err = s.cookieViewer(r)
		}
		if err == nil && !v.SignedIn() && !s.config.Auth.AnonymousRead {
			err = registry.Errorf(registry.Unauthenticated, "this server asks everybody to sign in")
		}
		if err != nil {
			ctx = protocols.WithCredentialError(ctx, err)
			v = access.Viewer{}
		}
		next.ServeHTTP(w, r.WithContext(access.NewContext(ctx, v)))
	})
}

// cookieViewer reads the browser's session without touching it.
func (s *Server) cookieViewer(r *http.Request) (access.Viewer, error) {
	cookie, err := r.Cookie(s.sessions.Cookie.Name)
	if err != nil {
		return access.Viewer{}, nil
	}
	ctx, err := s.sessions.Load(r.Context(), cookie.Value)
	if err != nil {
		return access.Viewer{}, err
	}
	return s.auth.SessionViewer(ctx, s.sessions)
}

// browse is for routes that people use with a browser or a token: sessions
// with their cross-site protection, and the credentials of identify.
func (s *Server) browse(next http.Handler) http.Handler {
	csrf := http.NewCrossOriginProtection()
	withViewer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := s.auth.Identify(r)
		if err == nil && !v.SignedIn() {
			v, err = s.cookieViewer(r)
		}
		if err == nil && !v.SignedIn() && !s.config.Auth.AnonymousRead {
			err = registry.Errorf(registry.Unauthenticated, "this server asks everybody to sign in")
		}
		if registry.CodeOf(err) != "" {
			w.Header().Set("WWW-Authenticate", protocols.BasicChallenge)
			protocols.WriteJSON(w, r, http.StatusUnauthorized, map[string]any{
				"errors": []any{map[string]any{"message": err.Error(), "extensions": map[string]any{"code": registry.CodeOf(err)}}},
			})
			return
		}
		if err != nil {
			s.log.ErrorContext(r.Context(), "the viewer could not be found out", "error", err)
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		next.ServeHTTP(w, r.WithContext(access.NewContext(r.Context(), v)))
	})
	return csrf.Handler(s.withBaseURL(withViewer))
}

// withBaseURL notes the server's public URL, as the request's client knows it,
// in the context.
func (s *Server) withBaseURL(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), baseURLKey{}, s.BaseURL(r))))
	})
}

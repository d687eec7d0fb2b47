package protocols

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"entrepot/registry"
)

// begun is a recorder that tells whether the answer has begun.
type begun struct {
	*httptest.ResponseRecorder
	status int
}

func (b *begun) WriteHeader(status int) {
	b.status = status
	b.ResponseRecorder.WriteHeader(status)
}

func (b *begun) Begun() bool { return b.status != 0 }

// jsonDialect says everything in JSON.
type jsonDialect struct{}

func (jsonDialect) Challenge(*Request) string { return "" }

func (jsonDialect) WriteError(w http.ResponseWriter, r *Request, status int, e *registry.Error) {
	WriteJSON(w, r.Request, status, map[string]string{"said": e.Message})
}

// TestPanic panics in handlers, before and after the answer has begun.
func TestPanic(t *testing.T) {
	var log strings.Builder
	h := &Handler{Logger: slog.New(slog.NewTextHandler(&log, nil)), BaseURL: func(*http.Request) string { return "" }, Types: map[string]*Type{
		"boom": {Type: registry.Type{Name: "boom"}, Dialect: jsonDialect{}, Routes: []Route{
			{Method: "GET", Pattern: "before", Open: true, Handle: func(http.ResponseWriter, *Request) error { panic("a secret") }},
			{Method: "GET", Pattern: "after", Open: true, Handle: func(w http.ResponseWriter, _ *Request) error {
				w.WriteHeader(http.StatusOK)
				panic("too late")
			}},
			{Method: "GET", Pattern: "abort", Open: true, Handle: func(http.ResponseWriter, *Request) error { panic(http.ErrAbortHandler) }},
		}},
	}}
	get := func(path string) (w *begun, panicked any) {
		defer func() { panicked = recover() }()
		w = &begun{ResponseRecorder: httptest.NewRecorder()}
		h.ServeHTTP(w, httptest.NewRequest("GET", "/api/packages/acme/boom/"+path, nil))
		return w, nil
	}
	w, panicked := get("before")
	var told map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil || panicked != nil || w.Code != 500 || told["said"] != "internal error" {
		t.Errorf("before the answer: %d %s (%v, %v)", w.Code, w.Body, err, panicked)
	}
	if !strings.Contains(log.String(), "a secret") || !strings.Contains(log.String(), "panic_test.go") {
		t.Errorf("the log does not say what panicked where: %s", &log)
	}
	if w, panicked := get("after"); panicked != "too late" || w.Code != 200 {
		t.Errorf("after the answer has begun: %d, %v", w.Code, panicked)
	}
	if _, panicked := get("abort"); panicked != http.ErrAbortHandler {
		t.Errorf("an abort became %v", panicked)
	}
}

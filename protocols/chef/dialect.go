package chef

import (
	"net/http"

	"entrepot/protocols"
	"entrepot/registry"
)

// dialect writes errors as the clients read them: knife takes every answer for
// JSON.
type dialect struct{}

// Challenge asks for Basic.
func (dialect) Challenge(*protocols.Request) string { return protocols.BasicChallenge }

// codes are the words of the API for statuses.
var codes = map[int]string{
	http.StatusBadRequest:            "INVALID_DATA",
	http.StatusUnauthorized:          "AUTHENTICATION_FAILED",
	http.StatusForbidden:             "UNAUTHORIZED",
	http.StatusNotFound:              "NOT_FOUND",
	http.StatusMethodNotAllowed:      "NOT_ALLOWED",
	http.StatusConflict:              "ALREADY_EXISTS",
	http.StatusRequestEntityTooLarge: "QUOTA_EXCEEDED",
	http.StatusTooManyRequests:       "RATE_LIMITED",
	http.StatusServiceUnavailable:    "UNAVAILABLE",
}

// WriteError writes the list of messages, one, of which knife shows the first.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	code := codes[status]
	if code == "" {
		code = "INTERNAL_ERROR"
	}
	protocols.WriteJSON(w, r.Request, status, struct {
		Messages []string `json:"error_messages"`
		Code     string   `json:"error_code"`
	}{[]string{e.Message}, code})
}

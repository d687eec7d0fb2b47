package pub

import (
	"encoding/xml"
	"io"
	"net/http"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// dialect writes errors as the client prints them.
type dialect struct{}

// Challenge asks for a token. The client prints the message and forgets the
// token it has.
func (dialect) Challenge(r *protocols.Request) string {
	return challenge("Create a token at " + r.BaseURL + "/settings/tokens and run: dart pub token add " + root(r))
}

// challenge is a challenge with a message for people.
func challenge(message string) string {
	message = strings.Map(func(c rune) rune {
		switch {
		case c == '"' || c == '\\':
			return '\''
		case c < ' ' || c > '~': // nothing else is sure to pass in a header
			return ' '
		}
		return c
	}, message)
	return `Bearer realm="pub", message="` + message + `"`
}

// codes are the words of the protocol for statuses.
var codes = map[int]string{
	http.StatusBadRequest:            "InvalidInput",
	http.StatusUnauthorized:          "Unauthorized",
	http.StatusForbidden:             "Forbidden",
	http.StatusNotFound:              "NotFound",
	http.StatusMethodNotAllowed:      "InvalidInput",
	http.StatusConflict:              "VersionExists",
	http.StatusRequestEntityTooLarge: "QuotaExceeded",
	http.StatusTooManyRequests:       "RateLimited",
	http.StatusInternalServerError:   "InternalError",
}

// WriteError writes the document whose message the client prints. At the path
// of an upload, where it expects a store's answer, that is XML.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	code := codes[status]
	if code == "" {
		code = "Error"
	}
	if status == http.StatusForbidden {
		// Not a 401: the token is good and is to be kept.
		w.Header().Set("WWW-Authenticate", challenge(e.Message))
	}
	if isUpload(r) {
		writeXML(w, status, code, e.Message)
		return
	}
	type body struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	_ = writeJSON(w, r, status, map[string]body{"error": {code, e.Message}}) // strings can be encoded
}

// writeXML writes an error as object stores do.
func writeXML(w http.ResponseWriter, status int, code, message string) {
	type Error struct {
		Code    string
		Message string
	}
	body, _ := xml.Marshal(Error{code, message}) // strings can be encoded
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?>`+string(body)) // the client is told or gone
}

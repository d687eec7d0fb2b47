package conan

import (
	"net/http"

	"entrepot/protocols"
	"entrepot/registry"
)

// dialect writes errors as JSON of the form that the client prints in a line,
// "404: message". Any other JSON it prints raw.
type dialect struct{}

type errorList struct {
	Errors []errorItem `json:"errors"`
}

type errorItem struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
}

// Challenge asks for Basic. The client needs no challenge: after any 401 it
// signs in at users/authenticate.
func (dialect) Challenge(*protocols.Request) string { return protocols.BasicChallenge }

// WriteError writes the list of one error.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	protocols.WriteJSON(w, r.Request, status, errorList{[]errorItem{{status, e.Message}}})
}

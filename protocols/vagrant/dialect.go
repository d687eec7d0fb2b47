package vagrant

import (
	"net/http"

	"entrepot/protocols"
	"entrepot/registry"
)

// dialect writes errors as the client's cloud commands read them.
type dialect struct{}

// Challenge asks for Basic.
func (dialect) Challenge(*protocols.Request) string { return protocols.BasicChallenge }

// WriteError writes the list of messages.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	protocols.WriteJSON(w, r.Request, status, map[string][]string{"errors": {e.Message}})
}

package swift

import (
	"encoding/json"
	"net/http"
	"strconv"

	"entrepot/protocols"
	"entrepot/registry"
)

// dialect writes errors as problem details (RFC 9457): with any other type,
// SwiftPM shows the bare status.
type dialect struct{}

// Challenge asks for Basic.
func (dialect) Challenge(*protocols.Request) string { return protocols.BasicChallenge }

// problem is what the client shows of an error.
type problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

// WriteError writes the problem.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	body, _ := json.Marshal(problem{status, http.StatusText(status), e.Message}) // strings can be encoded
	h := w.Header()
	for _, name := range []string{"Digest", "Link", "X-Swift-Package-Signature", "X-Swift-Package-Signature-Format"} {
		h.Del(name)
	}
	h.Set("Content-Version", apiVersion)
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Language", "en")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body) // the client is told or gone
	}
}

package vagrant

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
)

// download sends a file. The client goes on where a download was cut off, so
// ranges matter.
func download(w http.ResponseWriter, r *protocols.Request) error {
	_, f, err := findFile(r, access.Read)
	if err != nil {
		return err
	}
	// A deleted file may come back with other bytes.
	return protocols.ServeFile(w, r, f, protocols.FileOptions{Undated: true, Redirect: http.StatusFound})
}

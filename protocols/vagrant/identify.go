package vagrant

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
)

// identify finds out who asks from the URL: by the token that the client puts
// there when it is told to (VAGRANT_SERVER_ACCESS_TOKEN_BY_URL), or by the
// signature of a link.
func identify(r *protocols.Request) (access.Viewer, error) {
	query := r.URL.Query()
	if token := query.Get("access_token"); token != "" {
		asked := (&http.Request{Header: http.Header{"Authorization": {"Bearer " + token}}, RemoteAddr: r.RemoteAddr}).WithContext(r.Context())
		return r.Auth.Identify(asked)
	}
	v, _, err := r.Auth.CheckLink(r.Context(), r.URL.EscapedPath(), query)
	return v, err
}

package protocols

import (
	"net/http"

	"entrepot/access"
)

// TokenReader is who a token in the path of a URL speaks for, for reading
// alone: a URL is easily passed on. Errors: Unauthenticated for a token that
// is no good.
func TokenReader(r *Request, token string) (access.Viewer, error) {
	asked := (&http.Request{Header: http.Header{"Authorization": {"Bearer " + token}}, RemoteAddr: r.RemoteAddr}).WithContext(r.Context())
	v, err := r.Auth.Identify(asked)
	if err != nil {
		return access.Viewer{}, err
	}
	return ReadOnly(v), nil
}

// ReadOnly is the viewer without all rights but that to read packages.
func ReadOnly(v access.Viewer) access.Viewer {
	scopes := []access.Scope{}
	if v.Has(access.ReadPackage) {
		scopes = append(scopes, access.ReadPackage)
	}
	v.Scopes = scopes
	return v
}

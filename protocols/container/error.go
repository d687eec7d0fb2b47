package container

import (
	"fmt"
	"net/http"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// The error codes of the specification, section "Error codes", and those of
// our own that it leaves room for.
const (
	blobUnknown         registry.Code = "BLOB_UNKNOWN"
	blobUploadInvalid   registry.Code = "BLOB_UPLOAD_INVALID"
	blobUploadUnknown   registry.Code = "BLOB_UPLOAD_UNKNOWN"
	digestInvalid       registry.Code = "DIGEST_INVALID"
	manifestBlobUnknown registry.Code = "MANIFEST_BLOB_UNKNOWN"
	manifestInvalid     registry.Code = "MANIFEST_INVALID"
	manifestUnknown     registry.Code = "MANIFEST_UNKNOWN"
	nameInvalid         registry.Code = "NAME_INVALID"
	nameUnknown         registry.Code = "NAME_UNKNOWN"
	sizeInvalid         registry.Code = "SIZE_INVALID"
	unauthorized        registry.Code = "UNAUTHORIZED"
	denied              registry.Code = "DENIED"
	unsupported         registry.Code = "UNSUPPORTED"
	tooManyRequests     registry.Code = "TOOMANYREQUESTS"
	paginationInvalid   registry.Code = "PAGINATION_NUMBER_INVALID"
)

// fault is an error with a code of the specification.
func fault(status int, code registry.Code, format string, args ...any) error {
	return &protocols.StatusError{Status: status, Err: registry.Errorf(code, format, args...)}
}

// withDetail adds what programs may want to know to a fault.
func withDetail(err error, detail any) error {
	err.(*protocols.StatusError).Err.Detail = detail
	return err
}

// codes are the specification's for those of the domain, where a handler has
// not said it better.
var codes = map[registry.Code]registry.Code{
	registry.Invalid:         "INVALID_REQUEST",
	registry.Unauthenticated: unauthorized,
	registry.Forbidden:       denied,
	registry.NotFound:        nameUnknown,
	registry.TooLarge:        denied,
	registry.RateLimited:     tooManyRequests,
	"INTERNAL":               "UNKNOWN",
}

// dialect writes errors as the specification has them.
type dialect struct{}

type errorList struct {
	Errors []errorItem `json:"errors"`
}

type errorItem struct {
	Code    registry.Code `json:"code"`
	Message string        `json:"message"`
	Detail  any           `json:"detail,omitempty"`
}

// WriteError writes the list of errors, of which there is always one.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	item := errorItem{Code: e.Code, Message: e.Message, Detail: e.Detail}
	if code, ok := codes[e.Code]; ok {
		item.Code = code
	}
	if status == http.StatusMethodNotAllowed && e.Code == registry.Invalid {
		item.Code = unsupported
	}
	protocols.WriteJSON(w, r.Request, status, errorList{[]errorItem{item}})
}

// Challenge sends clients to the token endpoint for what the request needs.
// It is the only one: some clients take but the first of several, or trip over
// the comma. The token endpoint itself takes a password.
func (dialect) Challenge(r *protocols.Request) string {
	if r.URL.Path == "/v2/token" {
		return protocols.BasicChallenge
	}
	_, host, _ := strings.Cut(r.BaseURL, "://")
	challenge := fmt.Sprintf("Bearer realm=%q,service=%q", r.BaseURL+"/v2/token", host)
	if scope := scopeOf(r); scope != "" {
		challenge += fmt.Sprintf(",scope=%q", scope)
	}
	if problem := callerOf(r.Context()).problem; problem != "" {
		challenge += fmt.Sprintf(",error=%q", problem)
	}
	return challenge
}

// scopeOf is what a token for the request must grant.
func scopeOf(r *protocols.Request) string {
	if image := r.Params["image"]; image != "" && namePattern.MatchString(image) && namePattern.MatchString(strings.ToLower(r.OwnerName)) {
		return "repository:" + repositoryName(r.OwnerName, image) + ":" + actions(r)
	}
	if r.URL.Path == "/v2/_catalog" {
		return "registry:catalog:*"
	}
	return ""
}

// actions are what the request does to its repository. Who pushes also looks
// at what is there.
func actions(r *protocols.Request) string {
	switch {
	case r.Params["session"] != "", r.Method == http.MethodPost, r.Method == http.MethodPut, r.Method == http.MethodPatch:
		return "pull,push"
	case r.Method == http.MethodDelete:
		return "delete"
	}
	return "pull"
}

package scalar

import (
	"io"

	"github.com/99designs/gqlgen/graphql"

	"entrepot/registry"
)

// Upload is a file in a multipart request. It is read once, while it arrives:
// nothing keeps it in memory or on disk before.
type Upload struct {
	io.Reader
	// Filename is the name the client gives it, without any folders.
	Filename string
}

// MarshalUpload writes nothing: uploads only come in.
func MarshalUpload(Upload) graphql.Marshaler { return graphql.Null }

// UnmarshalUpload takes the file that the multipart transport has put among
// the variables.
func UnmarshalUpload(v any) (Upload, error) {
	u, ok := v.(Upload)
	if !ok {
		return Upload{}, registry.Errorf(registry.Invalid, "a file is sent as a multipart request")
	}
	return u, nil
}

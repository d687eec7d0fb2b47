package scalar

import (
	"io"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"

	"entrepot/registry"
)

// Upload is a file in a multipart request, read while it arrives: nothing
// keeps it in memory or on disk before.
type Upload struct {
	// Filename is the name the client gives it, without any folders.
	Filename string

	body  io.Reader
	taken *atomic.Bool
}

// NewUpload makes an Upload of a file's bytes.
func NewUpload(filename string, body io.Reader) Upload {
	return Upload{Filename: filename, body: body, taken: new(atomic.Bool)}
}

// Open returns the file's bytes. It works once: a second mutation of the same
// request would find nothing left.
func (u Upload) Open() (io.Reader, error) {
	if u.taken.Swap(true) {
		return nil, registry.Errorf(registry.Invalid, "a file can be used once in a request")
	}
	return u.body, nil
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

package protocols

import (
	"errors"
	"io"
	"mime"
	"net/http"

	"entrepot/registry"
)

// Payload is the file a request brings: its body, or the first file of a
// form, of which the length is not known (-1). Only multipart/form-data is a
// form: curl says application/x-www-form-urlencoded of any --data-binary.
// Errors: Invalid for a form that cannot be read or holds no file.
func Payload(r *http.Request) (body io.Reader, size int64, err error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/form-data" {
		return r.Body, r.ContentLength, nil
	}
	form, err := r.MultipartReader()
	if err != nil {
		return nil, 0, registry.Errorf(registry.Invalid, "the form cannot be read: %v", err)
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, 0, registry.Errorf(registry.Invalid, "the form holds no file")
		}
		if err != nil {
			return nil, 0, registry.Errorf(registry.Invalid, "the form cannot be read: %v", err)
		}
		if part.FileName() != "" {
			return part, -1, nil
		}
	}
}

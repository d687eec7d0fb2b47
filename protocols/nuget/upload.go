package nuget

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/storage"
)

// The bounds of a push's form behind the package.
const (
	maxParts     = 1000
	maxPartBytes = 1 << 20
)

// receive stores the package that a push sends: the first part of a form,
// whatever its name and headers, or the whole body. Errors: Invalid for what
// is neither or breaks off, and those of registry.Store.
//
// https://learn.microsoft.com/nuget/api/package-publish-resource#push-a-package
func receive(r *protocols.Request) (*registry.Stored, error) {
	mediaType, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(mediaType, "multipart/") {
		return r.Registry.Store(r.Context(), r.Body, r.ContentLength, storage.SHA512)
	}
	if params["boundary"] == "" {
		return nil, registry.Errorf(registry.Invalid, "the form has no boundary")
	}
	form := newForm(r.Body, params["boundary"])
	// Raw: a transfer encoding that a header names is not what the bytes have.
	part, err := form.NextRawPart()
	if err == io.EOF { // not errors.Is: a form that is cut off wraps it
		return nil, registry.Errorf(registry.Invalid, "the form is empty")
	}
	if err != nil {
		return nil, formError(err)
	}
	content, err := r.Registry.Store(r.Context(), part, -1, storage.SHA512)
	if err != nil {
		return nil, err
	}
	if err := finish(form); err != nil {
		r.Registry.Discard(r.Context(), content)
		return nil, err
	}
	return content, nil
}

// finish reads the parts that mean nothing, to learn that the form came whole:
// a client that was cut off does not know of a package as published.
func finish(form *multipart.Reader) error {
	for n := 1; ; n++ {
		part, err := form.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return formError(err)
		}
		if n == maxParts {
			return registry.Errorf(registry.TooLarge, "the form has more than %d parts", maxParts)
		}
		size, err := io.Copy(io.Discard, io.LimitReader(part, maxPartBytes+1))
		if err != nil {
			return formError(err)
		}
		if size > maxPartBytes {
			return registry.Errorf(registry.TooLarge, "a part of the form behind the package is larger than %d bytes", maxPartBytes)
		}
	}
}

// formError tells what went wrong with the form.
func formError(err error) error {
	if e, ok := errors.AsType[*registry.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return registry.Errorf(registry.TooLarge, "the upload is larger than %d bytes", e.Limit)
	}
	return registry.Errorf(registry.Invalid, "the form cannot be read: %v", err)
}

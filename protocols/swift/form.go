package swift

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/storage"
)

// maxParts bounds the parts of a form.
const maxParts = 20

// form is what a publish sends.
type form struct {
	archive                                *registry.Stored
	signature, metadata, metadataSignature []byte
}

// readForm reads a form to its end and stores the archive on the way. SwiftPM's
// parts have no file names, curl's have. When it fails nothing stays stored.
func readForm(r *protocols.Request) (*form, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, problemf(http.StatusUnprocessableEntity, "a release is sent as a form of the type multipart/form-data")
	}
	f := &form{}
	if err := f.read(r, parts); err != nil {
		r.Registry.Discard(r.Context(), f.archive)
		return nil, err
	}
	return f, nil
}

func (f *form) read(r *protocols.Request, parts *multipart.Reader) error {
	for range maxParts {
		part, err := parts.NextRawPart()
		if err == io.EOF { // not errors.Is: a form that is cut off wraps it
			if f.archive == nil {
				return unprocessable("source-archive", "the form has no source-archive")
			}
			return nil
		}
		if err != nil {
			return registry.Errorf(registry.Invalid, "the form cannot be read: %v", err)
		}
		if err := f.take(r, part); err != nil {
			return err
		}
	}
	return unprocessable("", "the form has more than %d parts", maxParts)
}

// take reads one part; those nobody knows are left alone.
func (f *form) take(r *protocols.Request, part *multipart.Part) (err error) {
	var body io.Reader = part
	if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "base64") {
		body = base64.NewDecoder(base64.StdEncoding, part)
	}
	switch name := part.FormName(); name {
	case "source-archive":
		if f.archive != nil {
			return unprocessable(name, "the form has several source archives")
		}
		f.archive, err = r.Registry.Store(r.Context(), body, -1, storage.SHA256)
		return err
	case "source-archive-signature":
		return readPart(&f.signature, name, body, maxSignature)
	case "metadata":
		if err := readPart(&f.metadata, name, body, maxMetadata); err != nil {
			return err
		}
		f.metadata, err = unquote(f.metadata, part.Header.Get("Content-Transfer-Encoding"))
		return err
	case "metadata-signature":
		return readPart(&f.metadataSignature, name, body, maxSignature)
	}
	return nil
}

// readPart reads a small part whole.
func readPart(to *[]byte, name string, body io.Reader, limit int64) error {
	if *to != nil {
		return unprocessable(name, "the form has %s twice", name)
	}
	content, err := io.ReadAll(io.LimitReader(body, limit+1))
	if corrupt := base64.CorruptInputError(0); errors.As(err, &corrupt) {
		return unprocessable(name, "the %s is no Base64", name)
	}
	if err != nil {
		return registry.Errorf(registry.Invalid, "the form cannot be read: %v", err)
	}
	if int64(len(content)) > limit {
		return registry.Errorf(registry.TooLarge, "the %s is larger than %d bytes", name, limit)
	}
	if content == nil {
		content = []byte{}
	}
	*to = content
	return nil
}

// unquote takes the encoding "quoted-printable" off metadata. SwiftPM says that
// it is there, as the specification's example does, and sends plain JSON: which
// is no other thing as soon as it has an equals sign or long lines. So plain
// JSON is taken as it is.
func unquote(metadata []byte, encoding string) ([]byte, error) {
	if !strings.EqualFold(encoding, "quoted-printable") || json.Valid(trimMetadata(metadata)) {
		return metadata, nil
	}
	plain, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(metadata)))
	if err != nil {
		return nil, unprocessable("metadata", "the metadata is neither JSON nor quoted-printable: %v", err)
	}
	return plain, nil
}

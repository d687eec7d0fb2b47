package pypi

import (
	"encoding/hex"
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

// The bounds of an upload's form, the distribution aside.
const (
	maxFields     = 20_000
	maxFieldBytes = 16 << 20
	maxFieldName  = 200
)

// form is an upload as it was received.
type form struct {
	fields map[string][]string
	// filename and content are the distribution's; content is nil as long as
	// none has come.
	filename string
	content  *registry.Stored
}

// readForm receives an upload. Fields may come in any order; the distribution
// goes straight to the store. The content of a form that is returned with an
// error is the caller's to discard. Errors: Invalid for what is no such form,
// TooLarge beyond the bounds, and those of registry.Store.
//
// https://peps.python.org/pep-0694/
func readForm(r *protocols.Request) (*form, error) {
	f := &form{fields: map[string][]string{}}
	body, err := r.MultipartReader()
	if err != nil {
		return f, registry.Errorf(registry.Invalid, "an upload is a form of the type multipart/form-data")
	}
	left := int64(maxFieldBytes)
	for n := 0; ; n++ {
		part, err := body.NextPart()
		if err == io.EOF { // not errors.Is: a form that is cut off wraps it
			return f, nil
		}
		if err != nil {
			return f, formError(err)
		}
		if n >= maxFields {
			return f, registry.Errorf(registry.TooLarge, "the form has more than %d fields", maxFields)
		}
		if err := f.receive(r, part, &left); err != nil {
			return f, err
		}
	}
}

// receive takes one part of the form in; left is how many bytes fields may
// still have.
func (f *form) receive(r *protocols.Request, part *multipart.Part, left *int64) error {
	name := part.FormName()
	if name == "content" {
		return f.receiveContent(r, part)
	}
	value, err := io.ReadAll(io.LimitReader(part, *left+1))
	if err != nil {
		return formError(err)
	}
	if *left -= int64(len(value)); *left < 0 {
		return registry.Errorf(registry.TooLarge, "the form's fields are larger than %d MiB", maxFieldBytes>>20)
	}
	// A signature comes as a file; installers ask for none any more.
	if name == "" || name == "gpg_signature" {
		return nil
	}
	if len(name) > maxFieldName {
		return registry.Errorf(registry.Invalid, "a field's name is longer than %d bytes", maxFieldName)
	}
	f.fields[name] = append(f.fields[name], protocols.CleanText(string(value)))
	return nil
}

func (f *form) receiveContent(r *protocols.Request, part *multipart.Part) error {
	if f.content != nil {
		return registry.FieldErrorf("content", "the form has several files named content")
	}
	// Not part.FileName: it hides the folders a name may have.
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil || params["filename"] == "" {
		return registry.FieldErrorf("content", "the field content is not a file with a name")
	}
	f.filename = params["filename"]
	f.content, err = r.Registry.Store(r.Context(), part, -1, storage.MD5|storage.BLAKE2b256)
	return err
}

// formError tells what went wrong with the multipart body.
func formError(err error) error {
	if e, ok := errors.AsType[*registry.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return registry.Errorf(registry.TooLarge, "the upload is larger than %d bytes", e.Limit)
	}
	return registry.Errorf(registry.Invalid, "the form cannot be read: %v", err)
}

// text is the first value of a field without the blanks around it; "" when
// there is none, or when it is the word with which old tools say so.
func (f *form) text(name string) string {
	for _, value := range f.fields[name] {
		if value = known(value); value != "" {
			return value
		}
	}
	return ""
}

// known is the value without the blanks around it, or "" for UNKNOWN.
func known(value string) string {
	if value = strings.TrimSpace(value); value == "UNKNOWN" {
		return ""
	}
	return value
}

// check checks what can be told from the form alone and returns the project's
// normalized name and the version. Error: Invalid.
func (f *form) check() (project string, v version, err error) {
	if action := f.text(":action"); action != "" && action != "file_upload" {
		return "", v, registry.FieldErrorf(":action", "the action %.100q is not known: only file_upload is", action)
	}
	if protocol := f.text("protocol_version"); protocol != "" && protocol != "1" {
		return "", v, registry.FieldErrorf("protocol_version", "the protocol version %.100q is not known: only 1 is", protocol)
	}
	name := f.text("name")
	if !validName(name) {
		return "", v, registry.FieldErrorf("name", "%.250q cannot be a project's name: it takes ASCII letters, digits and . - _ between them", name)
	}
	v, ok := parseVersion(f.text("version"))
	if !ok {
		return "", v, registry.FieldErrorf("version", "%.250q is no version of PEP 440", f.text("version"))
	}
	if f.content == nil {
		return "", v, registry.FieldErrorf("content", "the form has no file named content")
	}
	return normalizeName(name), v, f.checkDigests()
}

// checkDigests holds the digests the client announced against the bytes that
// came. One at least must be there.
func (f *form) checkDigests() error {
	announced := 0
	for _, digest := range []struct{ field, sum string }{
		{"sha256_digest", f.content.Sums.SHA256},
		{"blake2_256_digest", f.content.Sums.BLAKE2b256},
		{"md5_digest", f.content.Sums.MD5},
	} {
		text := strings.ToLower(f.text(digest.field))
		if text == "" {
			continue
		}
		announced++
		if raw, err := hex.DecodeString(text); err != nil || len(raw)*2 != len(digest.sum) {
			return registry.FieldErrorf(digest.field, "the %s %.200q is no such digest in hexadecimal", digest.field, text)
		}
		if text != digest.sum {
			return registry.FieldErrorf(digest.field, "the %s is %s, but that of the file received is %s", digest.field, text, digest.sum)
		}
	}
	if announced == 0 {
		return registry.FieldErrorf("sha256_digest", "the form has no digest: one of sha256_digest, blake2_256_digest and md5_digest is needed")
	}
	return nil
}

package pub

import (
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"time"

	"entrepot/protocols"
	"entrepot/registry"
)

const (
	// pending is the name under which uploads wait: whose package they are is
	// not known yet, and no package can be called so.
	pending = ""
	// patience is how long an upload waits to be finalized, and how long after
	// that the answer can be asked for again.
	patience = time.Hour
)

// begin tells where to send the archive. It answers only to who may publish, so
// that people hear of it before they have sent anything.
func begin(w http.ResponseWriter, r *protocols.Request) error {
	return writeJSON(w, r, http.StatusOK, struct {
		URL    string            `json:"url"`
		Fields map[string]string `json:"fields"`
	}{root(r) + "/" + uploadPath, map[string]string{}})
}

// upload keeps the archive that a form has in its field "file", and tells where
// to go on. Whether the archive is any good is told there.
func upload(w http.ResponseWriter, r *protocols.Request) error {
	form, err := r.MultipartReader()
	if err != nil {
		return registry.Errorf(registry.Invalid, "an upload is a form of the type multipart/form-data")
	}
	session := ""
	err = eachPart(form, func(part *multipart.Part) error {
		if part.FormName() != "file" {
			return nil
		}
		if session != "" {
			return registry.FieldErrorf("file", "the form has several files")
		}
		session, err = receive(r, part)
		return err
	})
	if err == nil && session == "" {
		err = registry.FieldErrorf("file", "the form has no file")
	}
	if err != nil {
		if session != "" {
			cancel(r, session)
		}
		return err
	}
	w.Header().Set("Location", root(r)+"/"+finalizePath+"/"+session)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// maxParts bounds the fields of a form.
const maxParts = 100

// eachPart reads a form to its end.
func eachPart(form *multipart.Reader, receive func(*multipart.Part) error) error {
	for range maxParts {
		part, err := form.NextPart()
		if err == io.EOF { // not errors.Is: a form that is cut off wraps it
			return nil
		}
		if err != nil {
			return registry.Errorf(registry.Invalid, "the form cannot be read: %v", err)
		}
		if err := receive(part); err != nil {
			return err
		}
	}
	return registry.Errorf(registry.Invalid, "the form has more than %d fields", maxParts)
}

// receive keeps an archive as an upload of the viewer's and returns its name,
// also with an error. Errors: TooLarge, and Invalid for a body that breaks off.
func receive(r *protocols.Request, body io.Reader) (session string, err error) {
	u, err := r.Space.BeginUpload(r.Context(), pending, 0)
	if err != nil {
		return "", err
	}
	// One byte more than there may be tells of too many.
	u2, err := r.Space.AppendUpload(r.Context(), u, registry.Chunk{Body: io.LimitReader(body, maxArchive+1), Offset: -1, Size: -1})
	if err == nil && u2.Received > maxArchive {
		err = registry.Errorf(registry.TooLarge, "the archive is larger than %d MiB", maxArchive>>20)
	}
	return u.Session, err
}

// cancel ends an upload that came to nothing. What is left behind when that
// fails expires.
func cancel(r *protocols.Request, session string) {
	ctx := context.WithoutCancel(r.Context())
	if u, err := r.Space.Upload(ctx, pending, session); err == nil {
		_ = r.Space.CancelUpload(ctx, u)
	}
}

package golang

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	modzip "golang.org/x/mod/zip"

	"entrepot/protocols"
	"entrepot/registry"
)

// spool writes the uploaded zip to a temporary file: a zip is read from its
// end, and the functions that check one take a file. The caller closes and
// removes it. Errors: TooLarge beyond what the go command takes, Invalid when
// the body breaks off.
func spool(r *protocols.Request) (f *os.File, size int64, err error) {
	tooLarge := registry.Errorf(registry.TooLarge, "a module zip has at most %d MiB", modzip.MaxZipFile>>20)
	if r.ContentLength > modzip.MaxZipFile+1<<20 {
		return nil, 0, tooLarge
	}
	body, err := content(r.Request)
	if err != nil {
		return nil, 0, err
	}
	if f, err = os.CreateTemp("", "entrepot-module-*.zip"); err != nil {
		return nil, 0, err
	}
	read := &bodyReader{r: body}
	size, err = io.Copy(f, io.LimitReader(read, modzip.MaxZipFile+1))
	switch {
	case read.err != nil:
		err = registry.Errorf(registry.Invalid, "the body broke off: %v", read.err)
	case err == nil && size > modzip.MaxZipFile:
		err = tooLarge
	}
	if err == nil {
		err = r.Registry.CheckSize(size)
	}
	if err != nil {
		discard(f)
		return nil, 0, err
	}
	return f, size, nil
}

func discard(f *os.File) {
	f.Close()
	os.Remove(f.Name()) // the system's own cleaning finds what is left
}

// bodyReader tells errors of the body from those of the disk.
type bodyReader struct {
	r   io.Reader
	err error
}

func (b *bodyReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// content is the body of the request, or the first file of a form.
func content(r *http.Request) (io.Reader, error) {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if !strings.HasPrefix(mediaType, "multipart/") {
		return r.Body, nil
	}
	form, err := r.MultipartReader()
	if err != nil {
		return nil, registry.Errorf(registry.Invalid, "the form cannot be read: %v", err)
	}
	const maxFields = 100
	for range maxFields {
		part, err := form.NextPart()
		if err != nil {
			break
		}
		if part.FileName() != "" {
			return part, nil
		}
	}
	return nil, registry.Errorf(registry.Invalid, "there is no file in the form")
}

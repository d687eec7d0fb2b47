package generic

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/storage"
)

// digests are those published beside a file; see checksumFile.
const digests = storage.SHA256 | storage.SHA512 | storage.MD5

// upload publishes the request's body as a file. All that can be refused is
// refused before the first byte of the body is read, so that a client that
// waits for "100 Continue" never sends a doomed gigabyte.
func upload(w http.ResponseWriter, r *protocols.Request) error {
	c, err := parse(r.Params)
	if err != nil {
		return err
	}
	announced, err := parseDigests(r.Header)
	if err != nil {
		return err
	}
	existing, err := find(r, c)
	if err != nil {
		return err
	}
	overwrite := registry.OverwriteMode(r.Space.Owner.Settings, matches(c.nameKey))
	if err := checkConditions(r.Request, existing, overwrite); err != nil {
		return err
	}
	body, size, err := payload(r.Request)
	if err != nil {
		return err
	}
	if err := r.Registry.CheckSize(size); err != nil {
		return err
	}
	content, err := r.Registry.Store(r.Context(), body, size, digests|announced.needs())
	if err != nil {
		return err
	}
	if err := announced.check(content); err != nil {
		r.Registry.Discard(r.Context(), content)
		return err
	}
	done, err := r.Space.Publish(r.Context(), c.publication(content, overwrite, ifMatch(r.Request)))
	if err != nil {
		return err
	}
	f := done.Files[0]
	w.Header().Set("Location", fileURL(r, done.Package.Name, done.Version.Version, f.Name))
	w.Header().Set("ETag", `"`+f.Edges.Blob.Sha256+`"`)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}

// publication is the file as the registry takes it.
func (c coordinates) publication(content *registry.Stored, overwrite registry.Overwrite, ifMatch string) registry.Publication {
	key, prerelease := registry.NaturalKey(c.version)
	return registry.Publication{
		Name: c.name, NormalizedName: c.nameKey,
		Version: c.version, NormalizedVersion: c.versionKey,
		SortKey: key, Prerelease: prerelease,
		Policy: registry.CreateOrAdd, Overwrite: overwrite, IfMatch: ifMatch,
		Duplicate: "file already exists",
		Files: []registry.File{{
			Name: c.file, NormalizedName: c.fileKey, Lead: true, Content: content,
		}},
	}
}

// find returns the file if it is there, else nil.
func find(r *protocols.Request, c coordinates) (*ent.PackageFile, error) {
	p, err := r.Space.AnyPackage(r.Context(), c.nameKey)
	if err != nil || p == nil {
		return nil, err
	}
	f, err := r.Space.File(r.Context(), p, c.versionKey, c.fileKey, "")
	if registry.CodeOf(err) == registry.NotFound {
		return nil, nil
	}
	return f, err
}

// checkConditions holds the request against the file that is there (RFC 9110,
// section 13.2.2) and against what the owner allows to be overwritten.
func checkConditions(r *http.Request, existing *ent.PackageFile, overwrite registry.Overwrite) error {
	if r.Header.Get("If-None-Match") == "*" && existing != nil {
		return registry.Errorf(registry.Precondition, "file already exists")
	}
	if want := ifMatch(r); want != "" {
		if existing == nil || want != "*" && existing.Edges.Blob.Sha256 != want {
			return registry.Errorf(registry.Precondition, "the file is not the one If-Match names")
		}
	}
	if existing != nil && overwrite == registry.OverwriteNever {
		return registry.Errorf(registry.Conflict, "file already exists")
	}
	return nil
}

// ifMatch is the digest that If-Match names, "*" or nothing.
func ifMatch(r *http.Request) string { return strings.Trim(r.Header.Get("If-Match"), `"`) }

// payload is the body, or the first file of a form. A form's length says
// nothing of the file's. application/x-www-form-urlencoded is what curl says
// of any --data-binary, so it is taken as it is.
func payload(r *http.Request) (body io.Reader, size int64, err error) {
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

// matches returns the test of an overwrite rule's pattern on a package name.
func matches(nameKey string) func(string) bool {
	return func(pattern string) bool {
		ok, err := path.Match(fold(pattern), nameKey)
		return err == nil && ok
	}
}

// Publish publishes a file that did not come over the wire protocol but
// through the API: the same checks, the same result.
func Publish(ctx context.Context, s *registry.Space, name, version, file string, body io.Reader, size int64) (*registry.Published, error) {
	c, err := parse(map[string]string{"name": name, "version": version, "file": file})
	if err != nil {
		return nil, err
	}
	overwrite := registry.OverwriteMode(s.Owner.Settings, matches(c.nameKey))
	if err := s.Registry().CheckSize(size); err != nil {
		return nil, err
	}
	content, err := s.Registry().Store(ctx, body, size, digests)
	if err != nil {
		return nil, err
	}
	return s.Publish(ctx, c.publication(content, overwrite, ""))
}

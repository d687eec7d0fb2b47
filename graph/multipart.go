package graph

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"entrepot/graph/scalar"
	"entrepot/registry"
)

// multipartForm is the transport of operations with a file (GraphQL multipart
// request specification, github.com/jaydenseric/graphql-multipart-request-spec).
// gqlgen's own takes the whole file into memory, or to a temporary file, before
// the operation starts; this one starts the operation when the file begins to
// arrive, and the resolver reads it from the connection. That is why a request
// has one file, after its other parts.
type multipartForm struct{}

// drainLimit is how many bytes of a file that was refused are still read:
// browsers do not look at an answer before they have sent everything.
const drainLimit = 32 << 20

// Supports tells whether the request is one with a file.
func (multipartForm) Supports(r *http.Request) bool {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && r.Method == http.MethodPost && mediaType == "multipart/form-data"
}

// Do runs the operation.
func (multipartForm) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	params, err := readForm(r)
	var resp *graphql.Response
	if err != nil {
		gqlErr := gqlerror.Wrap(err)
		errcode.Set(gqlErr, string(registry.Invalid))
		resp = &graphql.Response{Errors: gqlerror.List{gqlErr}}
	} else {
		resp = execute(r.Context(), exec, params)
	}
	io.CopyN(io.Discard, r.Body, drainLimit)
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
	}
	json.NewEncoder(w).Encode(resp)
}

// readForm reads the parts up to the beginning of the file.
func readForm(r *http.Request) (*graphql.RawParams, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return nil, fmt.Errorf("the form cannot be read: %w", err)
	}
	params := &graphql.RawParams{Headers: r.Header}
	if err := readPart(form, "operations", params); err != nil {
		return nil, err
	}
	places := map[string][]string{}
	if err := readPart(form, "map", &places); err != nil {
		return nil, err
	}
	if len(places) != 1 {
		return nil, fmt.Errorf(`the part "map" names %d files; a request has one`, len(places))
	}
	for key, paths := range places {
		file, err := form.NextPart()
		if err != nil || file.FormName() != key {
			return nil, fmt.Errorf("the third part must be the file %q", key)
		}
		if len(paths) != 1 {
			return nil, fmt.Errorf("the file has %d places; it can have one", len(paths))
		}
		return params, place(params.Variables, paths[0], scalar.NewUpload(file.FileName(), file))
	}
	return params, nil
}

// readPart decodes the next part of the form, which must have that name.
func readPart(form *multipart.Reader, name string, into any) error {
	part, err := form.NextPart()
	if err != nil || part.FormName() != name {
		return fmt.Errorf("the form needs the part %q at this place", name)
	}
	d := json.NewDecoder(io.LimitReader(part, maxBody))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("the part %q cannot be read: %w", name, err)
	}
	return nil
}

// place puts the file where the path says, as "variables.input.file".
func place(variables map[string]any, path string, u scalar.Upload) error {
	root, rest, _ := strings.Cut(path, ".")
	at, ok := map[string]any{"variables": variables}[root].(map[string]any)
	keys := strings.Split(rest, ".")
	for _, key := range keys[:len(keys)-1] {
		if ok {
			at, ok = at[key].(map[string]any)
		}
	}
	last := keys[len(keys)-1]
	if value, there := at[last]; !ok || !there || value != nil {
		return fmt.Errorf("the operation has no variable that waits for a file at %q", path)
	}
	at[last] = u
	return nil
}

package rubygems

import (
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// maxFiles is the most files of a version that a yank looks through.
const maxFiles = 1000

// yank removes one file of a version: that of the platform, or that of all
// platforms. The last file takes the version along.
//
// https://guides.rubygems.org/rubygems-org-api/#delete---apiv1gemsyank
func yank(w http.ResponseWriter, r *protocols.Request) error {
	form, err := readYank(r)
	if err != nil {
		return err
	}
	name, number := form.Get("gem_name"), form.Get("version")
	if name == "" || number == "" {
		return registry.Errorf(registry.Invalid, "want gem_name and version")
	}
	v, err := parseVersion(number)
	if err != nil {
		return err
	}
	platform, err := platformOf(form.Get("platform"))
	if err != nil {
		return err
	}
	p, err := findGem(r, name, access.Delete)
	if err != nil {
		return err
	}
	f, err := yanked(r, p, v, platform)
	if err != nil {
		return err
	}
	if err := r.Space.DeleteFile(r.Context(), p, f, attestationsOf(f.NormalizedName)); err != nil {
		return err
	}
	return say(w, r, http.StatusOK, "Successfully deleted gem: "+title(p.Name, v, platform))
}

// yanked finds the file that is to go. Error: NotFound, which names those that
// are there.
func yanked(r *protocols.Request, p *ent.Pkg, v version, platform string) (*ent.PackageFile, error) {
	stored, err := r.Space.Version(r.Context(), p, v.identity())
	if registry.CodeOf(err) == registry.NotFound {
		return nil, registry.Errorf(registry.NotFound, "The version %s of %s does not exist.", v, p.Name)
	}
	if err != nil {
		return nil, err
	}
	files, err := r.Space.Files(r.Context(), stored, 0, maxFiles)
	if err != nil {
		return nil, err
	}
	var others []string
	for _, f := range files {
		if f.Lead && f.CompositeKey == platform {
			return f, nil
		}
		if f.Lead {
			others = append(others, f.CompositeKey)
		}
	}
	slices.Sort(others)
	return nil, registry.Errorf(registry.NotFound, "The version %s of %s does not exist for the platform %s, but for: %s.",
		v, p.Name, platform, strings.Join(others, ", "))
}

// readYank reads the form of a yank, which gem sends as the body of a DELETE.
// Others send a form of several parts, or a query.
func readYank(r *protocols.Request) (url.Values, error) {
	form := r.URL.Query()
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	body := io.LimitReader(r.Body, maxForm+1)
	if kind == "multipart/form-data" {
		return form, readFields(form, multipart.NewReader(body, params["boundary"]))
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, registry.Errorf(registry.Invalid, "the body broke off: %v", err)
	}
	if len(raw) > maxForm {
		return nil, registry.Errorf(registry.TooLarge, "the form is longer than %d bytes", maxForm)
	}
	fields, err := url.ParseQuery(strings.TrimSpace(string(raw)))
	if err != nil {
		return nil, registry.Errorf(registry.Invalid, "the form cannot be read: %v", err)
	}
	for name, values := range fields {
		form[name] = values
	}
	return form, nil
}

func readFields(form url.Values, parts *multipart.Reader) error {
	for range maxParts {
		part, err := parts.NextPart()
		if err == io.EOF { // not errors.Is: a form that is cut off wraps it
			return nil
		}
		if err != nil {
			return registry.Errorf(registry.Invalid, "the form cannot be read: %v", err)
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return registry.Errorf(registry.Invalid, "the form cannot be read: %v", err)
		}
		form.Set(part.FormName(), string(value))
	}
	return registry.Errorf(registry.Invalid, "the form has more than %d fields", maxParts)
}

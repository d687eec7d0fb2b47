package helm

import (
	"context"
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"entrepot/protocols"
	"entrepot/registry"
)

// maxParts bounds the fields of a form.
const maxParts = 20

// uploaded is what a request brought: a chart, its signature, or both.
type uploaded struct {
	content *registry.Stored
	prov    *provenance
}

// upload publishes a chart: the body itself, or a form with it and with its
// provenance file, or with that alone.
func upload(w http.ResponseWriter, r *protocols.Request) error {
	u, err := receive(r)
	if err != nil {
		return err
	}
	if u.content == nil {
		return addProvenance(w, r, u.prov)
	}
	p, redescribed, err := publication(r, u)
	if err != nil {
		r.Registry.Discard(r.Context(), u.content)
		return err
	}
	// From here on the contents are the registry's.
	done, err := r.Space.Publish(r.Context(), *p)
	if err != nil {
		return err
	}
	if redescribed && done.Version.Deprecated != p.Status.Deprecated {
		err := r.Space.SetStatus(r.Context(), done.Package, map[string]registry.Status{p.NormalizedVersion: p.Status})
		if err != nil {
			return err
		}
	}
	saved(w, r)
	return nil
}

// saved is the answer to a publish; cm-push looks at the status alone.
func saved(w http.ResponseWriter, r *protocols.Request) {
	protocols.WriteJSON(w, r.Request, http.StatusCreated, map[string]bool{"saved": true})
}

// receive reads the body. Only multipart/form-data is a form: curl says
// application/x-www-form-urlencoded of any --data-binary.
func receive(r *protocols.Request) (u uploaded, err error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		u.content, err = store(r, r.Body, r.ContentLength)
		return u, err
	}
	err = u.readForm(r, multipart.NewReader(r.Body, params["boundary"]))
	if err == nil && u.content == nil && u.prov == nil {
		err = registry.FieldErrorf("chart", "the form has neither a chart nor a prov")
	}
	if err != nil {
		r.Registry.Discard(r.Context(), u.content)
	}
	return u, err
}

func (u *uploaded) readForm(r *protocols.Request, form *multipart.Reader) error {
	for range maxParts {
		part, err := form.NextPart()
		if err == io.EOF { // not errors.Is: a form that is cut off wraps it
			return nil
		}
		if err != nil {
			return registry.Errorf(registry.Invalid, "the form cannot be read: %v", err)
		}
		switch part.FormName() {
		case "chart":
			if u.content != nil {
				return registry.FieldErrorf("chart", "the form has several charts")
			}
			u.content, err = store(r, part, -1)
		case "prov":
			if u.prov != nil {
				return registry.FieldErrorf("prov", "the form has several provenance files")
			}
			u.prov, err = readProvenance(part)
		}
		if err != nil {
			return err
		}
	}
	return registry.Errorf(registry.Invalid, "the form has more than %d fields", maxParts)
}

func store(r *protocols.Request, body io.Reader, size int64) (*registry.Stored, error) {
	if err := r.Registry.CheckSize(size); err != nil {
		return nil, err
	}
	content, err := r.Registry.Store(r.Context(), body, size, 0)
	if err != nil {
		return nil, err
	}
	if content.Size == 0 {
		r.Registry.Discard(r.Context(), content)
		return nil, badArchive("the body is empty")
	}
	return content, nil
}

// forced tells whether what is there may be replaced, by ?force with any
// value.
func forced(r *protocols.Request) bool { return r.URL.Query().Has("force") }

func overwrite(r *protocols.Request) registry.Overwrite {
	if forced(r) {
		return registry.OverwriteAlways
	}
	return registry.OverwriteIdentical
}

// publication is what the registry takes of a chart, and whether it takes the
// place of another one of its version: then nothing of that stays, its
// signature neither.
func publication(r *protocols.Request, u uploaded) (p *registry.Publication, replaces bool, err error) {
	a, err := inspect(r, u.content)
	if err != nil {
		return nil, false, err
	}
	c, digest := a.chart, u.content.Sums.SHA256
	normalized := normalize(c.semver)
	file := registry.File{
		Name: chartFile(c.Name, c.Version), NormalizedName: chartFile(c.Name, normalized),
		MediaType: chartType, Lead: true, Content: u.content,
	}
	file.Properties = []registry.Property{fileNamed(r, file.Name)}
	if u.prov != nil {
		if err := u.prov.matches(c.Name, c.Version, digest); err != nil {
			return nil, false, err
		}
	}
	if err := unambiguous(r, c.Name, file.Name); err != nil {
		return nil, false, err
	}
	if file.Fragment, err = entry(c, digest); err != nil {
		return nil, false, err
	}
	if replaces, err = isOther(r, c.Name, normalized, digest); err != nil {
		return nil, false, err
	}
	if replaces = replaces && forced(r); replaces {
		file.Displaces = []string{file.NormalizedName + provEnding}
	}
	p = &registry.Publication{
		Name: c.Name, NormalizedName: c.Name, Version: c.Version, NormalizedVersion: normalized,
		SortKey: registry.SemVerKey(c.semver), Prerelease: c.semver.Prerelease() != "",
		Facts: liftFacts(a), Metadata: newMetadata(a), Status: registry.Status{Deprecated: c.Deprecated},
		Policy: registry.CreateOrAdd, Overwrite: overwrite(r), Redescribe: replaces,
		Duplicate: file.Name + " already exists",
		Check:     sameSpelling(c.Version, normalized),
		Files:     []registry.File{file},
	}
	if u.prov != nil {
		f, err := u.prov.file(r, file)
		if err != nil {
			r.Registry.Discard(r.Context(), f.Content)
			return nil, false, err
		}
		p.Files = append(p.Files, f)
	}
	return p, replaces, nil
}

// inspect reads a stored chart.
func inspect(r *protocols.Request, content *registry.Stored) (*archive, error) {
	f, err := r.Registry.OpenStored(r.Context(), content)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readArchive(f)
}

// isOther tells whether there is a chart of the version with other bytes.
func isOther(r *protocols.Request, name, normalized, digest string) (bool, error) {
	p, err := r.Space.AnyPackage(r.Context(), name)
	if err != nil || p == nil {
		return false, err
	}
	f, err := r.Space.File(r.Context(), p, normalized, chartFile(name, normalized), "")
	if registry.CodeOf(err) == registry.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return f.Edges.Blob.Sha256 != digest, nil
}

// unambiguous refuses a file that is called as one of another chart.
func unambiguous(r *protocols.Request, name, file string) error {
	found, err := r.Space.FileWith(r.Context(), fileNamed(r, file))
	if registry.CodeOf(err) == registry.NotFound {
		return nil
	}
	if err == nil && found.Package != name {
		err = registry.Errorf(registry.Conflict, "%s already exists: it is a file of the chart %s", file, found.Package)
	}
	return err
}

// sameSpelling refuses v1.2.3 where there is 1.2.3, within the transaction.
func sameSpelling(version, normalized string) func(context.Context, registry.Holdings) error {
	return func(ctx context.Context, h registry.Holdings) error {
		there, err := h.Versions(ctx, []string{normalized})
		if err != nil {
			return err
		}
		if v := there[normalized]; v != nil && v.Version != version {
			return registry.Errorf(registry.Conflict, "there is a version %s already, which is the same as %s", v.Version, version)
		}
		return nil
	}
}

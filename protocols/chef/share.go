package chef

import (
	"bufio"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/storage"
)

const (
	// archiveKey is the normalized name of every archive.
	archiveKey = "archive"
	// dependencyProperty is a property of a version with a cookbook it needs.
	dependencyProperty = "chef.dependency"
	// maxParts bounds the parts of a form, maxCookbook the text part in bytes.
	maxParts    = 20
	maxCookbook = 64 << 10
	// otherCategory is the category of cookbooks without.
	otherCategory = "Other"
)

// form is what knife sends: the archive, and a word on it.
type form struct {
	archive  *registry.Stored
	category string
}

// share publishes a version of a cookbook.
// https://docs.chef.io/supermarket/supermarket_api/#post-cookbooks
func (s *signed) share(w http.ResponseWriter, r *protocols.Request) error {
	f, err := readForm(r)
	if err != nil {
		return err
	}
	p, err := publication(r, f)
	if err == nil {
		err = s.shareOnce(r, p)
	}
	if err != nil {
		r.Registry.Discard(r.Context(), f.archive)
		return err
	}
	done, err := r.Space.Publish(r.Context(), p)
	if err != nil {
		return err
	}
	root, _, err := base(r, done.Package)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	protocols.WriteJSON(w, r.Request, http.StatusCreated, map[string]string{
		"uri": urls{root}.cookbook(done.Package.Name), "name": done.Package.Name, "version": done.Version.Version,
	})
	return nil
}

// duplicate is what knife looks for.
const duplicate = "Version already exists"

// shareOnce refuses a signed request that was taken before, unless it is told
// anyway that its version is there.
func (s *signed) shareOnce(r *protocols.Request, p registry.Publication) error {
	if sig, err := parseSignature(r.Header); sig == nil || err != nil {
		return err
	}
	known, err := r.Space.AnyPackage(r.Context(), p.NormalizedName)
	if err != nil {
		return err
	}
	if known != nil {
		_, err := r.Space.File(r.Context(), known, p.NormalizedVersion, archiveKey, "")
		if err == nil {
			return registry.Errorf(registry.Conflict, duplicate)
		}
		if registry.CodeOf(err) != registry.NotFound {
			return err
		}
	}
	return s.once(r)
}

// readForm reads a form to its end and stores the archive on the way. When it
// fails nothing stays stored.
func readForm(r *protocols.Request) (*form, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, registry.Errorf(registry.Invalid, "a cookbook is sent as a form of the type multipart/form-data")
	}
	f := &form{category: otherCategory}
	err = f.read(r, parts)
	if err == nil {
		err = checkContent(r, f.archive.Sums.SHA1, f.archive.Sums.SHA256)
	}
	if err != nil {
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
				return registry.FieldErrorf("tarball", "the form has no tarball")
			}
			return nil
		}
		if err != nil {
			return registry.Errorf(registry.Invalid, "the form cannot be read: %v", err)
		}
		switch part.FormName() {
		case "tarball":
			if f.archive != nil {
				return registry.FieldErrorf("tarball", "the form has several tarballs")
			}
			if f.archive, err = r.Registry.Store(r.Context(), part, -1, storage.SHA1|storage.SHA256); err != nil {
				return err
			}
		case "cookbook":
			if err := f.describe(part); err != nil {
				return err
			}
		}
	}
	return registry.Errorf(registry.Invalid, "the form has more than %d parts", maxParts)
}

// describe reads the word on a cookbook.
func (f *form) describe(part io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(part, maxCookbook+1))
	if err != nil {
		return registry.Errorf(registry.Invalid, "the form cannot be read: %v", err)
	}
	var cookbook struct {
		Category string `json:"category"`
	}
	if err := json.Unmarshal(raw, &cookbook); err != nil || len(raw) > maxCookbook {
		return registry.FieldErrorf("cookbook", `the part cookbook is no JSON such as {"category":"Utilities"}`)
	}
	if category := protocols.CutText(line(protocols.CleanText(cookbook.Category)), 100); category != "" {
		f.category = category
	}
	return nil
}

// publication is the version as the registry takes it.
func publication(r *protocols.Request, f *form) (registry.Publication, error) {
	var p registry.Publication
	content, err := r.Registry.OpenStored(r.Context(), f.archive)
	if err != nil {
		return p, err
	}
	defer content.Close()
	a, err := inspect(bufio.NewReaderSize(content, 64<<10))
	if err != nil {
		return p, err
	}
	m := a.metadata
	fragment, err := json.Marshal(m.record(f.category))
	if err != nil {
		return p, err
	}
	p = registry.Publication{
		Name: m.name, NormalizedName: fold(m.name),
		Version: m.version.text, NormalizedVersion: m.version.normalized(),
		SortKey:   m.version.sortKey(),
		Facts:     a.facts(f.category),
		Metadata:  a.kept(f.category),
		Policy:    registry.CreateVersion,
		Duplicate: duplicate,
		Files: []registry.File{{
			Name: m.name + "-" + m.version.text + ".tar.gz", NormalizedName: archiveKey, Lead: true,
			MediaType: archiveType, Content: f.archive, Fragment: fragment,
		}},
	}
	for name := range m.dependencies {
		p.Properties = append(p.Properties, registry.Property{Name: dependencyProperty, Value: fold(name)})
	}
	return p, nil
}

// archiveType is the type of archives.
const archiveType = "application/gzip"

// removeVersion takes a version away, and the cookbook with its last.
func removeVersion(w http.ResponseWriter, r *protocols.Request) error {
	p, version, err := findVersion(r, access.Delete)
	if err != nil {
		return err
	}
	err = r.Space.DeleteVersions(r.Context(), p, []string{version}, nil)
	if registry.CodeOf(err) == registry.NotFound {
		return noVersion(p, r.Params["version"])
	}
	if err != nil {
		return err
	}
	protocols.WriteJSON(w, r.Request, http.StatusOK, map[string]string{"name": p.Name, "version": version})
	return nil
}

// removeCookbook takes a cookbook away.
func removeCookbook(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findPackage(r, access.Delete)
	if err != nil {
		return err
	}
	if err := r.Space.DeletePackage(r.Context(), p); err != nil {
		return err
	}
	protocols.WriteJSON(w, r.Request, http.StatusOK, map[string]string{"name": p.Name})
	return nil
}

// deprecated is the state of a cookbook that is not to be used any more. The
// reason is the one to use instead: a name or a URL.
const deprecated = "deprecated"

// deprecate marks a cookbook as deprecated.
func deprecate(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findPackage(r, access.Write)
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxCookbook))
	if err != nil {
		return registry.Errorf(registry.Invalid, "the body cannot be read: %v", err)
	}
	var body struct {
		Replacement string `json:"replacement"`
	}
	if err := json.Unmarshal(raw, &body); err != nil && len(raw) > 0 {
		return registry.FieldErrorf("replacement", `the body is no JSON such as {"replacement":"other"}`)
	}
	replacement := strings.TrimSpace(body.Replacement)
	if replacement != "" && !validName(replacement) && protocols.WebURL(replacement) == "" {
		return registry.FieldErrorf("replacement", "the replacement %.200q is neither a cookbook's name nor a URL", replacement)
	}
	if fold(replacement) == p.NormalizedName {
		return registry.FieldErrorf("replacement", "a cookbook does not replace itself")
	}
	if err := r.Space.SetState(r.Context(), p, registry.PackageState{State: deprecated, Reason: replacement}); err != nil {
		return err
	}
	protocols.WriteJSON(w, r.Request, http.StatusOK, map[string]string{"name": p.Name, "replacement": replacement})
	return nil
}

// undeprecate takes the mark away.
func undeprecate(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findPackage(r, access.Write)
	if err != nil {
		return err
	}
	if err := r.Space.SetState(r.Context(), p, registry.PackageState{}); err != nil {
		return err
	}
	protocols.WriteJSON(w, r.Request, http.StatusOK, map[string]string{"name": p.Name})
	return nil
}

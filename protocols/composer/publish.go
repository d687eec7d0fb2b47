package composer

import (
	"net/http"
	"regexp"
	"strings"
	"time"

	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/storage"
)

// archiveKey is the normalized name of a version's one file: a development
// version that is published anew may come as another kind of archive, and
// takes the place of the former all the same.
const archiveKey = "archive"

// kindProperty is the property of a version with its type.
const kindProperty = "composer.type"

// publish takes an archive in. The version may stand in the address, and the
// commit it was made of.
func publish(w http.ResponseWriter, r *protocols.Request) error {
	query := r.URL.Query()
	reference := query.Get("reference")
	if reference != "" && !validReference(reference) {
		return registry.FieldErrorf("reference", "%.200q is no reference: use 1 to 128 letters, digits and . _ / -, no - first", reference)
	}
	content, err := r.Registry.Store(r.Context(), r.Body, r.ContentLength, storage.SHA1)
	if err != nil {
		return err
	}
	p, err := publication(r, content, query.Get("version"), reference)
	if err != nil {
		r.Registry.Discard(r.Context(), content)
		return err
	}
	// From here on the content is the registry's.
	published, err := r.Space.Publish(r.Context(), *p)
	if err != nil {
		return err
	}
	protocols.WriteJSON(w, r.Request, http.StatusCreated, map[string]string{
		"name": p.Name, "version": published.Version.Version, "version_normalized": p.NormalizedVersion,
	})
	return nil
}

// reference is the rule for what names a commit. What begins with a dash
// clients would take for an option.
var reference = regexp.MustCompile(`^[A-Za-z0-9._/][A-Za-z0-9._/-]{0,127}$`)

func validReference(text string) bool { return reference.MatchString(text) }

// publication looks into the stored archive and makes of it what the registry
// takes. Error: Invalid, for whatever is wrong with it.
func publication(r *protocols.Request, content *registry.Stored, asked, reference string) (*registry.Publication, error) {
	body, err := r.Registry.OpenStored(r.Context(), content)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	a, err := openArchive(body, content.Size)
	if err != nil {
		return nil, err
	}
	raw, folder, err := a.findManifest()
	if err != nil {
		return nil, err
	}
	m, err := parseManifest(raw)
	if err != nil {
		return nil, err
	}
	v, err := m.version(asked)
	if err != nil {
		return nil, err
	}
	readmeFile, _ := m.text("readme")
	readme, err := a.findReadme(folder, readmeFile)
	if err != nil {
		return nil, err
	}
	if reference == "" {
		reference = content.Sums.SHA1
	}
	name := m.name()
	head := entryHead{File: fileName(name, v, a.format), Dist: a.format.distType(), Reference: reference, SHA1: content.Sums.SHA1}
	p := &registry.Publication{
		Name: name, NormalizedName: name,
		Version: v.pretty, NormalizedVersion: v.normal, SortKey: v.sortKey(), Prerelease: v.prerelease(),
		Facts: liftFacts(m, readme), Metadata: newMetadata(m),
		Properties: []registry.Property{{Name: kindProperty, Value: m.kind()}},
		Files: []registry.File{{
			Name: head.File, NormalizedName: archiveKey, MediaType: a.format.mediaType(), Lead: true,
			Content: content, Fragment: newEntry(m, v, head, time.Now()).encode(),
		}},
		Policy: registry.CreateVersion,
	}
	if v.dev {
		// A branch moves on: what it was before is not kept.
		p.Policy, p.Overwrite, p.Redescribe = registry.CreateOrAdd, registry.OverwriteAlways, true
	}
	return p, nil
}

// fileName is what the archive of a version is called.
func fileName(name string, v version, f format) string {
	return strings.ReplaceAll(name, "/", "-") + "." + strings.ToLower(strings.ReplaceAll(v.pretty, "/", "-")) + "." + string(f)
}

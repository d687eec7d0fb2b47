package pypi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"entrepot/protocols"
	"entrepot/registry"
)

// upload publishes one file of a release, which is made when it is the first.
//
// https://peps.python.org/pep-0694/
func upload(w http.ResponseWriter, r *protocols.Request) error {
	f, err := readForm(r)
	var p *registry.Publication
	if err == nil {
		p, err = publication(r, f)
	}
	if err != nil {
		r.Registry.Discard(r.Context(), f.content)
		return err
	}
	// From here on the contents are the registry's.
	if _, err := r.Space.Publish(r.Context(), *p); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, "%s is published\n", f.filename) // the client is told or gone
	return nil
}

// publication checks what was received and makes of it what the registry
// takes. Error: Invalid, for whatever does not agree.
func publication(r *protocols.Request, f *form) (*registry.Publication, error) {
	project, v, err := f.check()
	if err != nil {
		return nil, err
	}
	kind, err := checkFilename(f.filename, project, v)
	if err != nil {
		return nil, err
	}
	if said := f.text("filetype"); said != "" && said != string(kind) {
		return nil, registry.FieldErrorf("filetype", "%s is a %s, not a %.100q", f.filename, kind, said)
	}
	attestations := f.text("attestations")
	if attestations != "" && json.Unmarshal([]byte(attestations), &[]json.RawMessage{}) != nil {
		return nil, registry.FieldErrorf("attestations", "the attestations are not a JSON array")
	}
	raw, err := openMetadata(r, f)
	if err != nil {
		return nil, err
	}
	m, err := parseMetadata(raw)
	if err != nil {
		return nil, badArchive("its metadata: %v", err)
	}
	if err := m.agree(project, v); err != nil {
		return nil, err
	}
	m.fill(f)
	p := &registry.Publication{
		Name: f.text("name"), NormalizedName: project,
		Version: v.String(), NormalizedVersion: v.identity(),
		SortKey: v.sortKey(), Prerelease: v.prerelease(),
		Facts: liftFacts(m), Metadata: newMetadata(m),
		Policy: registry.CreateOrAdd, Redescribe: true, Respell: true, Check: acceptsUploads,
		Duplicate: "File already exists: " + f.filename,
	}
	return p, addFiles(r, p, f, kind, m, raw, attestations)
}

// openMetadata reads the core metadata out of the stored distribution.
func openMetadata(r *protocols.Request, f *form) ([]byte, error) {
	content, err := r.Registry.OpenStored(r.Context(), f.content)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	return readMetadata(content, f.content.Size, f.filename)
}

// addFiles adds the distribution to the publication, and beside it what is
// served or kept with it: a wheel's metadata, so that installers resolve
// without fetching it (PEP 658), and attestations (PEP 740). An error leaves
// only the form's own content to discard.
func addFiles(r *protocols.Request, p *registry.Publication, f *form, kind kind, m coreMetadata, raw []byte, attestations string) error {
	e := entry{
		Filename: f.filename, Kind: kind, Size: f.content.Size, SHA256: f.content.Sums.SHA256,
		RequiresPython: protocols.CutText(protocols.OneLine(m.text("requires-python")), maxLine),
		Uploaded:       time.Now().UTC().Truncate(time.Microsecond),
	}
	beside := []struct {
		name, mediaType string
		body            []byte
	}{
		{attestationsFile(f.filename), "application/json", []byte(attestations)},
		{metadataFile(f.filename), "application/octet-stream", nil},
	}
	if kind == wheel {
		beside[1].body = raw
	}
	var added []registry.File
	discard := func(err error) error {
		for _, file := range added {
			r.Registry.Discard(r.Context(), file.Content)
		}
		return err
	}
	for _, file := range beside {
		if len(file.body) == 0 {
			continue
		}
		content, err := r.Registry.Store(r.Context(), bytes.NewReader(file.body), int64(len(file.body)), 0)
		if err != nil {
			return discard(err)
		}
		if file.name == metadataFile(f.filename) {
			e.MetadataSHA256 = content.Sums.SHA256
		}
		added = append(added, registry.File{
			Name: file.name, NormalizedName: file.name, MediaType: file.mediaType, Content: content,
		})
	}
	fragment, err := e.encode()
	if err != nil {
		return discard(err)
	}
	properties := []registry.Property{{Name: "pypi.filetype", Value: string(kind)}}
	if e.RequiresPython != "" {
		properties = append(properties, registry.Property{Name: "pypi.requires_python", Value: e.RequiresPython})
	}
	if e.MetadataSHA256 != "" {
		properties = append(properties, registry.Property{Name: "pypi.metadata_sha256", Value: e.MetadataSHA256})
	}
	p.Files = append([]registry.File{{
		Name: f.filename, NormalizedName: f.filename, MediaType: mediaType(f.filename), Lead: true,
		Content: f.content, Fragment: fragment, Properties: properties,
	}}, added...)
	return nil
}

// mediaType is what a file is told to be in lists; it is sent as bytes.
func mediaType(filename string) string {
	if filename[len(filename)-1] == 'z' {
		return "application/gzip"
	}
	return "application/zip"
}

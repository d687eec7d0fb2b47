package arch

import (
	"crypto/sha512"
	"encoding"
	"io"
	"net/http"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/storage"
)

// mediaType is that of a package.
const mediaType = "application/octet-stream"

// put publishes what the body is: a packager's signature if the path ends in
// the name of one, else a package. A path may end in the package's file name,
// which curl appends to folders.
func put(w http.ResponseWriter, r *protocols.Request) error {
	group, file, ok := cutLast(r.Params["group"], "/")
	if !ok {
		group, file = "", r.Params["group"]
	}
	if id, err := parseFile(strings.TrimSuffix(file, signatureEnding)); err == nil {
		if err := checkGroup(group); err != nil {
			return err
		}
		if strings.HasSuffix(file, signatureEnding) {
			return uploadSignature(w, r, place{group, id.arch}, id, strings.TrimSuffix(file, signatureEnding))
		}
		return upload(w, r, group, file)
	}
	if err := checkGroup(r.Params["group"]); err != nil {
		return err
	}
	return upload(w, r, r.Params["group"], "")
}

// upload publishes a package into a group. file is the name the path gives it,
// or "".
func upload(w http.ResponseWriter, r *protocols.Request, group, file string) error {
	body, size, err := protocols.Payload(r.Request)
	if err != nil {
		return err
	}
	if err := r.Registry.CheckSize(size); err != nil {
		return err
	}
	// The state of this hash is kept: that of the store's ends with the upload.
	sum := sha512.New()
	content, err := r.Registry.Store(r.Context(), io.TeeReader(body, sum), size, storage.MD5)
	if err != nil {
		return err
	}
	publication, at, err := read(r, content, group, file, sum.(encoding.BinaryMarshaler))
	if err != nil {
		r.Registry.Discard(r.Context(), content)
		return err
	}
	if _, err := r.Space.Publish(r.Context(), publication); err != nil {
		return err
	}
	w.Header().Set("Location", r.Root()+"/"+at)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}

// read reads stored content, and tells the path it will have.
func read(r *protocols.Request, content *registry.Stored, group, file string, state encoding.BinaryMarshaler) (registry.Publication, string, error) {
	var none registry.Publication
	f, err := r.Registry.OpenStored(r.Context(), content)
	if err != nil {
		return none, "", err
	}
	defer f.Close()
	p, err := readPack(f, content.Size)
	if err != nil {
		return none, "", err
	}
	name := p.file(p.compression)
	if file != "" && file != name {
		return none, "", registry.FieldErrorf("file", "the package in the body is %s, not %s", name, file)
	}
	sum, err := state.MarshalBinary()
	if err != nil {
		return none, "", err
	}
	fragment, err := p.keep(sum)
	if err != nil {
		return none, "", err
	}
	at := place{group, p.arch}
	return p.publication(at, content, fragment), at.path(name), nil
}

// publication is the package as the registry takes it.
func (p *pack) publication(at place, content *registry.Stored, fragment []byte) registry.Publication {
	in := "the group " + at.group
	if at.group == "" {
		in = "the group without a name"
	}
	return registry.Publication{
		Name: p.name, NormalizedName: p.name, Version: p.version, NormalizedVersion: p.version,
		SortKey: sortKey(p.version), Facts: liftFacts(p.info), Metadata: liftMetadata(p.info),
		Policy: registry.CreateOrAdd, Overwrite: registry.OverwriteNever,
		Duplicate: p.stem() + " is in " + in + " already",
		Files: []registry.File{{
			Name: p.file(p.compression), NormalizedName: p.stem(), CompositeKey: at.key(), MediaType: mediaType, Lead: true,
			Fragment: fragment, Content: content,
			Properties: []registry.Property{
				{Name: "arch.repository", Value: at.group},
				{Name: "arch.architecture", Value: p.arch},
			},
		}},
	}
}

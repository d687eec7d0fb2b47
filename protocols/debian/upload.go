package debian

import (
	"net/http"

	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/storage"
)

// digests are those an index names.
const digests = storage.MD5 | storage.SHA256

// upload publishes a package into a place.
func upload(w http.ResponseWriter, r *protocols.Request) error {
	at, err := parsePlace(r.Params)
	if err != nil {
		return err
	}
	body, size, err := protocols.Payload(r.Request)
	if err != nil {
		return err
	}
	if err := r.Registry.CheckSize(size); err != nil {
		return err
	}
	content, err := r.Registry.Store(r.Context(), body, size, digests)
	if err != nil {
		return err
	}
	p, err := read(r, content)
	if err != nil {
		r.Registry.Discard(r.Context(), content)
		return err
	}
	if _, err := r.Space.Publish(r.Context(), p.publication(at, registry.File{Content: content})); err != nil {
		return err
	}
	w.Header().Set("Location", r.Root()+"/"+at.pool(p.file()))
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}

// pack is what an uploaded package says of itself.
type pack struct {
	identity
	control stanza
}

// read reads the control file of stored content.
func read(r *protocols.Request, content *registry.Stored) (*pack, error) {
	if content.Size == 0 {
		return nil, badPackage("the body is empty")
	}
	f, err := r.Registry.OpenStored(r.Context(), content)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := readControl(f, content.Size)
	if err != nil {
		return nil, err
	}
	return parsePack(text)
}

// parsePack reads a control file and what of it tells packages apart.
func parsePack(text []byte) (*pack, error) {
	control, err := parseControl(text)
	if err != nil {
		return nil, err
	}
	if kind := control.line("Package-Type"); kind != "" && kind != "deb" {
		return nil, registry.FieldErrorf("Package-Type", "Package-Type: packages of the type %.40q are not served yet", kind)
	}
	id, err := parseIdentity(control.text("Package"), control.text("Version"), control.text("Architecture"))
	if err != nil {
		return nil, err
	}
	return &pack{id, control}, nil
}

// publication is the package as the registry takes it, with f as its file but
// for the file's name.
func (p *pack) publication(at place, f registry.File) registry.Publication {
	f.Name, f.NormalizedName, f.CompositeKey = p.file(), p.file(), at.key()
	f.MediaType, f.Lead, f.Fragment = mediaType, true, p.control.fragment()
	f.Properties = []registry.Property{
		{Name: "debian.distribution", Value: at.distribution},
		{Name: "debian.component", Value: at.component},
		{Name: "debian.architecture", Value: p.arch},
	}
	return registry.Publication{
		Name: p.name, NormalizedName: p.name, Version: p.version, NormalizedVersion: p.version,
		SortKey: sortKey(p.version), Facts: liftFacts(p.control), Metadata: liftMetadata(p.control),
		Policy: registry.CreateOrAdd, Overwrite: registry.OverwriteNever,
		Duplicate: p.file() + " is in " + at.distribution + "/" + at.component + " already",
		Files:     []registry.File{f},
	}
}

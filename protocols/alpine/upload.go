package alpine

import (
	"net/http"

	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/storage"
)

// mediaType is that of a package.
const mediaType = "application/octet-stream"

// upload publishes a package into a repository.
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
	content, err := r.Registry.Store(r.Context(), body, size, storage.SHA256)
	if err != nil {
		return err
	}
	p, err := read(r, content)
	if err != nil {
		r.Registry.Discard(r.Context(), content)
		return err
	}
	published, err := r.Space.Publish(r.Context(), p.publication(at, registry.File{Content: content, Fragment: p.block(content.Size)}))
	if err != nil {
		return err
	}
	if published.NewVersion && published.Package.VersionCount == 1 {
		// To make the owner's first key takes seconds, which the first reader
		// of an index is not to wait. The package is there without it.
		if _, err := r.Space.Keys(r.Context()); err != nil {
			return err
		}
	}
	created(w, r, at, p.arch, p.file())
	return nil
}

func created(w http.ResponseWriter, r *protocols.Request, at place, arch, file string) {
	w.Header().Set("Location", r.Root()+"/"+at.String()+"/"+arch+"/"+file)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
}

// read reads stored content.
func read(r *protocols.Request, content *registry.Stored) (*pack, error) {
	f, err := r.Registry.OpenStored(r.Context(), content)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readPack(f)
}

// publication is the package as the registry takes it, with f as its file but
// for the file's name.
func (p *pack) publication(at place, f registry.File) registry.Publication {
	f.Name, f.NormalizedName, f.CompositeKey = p.file(), p.file(), at.key(p.arch)
	f.MediaType, f.Lead = mediaType, true
	f.Properties = []registry.Property{
		{Name: "alpine.branch", Value: at.branch},
		{Name: "alpine.repository", Value: at.repository},
		{Name: "alpine.architecture", Value: p.arch},
	}
	return registry.Publication{
		Name: p.name, NormalizedName: p.name, Version: p.version, NormalizedVersion: p.version,
		SortKey: sortKey(p.version), Prerelease: isPrerelease(p.version),
		Facts: liftFacts(p.info), Metadata: liftMetadata(p.info),
		Policy: registry.CreateOrAdd, Overwrite: registry.OverwriteNever,
		Duplicate: p.file() + " for " + p.arch + " is in " + at.String() + " already",
		Files:     []registry.File{f},
	}
}

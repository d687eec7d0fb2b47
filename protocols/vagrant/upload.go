package vagrant

import (
	"context"
	"encoding/json"
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/storage"
)

// fragment is what the document says of a file.
type fragment struct {
	Provider     string `json:"provider"`
	Architecture string `json:"architecture,omitempty"`
	SHA512       string `json:"sha512"`
}

// Media types of files, which also tell whether a box says what it is.
const (
	mediaBox = "application/vnd.vagrant.box"
	// mediaOldBox is one without metadata.json.
	mediaOldBox = "application/vnd.vagrant.box; version=1"
)

// upload publishes the body as the box of a provider. What can be refused
// before its first byte is read, is.
func upload(w http.ResponseWriter, r *protocols.Request) error {
	c, err := parse(r.Params)
	if err != nil {
		return err
	}
	if err := checkNew(r, c); err != nil {
		return err
	}
	if err := r.Registry.CheckSize(r.ContentLength); err != nil {
		return err
	}
	content, found, err := receive(r, c)
	if err != nil {
		return err
	}
	p, err := publication(c, content, found)
	if err != nil {
		r.Registry.Discard(r.Context(), content)
		return err
	}
	done, err := r.Space.Publish(r.Context(), p)
	if err != nil {
		return err
	}
	w.Header().Set("Location", r.Root()+boxPath(done.Package.Name, c.version.text, c.provider, c.architecture))
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}

// checkNew refuses what is there already, and boxes that the viewer may not
// write to.
func checkNew(r *protocols.Request, c coordinates) error {
	p, err := r.Space.AnyPackage(r.Context(), fold(c.name))
	if err != nil || p == nil {
		return err
	}
	if !r.Space.Can(access.Write, p) {
		_, err := r.Space.Package(r.Context(), fold(c.name), access.Write)
		return err
	}
	if err := checkSpelling(r.Context(), r.Space.Holdings(p), c.version); err != nil {
		return err
	}
	_, err = r.Space.File(r.Context(), p, c.version.canonical, c.fileKey(), c.compositeKey())
	switch {
	case err == nil:
		return registry.Errorf(registry.Conflict, duplicate)
	case registry.CodeOf(err) == registry.NotFound:
		return nil
	}
	return err
}

const duplicate = "this version has a box for the provider and the architecture already"

// checkSpelling is a Conflict when the version is there in another spelling:
// to the client 1.0 and 1.0.0 are one version.
func checkSpelling(ctx context.Context, h registry.Holdings, v version) error {
	there, err := h.Versions(ctx, []string{v.canonical})
	if err != nil {
		return err
	}
	if same := there[v.canonical]; same != nil && same.Version != v.text {
		return registry.Errorf(registry.Conflict, "there is a version %s already, which is the same version as %s", same.Version, v.text)
	}
	return nil
}

// receive stores the body and looks into it. Nothing stays stored of a box
// that is refused.
func receive(r *protocols.Request, c coordinates) (*registry.Stored, contents, error) {
	s := newScanner(r.Body)
	content, err := r.Registry.Store(r.Context(), s, r.ContentLength, storage.SHA256|storage.SHA512)
	s.close()
	if err != nil {
		return nil, contents{}, err
	}
	found := s.contents
	if s.zipped {
		found, err = inspectZip(r, content)
	}
	if err == nil {
		err = checkMetadata(found.metadata, c)
	}
	if err != nil {
		r.Registry.Discard(r.Context(), content)
		return nil, contents{}, err
	}
	return content, found, nil
}

func inspectZip(r *protocols.Request, content *registry.Stored) (contents, error) {
	f, err := r.Registry.OpenStored(r.Context(), content)
	if err != nil {
		return contents{}, err
	}
	defer f.Close()
	return scanZip(f, content.Size)
}

// publication is the box as the registry takes it.
func publication(c coordinates, content *registry.Stored, found contents) (registry.Publication, error) {
	said, err := json.Marshal(fragment{c.provider, c.architecture, content.Sums.SHA512})
	if err != nil {
		return registry.Publication{}, err
	}
	mediaType := mediaBox
	if found.metadata == nil {
		mediaType = mediaOldBox
	}
	return registry.Publication{
		Name: c.name, NormalizedName: fold(c.name),
		Version: c.version.text, NormalizedVersion: c.version.canonical,
		SortKey: c.version.sortKey(), Prerelease: c.version.prerelease(),
		Facts:     readInfo(found.info),
		Metadata:  metadata{Vagrantfile: found.vagrantfile, Old: found.metadata == nil},
		Policy:    registry.CreateOrAdd,
		Duplicate: duplicate,
		// Inside the transaction, so that two uploads at once cannot both be
		// right.
		Check: func(ctx context.Context, h registry.Holdings) error { return checkSpelling(ctx, h, c.version) },
		Files: []registry.File{{
			Name: c.fileName(), NormalizedName: c.fileKey(), CompositeKey: c.compositeKey(),
			MediaType: mediaType, Lead: true, Content: content, Fragment: said,
		}},
	}, nil
}

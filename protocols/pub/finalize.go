package pub

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"time"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/storage"
)

// uploadedAs is the property of a version with the name of its upload. By it a
// client that did not get the answer and asks again is told the same.
const uploadedAs = "pub.upload"

// finalize publishes an upload of the viewer's, or tells why not. Asked again
// it answers the same: a refused upload stays until it expires, and a
// published one is found by its name.
func finalize(w http.ResponseWriter, r *protocols.Request) error {
	session := r.Params["upload"]
	u, err := r.Space.Upload(r.Context(), pending, session)
	if err == nil && time.Since(u.CreatedAt) > patience {
		return errUploadGone
	}
	var v *ent.PackageVersion
	switch registry.CodeOf(err) {
	case "":
		if err == nil {
			v, err = publish(r, u)
		}
	case registry.NotFound:
		v, err = publishedAs(r, session)
	}
	if registry.CodeOf(err) == registry.Conflict {
		// Perhaps with the same upload: the client may ask while its first
		// request is still at work.
		if same, lookUp := publishedAs(r, session); lookUp == nil {
			v, err = same, nil
		}
	}
	if err != nil {
		return err
	}
	return writeJSON(w, r, http.StatusOK, map[string]any{
		"success": map[string]string{"message": fmt.Sprintf("Published %s %s.", v.Edges.Package.Name, v.Version)},
	})
}

var errUploadGone = registry.Errorf(registry.NotFound, "the upload is unknown or has expired: publish again")

// publishedAs is the version that an upload of the viewer's became not long
// ago.
func publishedAs(r *protocols.Request, session string) (*ent.PackageVersion, error) {
	v, err := r.Space.VersionWith(r.Context(), registry.Property{Name: uploadedAs, Value: session})
	if registry.CodeOf(err) == registry.NotFound || err == nil && time.Since(v.CreatedAt) > patience {
		return nil, errUploadGone
	}
	return v, err
}

// publish looks into an upload and publishes it. The upload stays when it is
// refused.
func publish(r *protocols.Request, u *ent.BlobUpload) (*ent.PackageVersion, error) {
	a, err := inspectUpload(r, u)
	if err != nil {
		return nil, err
	}
	done, err := r.Space.FinishUpload(r.Context(), u, registry.Chunk{Offset: -1, Size: -1}, 0,
		func(content *registry.Stored) (registry.Publication, error) {
			return publication(u.Session, a, content)
		})
	if err != nil {
		return nil, err
	}
	done.Version.Edges.Package = done.Package
	return done.Version, nil
}

// inspectUpload reads the archive that an upload has kept.
func inspectUpload(r *protocols.Request, u *ent.BlobUpload) (archive, error) {
	parts := make([]storage.Part, len(u.Parts))
	for i, p := range u.Parts {
		parts[i] = storage.Part{Key: p.Key, Size: p.Size}
	}
	body := r.Registry.OpenParts(r.Context(), parts)
	defer body.Close()
	return inspect(bufio.NewReaderSize(body, 64<<10))
}

// publication is what the registry takes of an archive that is good.
func publication(session string, a archive, content *registry.Stored) (registry.Publication, error) {
	p := a.pubspec
	fragment, err := render(p, content.Sums.SHA256)
	if err != nil {
		return registry.Publication{}, err
	}
	return registry.Publication{
		Name: p.name, NormalizedName: fold(p.name),
		Version: p.text, NormalizedVersion: p.text,
		SortKey: p.version.sortKey(), Prerelease: len(p.version.prerelease) > 0,
		Facts:     liftFacts(a),
		Metadata:  newMetadata(a, content.Size),
		Policy:    registry.CreateVersion,
		Duplicate: fmt.Sprintf("Version %s of package %s already exists.", p.text, p.name),
		// Inside the transaction, so that two first publishes at once cannot
		// both be right.
		Check: func(_ context.Context, h registry.Holdings) error {
			if h.Name() != p.name {
				return registry.Errorf(registry.Conflict, "there is a package %s already; names that differ in case alone are the same name", h.Name())
			}
			return nil
		},
		Properties: []registry.Property{{Name: uploadedAs, Value: session}},
		Files: []registry.File{{
			Name: fileName(p.text), NormalizedName: fileName(p.text), Lead: true,
			MediaType: "application/gzip", Content: content, Fragment: fragment,
		}},
	}, nil
}

package rpm

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/protocols/internal/rpmfile"
	"entrepot/registry"
)

// The advisories of a version in a group are a file of the version, beside its
// packages. It goes with the last of them in the group (Type.FollowsLead).
const (
	errataFile = "errata.json"
	errataType = "application/json"
)

// errataOf finds the version in the path, the packages of it in the group, and
// its file of advisories, nil if there is none.
func errataOf(r *protocols.Request, action access.Action) (group string, p *ent.Pkg, packs []rpmfile.Identity, f *ent.PackageFile, err error) {
	if group, err = groupOf(r.Params); err != nil {
		return "", nil, nil, nil, nowhere()
	}
	if p, err = r.Space.Package(r.Context(), r.Params["name"], action); err != nil {
		return "", nil, nil, nil, err
	}
	version := r.Params["version"]
	keys, err := r.Space.Holdings(p).FileKeys(r.Context(), version)
	if err != nil {
		return "", nil, nil, nil, err
	}
	var hasErrata bool
	if packs, hasErrata, err = packsOf(keys, group, p.Name, version); err != nil {
		return "", nil, nil, nil, err
	}
	if hasErrata {
		f, err = r.Space.File(r.Context(), p, version, errataFile, group)
		if registry.CodeOf(err) == registry.NotFound { // removed meanwhile
			f, err = nil, nil
		}
	}
	return group, p, packs, f, err
}

// packsOf are the packages of a version in a group, and whether there is a file
// of advisories. Error: NotFound if there is no package.
func packsOf(keys []registry.FileKey, group, name, version string) (packs []rpmfile.Identity, hasErrata bool, err error) {
	id, err := rpmfile.ParseIdentity(name, version)
	if err != nil {
		return nil, false, nowhere()
	}
	for _, k := range keys {
		switch {
		case k.CompositeKey != group:
		case k.NormalizedName == errataFile:
			hasErrata = true
		default:
			id.Arch = rpmfile.ArchOf(k.Name)
			packs = append(packs, id)
		}
	}
	if len(packs) == 0 {
		return nil, false, registry.Errorf(registry.NotFound, "this group has no such version of the package")
	}
	return packs, hasErrata, nil
}

// listErrata tells the advisories of a version.
func listErrata(w http.ResponseWriter, r *protocols.Request) error {
	_, _, _, f, err := errataOf(r, access.Read)
	if err != nil {
		return err
	}
	all := []*advisory{}
	if f != nil {
		if all, err = readErrata(f.Fragment); err != nil {
			return err
		}
	}
	w.Header().Set("Cache-Control", "no-cache")
	protocols.WriteJSON(w, r.Request, http.StatusOK, all)
	return nil
}

// addErrata adds advisories to a version. One that names no package is about
// those of the version.
func addErrata(w http.ResponseWriter, r *protocols.Request) error {
	raw, err := protocols.ReadLimited(r.Body, maxErrataBody)
	switch {
	case errors.Is(err, protocols.ErrTooMuch):
		return registry.Errorf(registry.TooLarge, "the body is longer than %d bytes", maxErrataBody)
	case err != nil && !errors.Is(err, io.EOF):
		return registry.Errorf(registry.Invalid, "the body broke off: %v", err)
	}
	added, err := parseErrata(raw, time.Now())
	if err != nil {
		return err
	}
	return changeErrata(w, r, func(packs []rpmfile.Identity, before []*advisory) ([]*advisory, error) {
		for _, a := range added {
			if len(a.Collections) == 0 {
				a.Collections = []*collection{{Short: text(r.Space.Owner.Name), Name: text(r.Space.Owner.Name), Packages: errataPackages(packs)}}
			}
		}
		all := mergeErrata(before, added)
		if len(all) > maxAdvisories {
			return nil, registry.Errorf(registry.TooLarge, "a version has at most %d advisories", maxAdvisories)
		}
		return all, nil
	}, http.StatusOK)
}

func errataPackages(packs []rpmfile.Identity) []*errataPackage {
	all := make([]*errataPackage, len(packs))
	for i, p := range packs {
		all[i] = &errataPackage{
			Name: text(p.Name), Epoch: text(decimal(p.Epoch)), Version: text(p.Version), Release: text(p.Release), Arch: text(p.Arch), File: text(p.FileName()),
		}
	}
	return all
}

// deleteErrata takes one advisory off a version, or all.
func deleteErrata(w http.ResponseWriter, r *protocols.Request) error {
	id, one := r.Params["id"]
	return changeErrata(w, r, func(_ []rpmfile.Identity, before []*advisory) ([]*advisory, error) {
		left := slices.DeleteFunc(slices.Clone(before), func(a *advisory) bool { return !one || a.ID == text(id) })
		if len(left) == len(before) {
			return nil, registry.Errorf(registry.NotFound, "the version has no such advisory")
		}
		return left, nil
	}, http.StatusNoContent)
}

// changeAttempts is how often a change is tried while others change the same
// advisories.
const changeAttempts = 5

// changeErrata replaces the advisories of a version.
func changeErrata(w http.ResponseWriter, r *protocols.Request, change func([]rpmfile.Identity, []*advisory) ([]*advisory, error), status int) error {
	var err error
	for range changeAttempts {
		if err = tryErrata(r, change); err == nil {
			w.WriteHeader(status)
			return nil
		}
		if code := registry.CodeOf(err); code != registry.Conflict && code != registry.Precondition {
			return err
		}
	}
	return registry.Errorf(registry.Conflict, "the advisories are being changed, try again")
}

func tryErrata(r *protocols.Request, change func([]rpmfile.Identity, []*advisory) ([]*advisory, error)) error {
	group, p, packs, f, err := errataOf(r, access.Write)
	if err != nil {
		return err
	}
	var before []*advisory
	pub := registry.Publication{
		Name: p.Name, NormalizedName: p.NormalizedName, Version: r.Params["version"], NormalizedVersion: r.Params["version"],
		Policy: registry.AddToExisting, Overwrite: registry.OverwriteNever,
		// The packages may have been deleted meanwhile.
		Check: func(ctx context.Context, have registry.Holdings) error {
			keys, err := have.FileKeys(ctx, r.Params["version"])
			if err == nil {
				_, _, err = packsOf(keys, group, p.Name, r.Params["version"])
			}
			return err
		},
	}
	if f != nil {
		if before, err = readErrata(f.Fragment); err != nil {
			return err
		}
		pub.Overwrite, pub.IfMatch = registry.OverwriteAlways, f.Edges.Blob.Sha256
	}
	after, err := change(packs, before)
	if err != nil {
		return err
	}
	document, err := writeErrata(after)
	if err != nil {
		return err
	}
	content, err := r.Registry.Store(r.Context(), bytes.NewReader(document), int64(len(document)), 0)
	if err != nil {
		return err
	}
	pub.Files = []registry.File{{
		Name: errataFile, NormalizedName: errataFile, CompositeKey: group, MediaType: errataType, Fragment: document, Content: content,
	}}
	_, err = r.Space.Publish(r.Context(), pub)
	return err
}

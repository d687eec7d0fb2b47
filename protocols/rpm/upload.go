package rpm

import (
	"io"
	"net/http"
	"strconv"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/protocols/internal/rpmfile"
	"entrepot/registry"
)

// mediaType is that of a package.
const mediaType = "application/x-rpm"

// upload publishes a package into a group.
func upload(w http.ResponseWriter, r *protocols.Request) error {
	group, err := groupOf(r.Params)
	if err != nil {
		return err
	}
	sign := false
	if asked := r.URL.Query().Get("sign"); asked != "" {
		if sign, err = strconv.ParseBool(asked); err != nil {
			return registry.FieldErrorf("sign", "sign: want true or false, got %.40q", asked)
		}
	}
	body, size, err := protocols.Payload(r.Request)
	if err != nil {
		return err
	}
	if err := r.Registry.CheckSize(size); err != nil {
		return err
	}
	h, err := rpmfile.ReadHead(body)
	if err != nil {
		return err
	}
	return publish(w, r, group, h, source{rest: body, size: size}, sign)
}

// signHeader signs a package with the owner's key.
func signHeader(r *protocols.Request, h *rpmfile.Head) error {
	return h.Sign(func(state []byte) ([]byte, error) { return r.Space.SignState(r.Context(), state) })
}

// source is where a package comes from beyond its head.
type source struct {
	// rest is what follows the head, size the length of all, or -1.
	rest io.Reader
	size int64
	// blob is the package as it is stored already, if it is.
	blob *ent.PackageBlob
}

// publish publishes a package whose head has been read, signed if asked or if
// that is the policy of the group, and answers.
func publish(w http.ResponseWriter, r *protocols.Request, group string, h *rpmfile.Head, from source, sign bool) error {
	if err := h.CheckHeader(); err != nil {
		return err
	}
	all, err := settingsOf(r)
	if err != nil {
		return err
	}
	policy := all.policy(group)
	sign = (sign || policy.signs()) && (policy == signAgain || !h.IsSigned())
	if sign {
		before := h.Size()
		if err := signHeader(r, h); err != nil {
			return err
		}
		if from.size >= 0 {
			from.size += h.Size() - before
		}
	}
	// Where the header lies is told in the index: it is read after signing.
	p, err := rpmfile.Parse(h)
	if err != nil {
		return err
	}
	f := registry.File{Blob: from.blob}
	if sign || from.blob == nil {
		if f, err = store(r, h, from); err != nil {
			return err
		}
	}
	if _, err := r.Space.Publish(r.Context(), publication(p, group, f)); err != nil {
		return err
	}
	w.Header().Set("Location", r.Root()+below(group, location(p.Identity)))
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}

// store stores a package: its head, and what follows it.
func store(r *protocols.Request, h *rpmfile.Head, from source) (registry.File, error) {
	rest, err := h.Payload(from.rest)
	if err != nil {
		return registry.File{}, err
	}
	content, err := r.Registry.Store(r.Context(), io.MultiReader(h.Reader(), rest), from.size, 0)
	if err != nil {
		return registry.File{}, err
	}
	if err := rest.Check(); err != nil {
		r.Registry.Discard(r.Context(), content)
		return registry.File{}, err
	}
	return registry.File{Content: content}, nil
}

// publication is the package as the registry takes it, with f as its file but
// for the file's name.
func publication(p *rpmfile.Package, group string, f registry.File) registry.Publication {
	f.Name, f.NormalizedName, f.CompositeKey = p.FileName(), p.FileName(), group
	f.MediaType, f.Lead, f.Fragment = mediaType, true, fragment(p)
	f.Properties = []registry.Property{{Name: "rpm.group", Value: group}, {Name: "rpm.architecture", Value: p.Arch}}
	where := "the root group"
	if group != "" {
		where = "the group " + group
	}
	return registry.Publication{
		Name: p.Name, NormalizedName: p.Name, Version: p.VersionString(), NormalizedVersion: p.VersionString(),
		SortKey: p.SortKey(), Facts: p.Facts(), Metadata: p.Metadata(),
		Policy: registry.CreateOrAdd, Overwrite: registry.OverwriteNever,
		Duplicate: p.FileName() + " is in " + where + " already",
		Files:     []registry.File{f},
	}
}

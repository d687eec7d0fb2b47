package rpm

import (
	"io"
	"net/http"
	"strconv"

	"entrepot/ent"
	"entrepot/protocols"
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
	h, err := readHead(body)
	if err != nil {
		return err
	}
	return publish(w, r, group, h, source{rest: body, size: size}, sign)
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
func publish(w http.ResponseWriter, r *protocols.Request, group string, h *head, from source, sign bool) error {
	if err := h.checkHeader(); err != nil {
		return err
	}
	all, err := settingsOf(r)
	if err != nil {
		return err
	}
	policy := all.policy(group)
	sign = (sign || policy.signs()) && (policy == signAgain || !h.isSigned())
	if sign {
		before := h.size()
		if err := h.sign(r); err != nil {
			return err
		}
		if from.size >= 0 {
			from.size += h.size() - before
		}
	}
	// Where the header lies is told in the index: it is read after signing.
	p, err := parsePack(h)
	if err != nil {
		return err
	}
	f := registry.File{Blob: from.blob}
	if sign || from.blob == nil {
		if f, err = store(r, h, from); err != nil {
			return err
		}
	}
	if _, err := r.Space.Publish(r.Context(), p.publication(group, f)); err != nil {
		return err
	}
	w.Header().Set("Location", r.Root()+below(group, p.location()))
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}

// store stores a package: its head, and what follows it.
func store(r *protocols.Request, h *head, from source) (registry.File, error) {
	rest, err := h.payload(from.rest)
	if err != nil {
		return registry.File{}, err
	}
	content, err := r.Registry.Store(r.Context(), io.MultiReader(h.reader(), rest), from.size, 0)
	if err != nil {
		return registry.File{}, err
	}
	if err := rest.check(); err != nil {
		r.Registry.Discard(r.Context(), content)
		return registry.File{}, err
	}
	return registry.File{Content: content}, nil
}

// publication is the package as the registry takes it, with f as its file but
// for the file's name.
func (p *pack) publication(group string, f registry.File) registry.Publication {
	f.Name, f.NormalizedName, f.CompositeKey = p.file(), p.file(), group
	f.MediaType, f.Lead, f.Fragment = mediaType, true, p.fragment()
	f.Properties = []registry.Property{{Name: "rpm.group", Value: group}, {Name: "rpm.architecture", Value: p.arch}}
	where := "the root group"
	if group != "" {
		where = "the group " + group
	}
	return registry.Publication{
		Name: p.name, NormalizedName: p.name, Version: p.versionString(), NormalizedVersion: p.versionString(),
		SortKey: p.sortKey(), Facts: p.facts(), Metadata: p.metadata(),
		Policy: registry.CreateOrAdd, Overwrite: registry.OverwriteNever,
		Duplicate: p.file() + " is in " + where + " already",
		Files:     []registry.File{f},
	}
}

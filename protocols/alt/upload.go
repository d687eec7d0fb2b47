package alt

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"

	"entrepot/protocols"
	"entrepot/protocols/internal/rpmfile"
	"entrepot/registry"
	"entrepot/storage"
)

// mediaType is that of a package.
const mediaType = "application/x-rpm"

// upload publishes a package into a group, with a signature of the owner's if
// the query says sign=true and it has none.
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
	if err := h.CheckHeader(); err != nil {
		return err
	}
	if sign && !h.IsSigned() {
		before := h.Size()
		if err := h.Sign(func(state []byte) ([]byte, error) { return r.Space.SignState(r.Context(), state) }); err != nil {
			return err
		}
		if size >= 0 {
			size += h.Size() - before
		}
	}
	p, err := rpmfile.Parse(h)
	if err != nil {
		return err
	}
	tags, err := tagsOf(h.Main())
	if err != nil {
		return err
	}
	content, known, err := store(r, h, body, size)
	if err != nil {
		return err
	}
	f := registry.File{Content: content, Fragment: fragment(tags, fileName(p.Identity), known)}
	if _, err := r.Space.Publish(r.Context(), publication(p, group, f)); err != nil {
		return err
	}
	w.Header().Set("Location", r.Root()+"/"+location(group, fileName(p.Identity)))
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}

// store stores a package, its head and the rest of the body, of that length in
// all or -1.
func store(r *protocols.Request, h *rpmfile.Head, rest io.Reader, size int64) (*registry.Stored, stored, error) {
	payload, err := h.Payload(rest)
	if err != nil {
		return nil, stored{}, err
	}
	sum := newBLAKE2b()
	whole := &bounded{r: io.TeeReader(io.MultiReader(h.Reader(), payload), sum), left: maxFile}
	content, err := r.Registry.Store(r.Context(), whole, size, storage.MD5)
	if err != nil {
		return nil, stored{}, err
	}
	if err := payload.Check(); err != nil {
		r.Registry.Discard(r.Context(), content)
		return nil, stored{}, err
	}
	return content, stored{size: content.Size, md5: content.Sums.MD5, blake2b: hex.EncodeToString(sum.Sum(nil))}, nil
}

// bounded refuses a package whose size no list can tell.
type bounded struct {
	r    io.Reader
	left int64
}

// Read reads on, or refuses.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, registry.Errorf(registry.TooLarge, "the package is larger than %d bytes; clients cannot be told of such", int64(maxFile))
	}
	return n, err
}

// publication is the package as the registry takes it, with f as its file but
// for the file's name.
func publication(p *rpmfile.Package, group string, f registry.File) registry.Publication {
	file := fileName(p.Identity)
	f.Name, f.NormalizedName, f.CompositeKey = file, file, group
	f.MediaType, f.Lead = mediaType, true
	f.Properties = []registry.Property{{Name: "rpm.group", Value: group}, {Name: "rpm.architecture", Value: p.Arch}, fileNamed(group, file)}
	where := "the group without a name"
	if group != "" {
		where = "the group " + group
	}
	return registry.Publication{
		Name: p.Name, NormalizedName: p.Name, Version: p.VersionString(), NormalizedVersion: p.VersionString(),
		SortKey: p.SortKey(), Facts: p.Facts(), Metadata: p.Metadata(),
		Policy: registry.CreateOrAdd, Overwrite: registry.OverwriteNever,
		Duplicate: file + " is in " + where + " already",
		Check:     unambiguous(p.VersionString(), file, group),
		Files:     []registry.File{f},
	}
}

// unambiguous refuses a package that clients could not tell from one with
// another epoch: they ask for both by the same name. It is asked within the
// transaction.
func unambiguous(version, file, group string) func(context.Context, registry.Holdings) error {
	return func(ctx context.Context, h registry.Holdings) error {
		there, err := h.VersionWithFile(ctx, fileNamed(group, file))
		if err != nil || there == "" || there == version {
			return err
		}
		return registry.Errorf(registry.Conflict, "%s is there already, of the version %s: clients ask for packages without their epoch",
			file, rpmfile.WithEpoch(there))
	}
}

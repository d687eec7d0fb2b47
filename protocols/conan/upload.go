package conan

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/storage"
)

// maxParsed is how much of a file is looked into, in bytes.
const maxParsed = 1 << 20

// upload publishes the request's body as a file of a revision, in place of one
// that is there. Files may be empty: the description of a package that does
// not depend on anything is.
func upload(w http.ResponseWriter, r *protocols.Request) error {
	at, err := parsePlace(r.Params)
	if err != nil {
		return err
	}
	name := r.Params["path"]
	if err := at.checkPath(name); err != nil {
		return err
	}
	// Conan 1 asks like this, with an empty body, whether the content is here
	// already; 201 would make it leave the file out.
	if strings.EqualFold(r.Header.Get("X-Checksum-Deploy"), "true") {
		return registry.Errorf(registry.NotFound, "files are not taken over by their checksums: upload the content")
	}
	pub := publication(r, at, name)
	var head beginning
	body := io.Reader(r.Body)
	if name == conanfileName || name == conaninfoName {
		body = io.TeeReader(r.Body, &head)
	}
	content, err := r.Registry.Store(r.Context(), body, r.ContentLength, storage.SHA256|storage.SHA1|storage.MD5)
	if err != nil {
		return err
	}
	if sum := strings.TrimSpace(r.Header.Get("X-Checksum-Sha1")); sum != "" && !strings.EqualFold(sum, content.Sums.SHA1) {
		r.Registry.Discard(r.Context(), content)
		return registry.Errorf(registry.Invalid, "the SHA-1 of %s is %s and not the announced %.64s", name, content.Sums.SHA1, sum)
	}
	f := &pub.Files[0]
	f.Content = content
	switch name {
	case conanfileName:
		recipe := parseConanfile(head.Bytes())
		pub.Facts, pub.Metadata, pub.Redescribe = recipe.facts(), recipe.metadata(), true
		f.Lead = true
	case conaninfoName:
		f.Fragment = describePackage(head.Bytes(), content.Size)
	}
	if _, err := r.Space.Publish(r.Context(), pub); err != nil {
		return err
	}
	return done(w, http.StatusCreated)
}

// publication is the file as the registry takes it, but for its content.
func publication(r *protocols.Request, at place, name string) registry.Publication {
	key, prerelease := registry.NaturalKey(at.version)
	pub := registry.Publication{
		Name: at.name, NormalizedName: at.name,
		Version: at.version, NormalizedVersion: at.version,
		SortKey: key, Prerelease: prerelease,
		Unfinished: name != manifestName, // an old revision that comes again is the newest only then
		Policy:     registry.CreateOrAdd, Overwrite: overwrite(r.Space.Owner.Settings, name),
		Duplicate: at.String() + " has " + name + " already, and the revisions of this owner do not change",
		Files: []registry.File{{
			Name: at.key() + "/" + name, NormalizedName: name, CompositeKey: at.key(),
			MediaType: mediaType(name), Renew: true, Displaces: at.siblings(name),
		}},
	}
	pub.Check = func(ctx context.Context, h registry.Holdings) error {
		if err := checkRecipe(ctx, h, at); err != nil {
			return err
		}
		if err := checkArchives(ctx, h, at, pub.Overwrite, &pub.Files[0]); err != nil {
			return err
		}
		if err := checkReferenceSize(ctx, h, at, r.Space.Owner.Settings, &pub.Files[0]); err != nil {
			return err
		}
		return enlist(ctx, h, r.Space.Owner.ID, at, &pub.Files[0])
	}
	return pub
}

// checkRecipe refuses binaries of a recipe's revision of which nothing is
// here: they could never be found. Error: NotFound.
func checkRecipe(ctx context.Context, h registry.Holdings, at place) error {
	if at.packageID == "" {
		return nil
	}
	recipe := place{reference: at.reference, rrev: at.rrev}
	files, err := h.Listed(ctx, filesList(h.PackageID(), recipe), 1)
	if err == nil && len(files) == 0 {
		err = registry.Errorf(registry.NotFound, "there is no recipe %s#%s: upload it first", at.reference, at.rrev)
	}
	return err
}

// enlist says which lists the file will stand in. A manifest makes its
// revision the newest, also when it was there before: its instant is later
// than that of any other, whatever the clocks of the replicas say.
func enlist(ctx context.Context, h registry.Holdings, owner int64, at place, f *registry.File) error {
	row := h.PackageID()
	f.Properties = []registry.Property{{Name: filesList(row, at), Value: f.NormalizedName}}
	if f.NormalizedName != manifestName {
		return nil
	}
	newest := recipeList(row, at.reference)
	if at.packageID != "" {
		newest = packagesList(row, at)
	}
	last, err := h.Listed(ctx, newest, 1)
	if err != nil {
		return err
	}
	now := time.Now()
	if len(last) > 0 && !instant(last[0].Place).Before(now.Truncate(time.Microsecond)) {
		now = instant(last[0].Place).Add(time.Microsecond)
	}
	key := registry.TimeKey(now)
	f.Fragment = []byte(key) // for the rules that thin revisions out
	f.Properties = append(f.Properties, registry.Property{Name: newest, Value: key})
	if at.packageID != "" {
		f.Properties = append(f.Properties, registry.Property{Name: packageList(row, at), Value: key})
	} else {
		f.Properties = append(f.Properties, registry.Property{Name: referenceList(owner), Value: at.String()})
	}
	return nil
}

// beginning keeps the first bytes of what is written to it.
type beginning struct{ bytes.Buffer }

// Write takes everything and keeps up to maxParsed bytes in all.
func (b *beginning) Write(p []byte) (int, error) {
	if room := maxParsed - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(len(p), room)]) // a bytes.Buffer takes everything
	}
	return len(p), nil
}

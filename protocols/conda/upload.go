package conda

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/storage"
)

// digests are those that records name.
const digests = storage.MD5 | storage.SHA256

// mediaType is that of both containers.
const mediaType = "application/octet-stream"

// uploads publishes packages.
type uploads struct {
	// turns bounds how many packages are unpacked at once, and with that the
	// memory it takes.
	turns chan struct{}
}

const unpackedAtOnce = 4

func newUploads() *uploads { return &uploads{turns: make(chan struct{}, unpackedAtOnce)} }

// wish is what an upload asks for.
type wish struct {
	channel string
	// subdir is the one the path names, "" if it names none.
	subdir string
	file   string
	// force lets the file take the place of another.
	force bool
	// sha256 is what the body is to have, "" for anything.
	sha256 string
}

// put publishes into a channel, of which the path may name the subdir as well:
// a last segment that clients know as a subdir is one.
func (u *uploads) put(w http.ResponseWriter, r *protocols.Request) error {
	ask := wish{channel: r.Params["folder"], file: r.Params["file"]}
	rest, last := splitPackage(ask.channel)
	if slices.Contains(knownSubdirs, last) {
		ask.channel, ask.subdir = rest, last
	}
	return u.publish(r, ask, created(w))
}

// intoSubdir publishes into the subdir that the path names.
func (u *uploads) intoSubdir(w http.ResponseWriter, r *protocols.Request) error {
	if err := checkSubdir(r.Params["subdir"]); err != nil {
		return err
	}
	return u.publish(r, wish{channel: r.Params["channel"], subdir: r.Params["subdir"], file: r.Params["file"]}, created(w))
}

// quetz publishes as clients of that server do, with options in the query.
func (u *uploads) quetz(w http.ResponseWriter, r *protocols.Request) error {
	query := r.URL.Query()
	ask := wish{channel: r.Params["channel"], file: r.Params["file"], sha256: strings.ToLower(query.Get("sha256"))}
	if force := query.Get("force"); force != "" {
		var err error
		if ask.force, err = strconv.ParseBool(force); err != nil {
			return registry.FieldErrorf("force", "force: want true or false, got %.40q", force)
		}
	}
	return u.publish(r, ask, func(string) {
		protocols.WriteJSON(w, r.Request, http.StatusCreated, struct{}{})
	})
}

// created answers with the URL of what was published, and nothing else.
func created(w http.ResponseWriter) func(url string) {
	return func(url string) {
		w.Header().Set("Location", url)
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusCreated)
	}
}

// publish takes a package and lets answer tell the client.
func (u *uploads) publish(r *protocols.Request, ask wish, answer func(url string)) error {
	if err := checkChannel(ask.channel); err != nil {
		return err
	}
	name, err := parseFile(ask.file)
	if err != nil {
		return err
	}
	if err := r.Registry.CheckSize(r.ContentLength); err != nil {
		return err
	}
	// The body is the package, whatever type curl says it has.
	content, err := r.Registry.Store(r.Context(), r.Body, r.ContentLength, digests)
	if err != nil {
		return err
	}
	p, err := u.publication(r, ask, name, content)
	if err != nil {
		r.Registry.Discard(r.Context(), content)
		return err
	}
	done, err := r.Space.Publish(r.Context(), *p)
	if err != nil {
		return err
	}
	answer(r.Root() + place{ask.channel, done.Files[0].CompositeKey, ask.file}.path())
	return nil
}

// inspect reads a stored package, when its turn has come.
func (u *uploads) inspect(r *protocols.Request, content *registry.Stored, name fileName) (*contents, error) {
	select {
	case u.turns <- struct{}{}:
		defer func() { <-u.turns }()
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	f, err := r.Registry.OpenStored(r.Context(), content)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readPackage(f, content.Size, name)
}

// publication is what the registry takes of a package.
func (u *uploads) publication(r *protocols.Request, ask wish, name fileName, content *registry.Stored) (*registry.Publication, error) {
	if ask.sha256 != "" && ask.sha256 != content.Sums.SHA256 {
		return nil, registry.FieldErrorf("sha256", "sha256: the body has %s, and not what was announced", content.Sums.SHA256)
	}
	c, err := u.inspect(r, content, name)
	if err != nil {
		return nil, err
	}
	info, err := parseRecord(c.index)
	if err != nil {
		return nil, err
	}
	if is := info.file(name.ending); is != name {
		return nil, registry.FieldErrorf("file", "file: by its %s the package is called %s", indexFile, is)
	}
	if ask.subdir != "" && ask.subdir != info.subdir {
		return nil, registry.FieldErrorf("subdir", "subdir: the path says %s, the package %s", ask.subdir, info.subdir)
	}
	e, md, err := describe(info, c, content)
	if err != nil {
		return nil, err
	}
	fragment, err := encode(e)
	if err != nil {
		return nil, err
	}
	full := packageName(ask.channel, info.name)
	p := &registry.Publication{
		Name: full, NormalizedName: full, Version: info.version, NormalizedVersion: info.version, SortKey: sortKey(info.version),
		Facts: liftFacts(info, md.About), Metadata: md,
		Policy: registry.CreateOrAdd, Overwrite: registry.OverwriteNever, Duplicate: fmt.Sprintf("%s already exists in %s", name, info.subdir),
		Files: []registry.File{{
			Name: name.String(), NormalizedName: name.String(), CompositeKey: info.subdir,
			MediaType: mediaType, Lead: true, Fragment: fragment, Content: content,
			Properties: []registry.Property{{Name: "conda.channel", Value: ask.channel}, {Name: "conda.subdir", Value: info.subdir}},
		}},
	}
	if ask.force {
		// To replace is to delete what was there.
		existing, err := r.Space.AnyPackage(r.Context(), full)
		if err != nil {
			return nil, err
		}
		if r.Space.Can(access.Delete, existing) {
			p.Overwrite, p.Files[0].Renew = registry.OverwriteAlways, true
		} else {
			p.Duplicate += ", and to replace it takes the right to delete"
		}
	}
	return p, nil
}

// describe makes the file's entry, and what is kept of the version.
func describe(info *record, c *contents, content *registry.Stored) (e entry, md metadata, err error) {
	if c.about != nil {
		var warning string
		if md.About, warning = parseAbout(c.about); warning != "" {
			md.Warnings = append(md.Warnings, warning)
		}
	}
	if c.runExports != nil {
		if e.RunExports, err = parseRunExports(c.runExports); err != nil {
			md.Warnings = append(md.Warnings, fmt.Sprintf("%s cannot be read: %v", packageExportsFile, err))
		}
	}
	if e.RunExports == nil {
		e.RunExports = json.RawMessage("{}")
	}
	family, err := info.text("license_family")
	if err != nil {
		return e, md, err
	}
	md.LicenseFamily = protocols.CutText(protocols.CleanText(family), maxLine)
	e.Record, err = info.encode(content)
	return e, md, err
}

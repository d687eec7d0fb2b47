package conda

import (
	"net/http"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// serve serves the documents of a subdir, and its files.
func serve(w http.ResponseWriter, r *protocols.Request) error {
	at, err := placeOf(r)
	if err != nil {
		return err
	}
	path, form, ok := document(at.file)
	if !ok {
		return download(w, r, at)
	}
	o, err := object(r, at, path)
	if err != nil {
		return err
	}
	return protocols.ServePackedIndex(w, r, o, form, map[registry.Packing]string{
		registry.Unpacked: jsonType, registry.Zstandard: zstdType, registry.Bzip2: bzip2Type,
	}[form])
}

// object is a document of a subdir as it is now. Clients take a channel without
// noarch for none at all: that of the root channel is there from the start, and
// that of another with its first file. Any other subdir without files is not
// there, which to clients is the same as an empty one.
func object(r *protocols.Request, at place, path string) (*registry.IndexObject, error) {
	snapshot, err := r.Snapshot(registry.IndexName{Family: at.channel, Member: at.subdir}, protocols.IndexEntry)
	if err == nil {
		return snapshot.Object(path)
	}
	if registry.CodeOf(err) != registry.NotFound {
		return nil, err
	}
	if at.subdir != noarch {
		return nil, nowhere()
	}
	if at.channel != "" {
		isThere, err := r.Space.HasIndex(r.Context(), at.channel)
		if err != nil {
			return nil, err
		}
		if !isThere {
			return nil, nowhere()
		}
	}
	since := r.Space.Owner.CreatedAt.UTC().Truncate(time.Second)
	return registry.NewIndexObject(path, jsonType, emptyDocument(path, at.subdir), since), nil
}

// find is the package and the file at a place, if the viewer may do the
// action.
func find(r *protocols.Request, at place, action access.Action) (*ent.Pkg, *ent.PackageFile, error) {
	name, err := parseFile(at.file)
	if err != nil {
		return nil, nil, nowhere()
	}
	p, err := r.Space.Package(r.Context(), packageName(at.channel, name.name), action)
	if err != nil {
		return nil, nil, err
	}
	f, err := r.Space.File(r.Context(), p, name.version, at.file, at.subdir)
	return p, f, err
}

// download sends a file.
func download(w http.ResponseWriter, r *protocols.Request, at place) error {
	_, f, err := find(r, at, access.Read)
	if err != nil {
		return err
	}
	return protocols.ServeFile(w, r, f, protocols.FileOptions{ContentType: mediaType, Redirect: http.StatusFound})
}

// deleteFile removes a file, and with the last one its version.
func deleteFile(w http.ResponseWriter, r *protocols.Request) error {
	at, err := placeOf(r)
	if err != nil {
		return err
	}
	p, f, err := find(r, at, access.Delete)
	if err != nil {
		return err
	}
	if err := r.Space.DeleteFile(r.Context(), p, f); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

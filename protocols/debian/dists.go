package debian

import (
	"net/http"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// index names the index of the distribution in the path.
func index(r *protocols.Request) (registry.IndexName, error) {
	name := r.Params["distribution"]
	if err := checkSegment("distribution", name); err != nil {
		return registry.IndexName{}, nowhere()
	}
	return registry.IndexName{Family: name}, nil
}

func nowhere() error { return registry.Errorf(registry.NotFound, "there is nothing at this path") }

// top serves Release, with its signature inside (InRelease) or in a file
// beside it (Release.gpg).
func top(w http.ResponseWriter, r *protocols.Request) error {
	name, err := index(r)
	if err != nil {
		return err
	}
	switch file := r.Params["file"]; file {
	case "InRelease", "Release":
		return protocols.ServeIndex(w, r, name, file, protocols.IndexEntry)
	case "Release.gpg":
		return protocols.ServeIndex(w, r, name, file, protocols.IndexSecondary)
	}
	return nowhere()
}

// list serves the packages of a component and an architecture by the name
// that stays, for clients that do not ask by digest.
func list(w http.ResponseWriter, r *protocols.Request) error {
	name, err := index(r)
	if err != nil {
		return err
	}
	path := r.Params["component"] + "/" + r.Params["folder"] + "/" + r.Params["file"]
	switch r.Params["file"] {
	case packagesName, packagesName + gzipEnding:
		return protocols.ServeIndex(w, r, name, path, protocols.IndexSecondary)
	case packagesName + xzEnding:
		o, err := r.IndexFile(name, protocols.IndexSecondary, func(s *registry.Snapshot) (*registry.IndexObject, error) {
			return s.Encoded(r.Context(), strings.TrimSuffix(path, xzEnding), registry.XZ, xzType)
		})
		if err != nil {
			return err
		}
		return protocols.ServeIndexObject(w, r, o, false)
	}
	return nowhere()
}

// topByHash serves Release and its signatures by their digests.
func topByHash(w http.ResponseWriter, r *protocols.Request) error { return byHash(w, r, "") }

// listByHash serves the packages of a component and an architecture by the
// digest that a Release names, which may be one of a while ago.
func listByHash(w http.ResponseWriter, r *protocols.Request) error {
	return byHash(w, r, r.Params["component"]+"/"+r.Params["folder"]+"/")
}

func byHash(w http.ResponseWriter, r *protocols.Request, folder string) error {
	name, err := index(r)
	if err != nil {
		return err
	}
	if !strings.EqualFold(r.Params["algorithm"], "SHA256") {
		return nowhere()
	}
	return protocols.ServeIndexByHash(w, r, name, folder, r.Params["hash"])
}

package helm

import (
	"net/http"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// chartType is the media type of a chart's file.
const chartType = "application/gzip"

// findFile finds a chart by the name of its file.
func findFile(r *protocols.Request, name string) (*ent.Pkg, *ent.PackageFile, error) {
	found, err := r.Space.FileWith(r.Context(), fileNamed(r, name))
	if err != nil && registry.CodeOf(err) != registry.NotFound {
		return nil, nil, err
	}
	// A file that is not there is missed as its chart would be.
	p, err := r.Space.Package(r.Context(), found.Package, access.Read)
	if err != nil {
		return nil, nil, err
	}
	f, err := r.Space.File(r.Context(), p, found.Version, found.Name, found.CompositeKey)
	return p, f, err
}

// download sends a chart, or the provenance file beside it. Both may be
// replaced, so that caches must ask again.
func download(w http.ResponseWriter, r *protocols.Request) error {
	name, isProv := strings.CutSuffix(r.Params["file"], provEnding)
	if !strings.HasSuffix(name, chartEnding) {
		return nowhere()
	}
	p, f, err := findFile(r, name)
	if err != nil {
		return err
	}
	opts := protocols.FileOptions{ContentType: chartType, Undated: true, Redirect: http.StatusFound}
	if isProv {
		opts.ContentType = provType
		if f, err = r.Space.File(r.Context(), p, f.Edges.Version.NormalizedVersion, f.NormalizedName+provEnding, ""); err != nil {
			return err
		}
	}
	return protocols.ServeFile(w, r, f, opts)
}

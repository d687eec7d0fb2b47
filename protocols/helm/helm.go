// Package helm is the package type of classic chart repositories: one
// index.yaml an owner, and the charts it names. Charts in OCI registries are
// of the type container.
//
// Its central idea: a chart is taken apart once, when it is uploaded
// (archive.go, chartfile.go), and its line of index.yaml is rendered then and
// there (entry.go). The index is these lines by name and version, kept by the
// registry's engine for repository-wide indexes (index.go). A line has a mark
// where the URL of the server belongs, for that depends on who asks; it is
// filled in while the index is sent.
//
// The repository is described at
// https://helm.sh/docs/topics/chart_repository/; the API to upload, look and
// delete is ChartMuseum's, which the plugin cm-push speaks.
package helm

import (
	"net/http"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// typeName is the type in URLs and in the database.
const typeName = "helm"

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:         typeName,
			Title:        "Helm",
			Instructions: instructions,
			Facts:        facts,
			StoredFacts:  storedFacts,
			Index: &registry.Index{
				Format:  1,
				Place:   placeFile,
				Render:  renderEntry,
				Stream:  func(string) registry.StreamForm { return registry.StreamForm{Join: heading} },
				Compose: compose,
			},
		},
		Routes:  routes(),
		Dialect: dialect{},
	}
}

func routes() []protocols.Route {
	const get = http.MethodGet
	return []protocols.Route{
		{Method: get, Pattern: indexFile, Action: access.Read, Handle: index},
		// A repository's URL with a final slash, as some write it.
		{Method: get, Pattern: "/" + indexFile, Action: access.Read, Handle: index},
		{Method: get, Pattern: "health", Open: true, Handle: health},
		{Method: get, Pattern: "api/charts", Action: access.Read, Handle: listCharts},
		{Method: http.MethodPost, Pattern: "api/charts", Action: access.Write, Handle: upload},
		{Method: http.MethodPost, Pattern: "api/prov", Action: access.Write, Handle: uploadProvenance},
		{Method: get, Pattern: "api/charts/{name}", Action: access.Read, Handle: listVersions},
		{Method: get, Pattern: "api/charts/{name}/{version}", Action: access.Read, Handle: showVersion},
		{Method: get, Pattern: "api/charts/{name}/{version}/values", Action: access.Read, Handle: showValues},
		{Method: get, Pattern: "api/charts/{name}/{version}/templates", Action: access.Read, Handle: showTemplates},
		{Method: http.MethodDelete, Pattern: "api/charts/{name}/{version}", Action: access.Delete, Handle: deleteVersion},
		{Method: get, Pattern: "charts/{file}", Action: access.Read, Handle: download},
		{Method: get, Pattern: "{file}", Action: access.Read, Handle: download},
	}
}

// health tells that the server is there.
func health(w http.ResponseWriter, r *protocols.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	protocols.WriteJSON(w, r.Request, http.StatusOK, map[string]bool{"healthy": true})
	return nil
}

// dialect is JSON for the API, of which cm-push prints the text, and a line of
// text for what helm itself asks, which shows the status alone.
type dialect struct{}

// Challenge asks for Basic.
func (dialect) Challenge(*protocols.Request) string { return `Basic realm="Entrepot"` }

// WriteError writes {"error": "..."} or one line.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	message := protocols.OneLine(e.Message)
	if isAPI(r.URL.Path) {
		protocols.WriteJSON(w, r.Request, status, map[string]string{"error": message})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write([]byte(message + "\n")) // the client is told or gone
	}
}

// isAPI tells whether a path of the server is one of the API.
func isAPI(path string) bool {
	below := strings.SplitN(strings.TrimPrefix(path, protocols.Prefix), "/", 4) // owner, type, the rest
	return len(below) > 2 && below[2] == "api"
}

// root is the URL of the repository as the client spells it: helm sends its
// credential to no other, and cm-push finds the API by its path.
func root(r *protocols.Request) string { return r.BaseURL + rootPath(r) }

func rootPath(r *protocols.Request) string {
	return protocols.JoinPath("api", "packages", r.OwnerName, typeName)
}

func nowhere() error { return registry.Errorf(registry.NotFound, "there is nothing at this path") }

// find returns the package and the chart's file that a name and a version
// mean, "latest" among the versions, if the viewer may do the action.
func find(r *protocols.Request, action access.Action) (*ent.Pkg, *ent.PackageFile, error) {
	name := r.Params["name"]
	p, err := r.Space.Package(r.Context(), name, action)
	if err != nil {
		return nil, nil, err
	}
	normalized := ""
	if r.Params["version"] == "latest" {
		v, err := r.Space.Latest(r.Context(), p)
		if err != nil {
			return nil, nil, err
		}
		normalized = v.NormalizedVersion
	} else {
		v, err := parseVersion(r.Params["version"])
		if err != nil {
			return nil, nil, registry.Errorf(registry.NotFound, "there is no such version of %s", name)
		}
		normalized = normalize(v)
	}
	f, err := r.Space.File(r.Context(), p, normalized, chartFile(name, normalized), "")
	return p, f, err
}

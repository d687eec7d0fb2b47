// Package pub is the package type for Dart and Flutter: a hosted package
// repository as `dart pub` and `flutter pub` know it.
//
// Its central idea: a publish has two steps, and only the answer to the second
// is shown to people. So the first (upload.go) does no more than to keep the
// archive, as an upload bound to its sender, and the second (finalize.go)
// looks into it (archive.go, pubspec.go) and publishes or says why not. What a
// listing tells of a version is rendered then (listing.go); what can change of
// it, whether it is retracted and where it is, is filled in there.
//
// The protocol is the Hosted Pub Repository Specification, version 2.
package pub

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// typeName is the type in URLs and in the database.
const typeName = "pub"

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:         typeName,
			Title:        "Pub",
			Yanks:        true,
			PrefersYank:  true,
			SkipsYanked:  true,
			States:       []string{discontinued},
			FoldName:     fold,
			Instructions: instructions,
			Facts:        facts,
		},
		Routes:  routes(),
		Dialect: dialect{},
	}
}

// discontinued is the state of a package that gets no more versions. The name
// of another package as its reason is the one to use in its place.
const discontinued = "discontinued"

// The paths of a publish, below the root.
const (
	newPath      = "api/packages/versions/new"
	uploadPath   = newPath + "/upload"
	finalizePath = newPath + "/finalize"
)

// routes lists the endpoints. Those of a publish come first: a package can be
// called "versions", but no version "new". Versions and archives have two
// paths each, one of the specification and one of other registries.
func routes() []protocols.Route {
	const (
		get, post = http.MethodGet, http.MethodPost

		pkg = "api/packages/{package}"
	)
	return []protocols.Route{
		{Method: get, Pattern: newPath, Action: access.Write, Handle: begin},
		{Method: post, Pattern: uploadPath, Action: access.Write, Handle: upload},
		{Method: get, Pattern: finalizePath + "/{upload}", Action: access.Write, Handle: finalize},

		{Method: get, Pattern: pkg + "/versions/{version}", Action: access.Read, Handle: showVersion},
		{Method: get, Pattern: pkg + "/files/{file}", Action: access.Read, Handle: download},
		{Method: get, Pattern: "packages/{package}/versions/{file}", Action: access.Read, Handle: download},
		{Method: get, Pattern: pkg + "/{version}", Action: access.Read, Handle: showVersion},
		{Method: get, Pattern: pkg, Action: access.Read, Handle: listing},
	}
}

// root is the hosted URL as the client wrote it, without a final slash: the
// client sends its token only to what lies below, and compares letter by
// letter.
func root(r *protocols.Request) string {
	return r.BaseURL + protocols.JoinPath("api", "packages", r.OwnerName, typeName)
}

// mediaType is the type of every JSON document. With the charset, since old
// clients read Latin-1 without.
const mediaType = "application/vnd.pub.v2+json; charset=utf-8"

// writeJSON answers with a document that is not kept.
func writeJSON(w http.ResponseWriter, r *protocols.Request, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body) // the client is told or gone
	}
	return nil
}

// notFound is the one answer for packages and versions that are not there.
func notFound(what string) error { return registry.Errorf(registry.NotFound, "%s not found", what) }

// isUpload tells whether the request sends an archive.
func isUpload(r *protocols.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/"+uploadPath)
}

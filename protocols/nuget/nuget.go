// Package nuget is the package type for .NET: the feed that dotnet, nuget,
// Chocolatey and the PowerShell modules read, in both versions of the
// protocol, and a symbol server for debuggers.
//
// Its central idea: a push is taken apart once (upload.go, form.go, archive.go,
// nuspec.go), and what V3 clients will ask for is rendered then and there into
// a fragment (fragment.go); registrations (registration.go) are fragments one
// after the other. What is asked with a query, V3's search (search.go) and
// V2's feeds (feed.go, filter.go), is found by a fixed number of statements
// and written from the manifests kept with the versions.
//
// V3 is described in https://learn.microsoft.com/nuget/api/overview. V2 is
// described nowhere: it is OData 2.0, https://www.odata.org/documentation/odata-version-2-0/,
// and what the clients send. Symbols are found as in
// https://github.com/dotnet/symstore/blob/main/docs/specs/SSQP_Key_Conventions.md.
package nuget

import (
	"io"
	"net/http"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// typeName is the type in URLs and in the database.
const typeName = "nuget"

// New returns the package type. A version that is yanked is what NuGet calls
// unlisted.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:         typeName,
			Title:        "NuGet",
			Yanks:        true,
			PrefersYank:  true,
			SkipsYanked:  true,
			FoldName:     fold,
			SearchWords:  searchWords,
			Instructions: instructions,
			Facts:        facts,
		},
		Routes:  routes(),
		Dialect: dialect{},
	}
}

// routes lists the endpoints. V2's have parentheses in them: what they name is
// told apart in feed.go.
func routes() []protocols.Route {
	const get, put, post, del = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete
	return []protocols.Route{
		// Clients that have an API key alone read these without it.
		{Method: get, Pattern: "index.json", Open: true, SignIn: true, Handle: serviceIndex},
		{Method: get, Pattern: "", Open: true, SignIn: true, Handle: serviceDocument},
		{Method: get, Pattern: "$metadata", Open: true, SignIn: true, Handle: schemaDocument},

		{Method: get, Pattern: "query", Action: access.Read, Handle: search},
		{Method: get, Pattern: "autocomplete", Action: access.Read, Handle: autocomplete},
		{Method: get, Pattern: "registration/{id}/index.json", Action: access.Read, Handle: registration},
		{Method: get, Pattern: "registration/{id}/page/{lower}/{upper}", Action: access.Read, Handle: registrationPage},
		{Method: get, Pattern: "registration/{id}/{version}", Action: access.Read, Handle: registrationLeaf},
		{Method: get, Pattern: "package/{id}/index.json", Action: access.Read, Handle: listVersions},
		{Method: get, Pattern: "package/{id}/{version}", Action: access.Read, Handle: download},
		{Method: get, Pattern: "package/{id}/{version}/{file}", Action: access.Read, Handle: downloadFile},
		{Method: get, Pattern: "symbols/{file}/{key}/{again}", Action: access.Read, Handle: downloadSymbols},

		{Method: put, Pattern: "", Action: access.Write, Handle: push},
		{Method: put, Pattern: "symbolpackage", Action: access.Write, Handle: pushSymbols},
		{Method: del, Pattern: "{id}/{version}", Action: access.Write, Handle: remove},
		{Method: post, Pattern: "{id}/{version}", Action: access.Write, Handle: relist},

		{Method: get, Pattern: "{resource}", Action: access.Read, Handle: feed},
		{Method: get, Pattern: "{resource}/$count", Action: access.Read, Handle: countFeed},
		{Method: get, Pattern: "{resource}/Download", Action: access.Read, Handle: downloadEntry},
	}
}

// dialect writes errors as NuGet's clients read them.
type dialect struct{}

// Challenge asks for Basic: that is how clients send the credentials of a
// source.
func (dialect) Challenge(*protocols.Request) string { return protocols.BasicChallenge }

// maxDrained is how many bytes of a refused push are read on.
const maxDrained = 64 << 20

// WriteError writes the message. Of a push that is refused, the rest is read
// first: .NET's client sends all before it looks at the answer, and knows only
// of a broken pipe when nobody takes it.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	if r.Method == http.MethodPut && r.Body != nil && r.Header.Get("Expect") == "" {
		io.Copy(io.Discard, io.LimitReader(r.Body, maxDrained)) // as far as it comes
	}
	protocols.WriteJSON(w, r.Request, status, struct {
		Message string
	}{e.Message})
}

// rootURL is where the client found this feed, in its own spelling of the
// owner's name: it sends credentials along to URLs that begin as the source's.
func rootURL(r *protocols.Request) string {
	return r.BaseURL + protocols.JoinPath("api", "packages", r.OwnerName, typeName)
}

// findPackage is the package that the path names, if the viewer may read it.
func findPackage(r *protocols.Request) (*ent.Pkg, error) {
	id := r.Params["id"]
	if !validID(id) {
		return nil, registry.Errorf(registry.NotFound, "package not found")
	}
	return r.Space.Package(r.Context(), fold(id), access.Read)
}

// findVersion is the package and, in normal form, the version that the path
// names. The version need not exist.
func findVersion(r *protocols.Request) (*ent.Pkg, string, error) {
	p, err := findPackage(r)
	if err != nil {
		return nil, "", err
	}
	v, ok := parseVersion(r.Params["version"])
	if !ok {
		return nil, "", registry.Errorf(registry.NotFound, "version not found")
	}
	return p, v.identity(), nil
}

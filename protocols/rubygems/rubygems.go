// Package rubygems is the package type for Ruby gems: the repository that gem
// and Bundler read, in all three forms they know, and the API through which
// gem publishes.
//
// Its central idea: a gem is taken apart once, while it streams by (gem.go,
// gemspec.go), and what clients will ask for of it is rendered then and there
// into a fragment: its line of the gem's list, and its gemspec as Ruby's
// Marshal writes it (line.go, dump.go, marshal.go). The list of a gem is these
// lines in the order of publishing (info.go). The list of all gems is the
// owner's journal (versions.go), to which each change adds a line, and the
// indexes of old clients are made of it (specs.go).
//
// The compact index is described in
// https://guides.rubygems.org/rubygems-org-compact-index-api/ and the API in
// https://guides.rubygems.org/rubygems-org-api/; the rest is what the clients
// send.
package rubygems

import (
	"io"
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// typeName is the type in URLs and in the database.
const typeName = "rubygems"

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:         typeName,
			Title:        "RubyGems",
			Journal:      &journal,
			Instructions: instructions,
			Facts:        facts,
		},
		Routes: routes(),
	}
}

// routes lists the endpoints.
func routes() []protocols.Route {
	const (
		get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	)
	return []protocols.Route{
		{Method: get, Pattern: "", Action: access.Read, Handle: probe},
		{Method: get, Pattern: "versions", Action: access.Read, Handle: versions},
		{Method: get, Pattern: "info/{name}", Action: access.Read, Handle: info},
		{Method: get, Pattern: "names", Action: access.Read, Handle: names},
		{Method: get, Pattern: "specs.4.8.gz", Action: access.Read, Handle: specs(releases)},
		{Method: get, Pattern: "latest_specs.4.8.gz", Action: access.Read, Handle: specs(latestReleases)},
		{Method: get, Pattern: "prerelease_specs.4.8.gz", Action: access.Read, Handle: specs(prereleases)},
		{Method: get, Pattern: "quick/Marshal.4.8/{file}", Action: access.Read, Handle: quickGemspec},
		{Method: get, Pattern: "gems/{file}", Action: access.Read, Handle: download},
		{Method: get, Pattern: "api/v1/dependencies", Action: access.Read, Handle: dependenciesMarshal},
		{Method: get, Pattern: "api/v1/dependencies.json", Action: access.Read, Handle: dependenciesJSON},
		{Method: post, Pattern: "api/v1/gems", Action: access.Write, Handle: publish},
		{Method: del, Pattern: "api/v1/gems/yank", Action: access.Delete, Handle: yank},
		{Method: post, Pattern: "api/v1/api_key", Open: true, Handle: signIn},
		{Method: get, Pattern: "api/v1/api_key", Open: true, Handle: signIn},
	}
}

// probe answers gem, which asks for the root before it installs: only where it
// gets an answer does it go by the lists, and not by the old indexes.
func probe(w http.ResponseWriter, r *protocols.Request) error {
	return say(w, r, http.StatusOK, "RubyGems repository of "+r.Space.Owner.Name)
}

// say answers with a line of text, which gem prints.
func say(w http.ResponseWriter, r *protocols.Request, status int, line string) error {
	w.Header().Set("Content-Type", textType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		io.WriteString(w, line+"\n") // the client is told or gone
	}
	return nil
}

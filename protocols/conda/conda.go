// Package conda is the package type of conda, mamba, pixi and rattler.
//
// An owner has any number of channels, each with a path for a name, and one
// without a name, the root channel. A channel has subdirs, one for each
// platform and noarch for all, and each of these an index of its own, named
// repodata.json. A package is a channel and a name; its versions have builds,
// one or two files each (name.go, version.go).
//
// Its central idea: what a package says of itself, its info/index.json, is
// looked for once, when the file is uploaded (archive.go), put into the one
// form that all solvers read (record.go), and kept as the file's fragment. The
// index of a subdir is these records, kept by the registry's engine for
// repository-wide indexes (index.go). Records are never modelled anew: a field
// that this package does not know is in the index all the same.
//
// The formats are written down in the community's enhancement proposals, CEP
// 26 for names, 33 for versions, 34 and 35 for packages, 36 for the index and
// 12 for run exports: https://conda.org/learn/ceps/.
package conda

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// typeName is the type in URLs and in the database.
const typeName = "conda"

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:         typeName,
			Title:        "Conda",
			Yanks:        true,
			SkipsYanked:  true,
			CopyName:     copyName,
			Instructions: instructions,
			Facts:        facts,
			StoredFacts:  storedFacts,
			Counts:       registry.CountFiles,
			Index: &registry.Index{
				Format:  1,
				Place:   placeFile,
				Render:  render,
				Stream:  func(string) registry.StreamForm { return registry.StreamForm{Join: comma} },
				Compose: compose,
			},
		},
		Routes:  routes(newUploads()),
		Dialect: dialect{},
	}
}

// routes lists the endpoints. Those of a channel are there twice: without a
// name of a channel they are of the root channel; those that read a second
// time below a token.
func routes(u *uploads) []protocols.Route {
	const (
		get, put, post, del = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete

		file    = "{subdir}/{file}"
		channel = "{channel...}/"
	)
	all := []protocols.Route{
		{Method: get, Pattern: tokenPath + "/{token}/" + file, Action: access.Read, Identify: identify, Handle: serve},
		{Method: get, Pattern: tokenPath + "/{token}/" + channel + file, Action: access.Read, Identify: identify, Handle: serve},
		{Method: post, Pattern: "api/channels/{channel...}/upload/{file}", Action: access.Write, Handle: u.quetz},
	}
	for _, at := range []string{"", channel} {
		all = append(all,
			protocols.Route{Method: put, Pattern: at + file + "/yank", Action: access.Write, Handle: yank},
			protocols.Route{Method: del, Pattern: at + file + "/yank", Action: access.Write, Handle: unyank},
			protocols.Route{Method: get, Pattern: at + file, Action: access.Read, Handle: serve},
			protocols.Route{Method: post, Pattern: at + file, Action: access.Write, Handle: u.intoSubdir},
			protocols.Route{Method: del, Pattern: at + file, Action: access.Delete, Handle: deleteFile},
		)
	}
	return append(all,
		protocols.Route{Method: put, Pattern: "{file}", Action: access.Write, Handle: u.put},
		protocols.Route{Method: put, Pattern: "{folder...}/{file}", Action: access.Write, Handle: u.put},
	)
}

// dialect is JSON, of which conda shows both texts.
type dialect struct{}

// Challenge asks for Basic.
func (dialect) Challenge(*protocols.Request) string { return protocols.BasicChallenge }

// WriteError writes {"reason": "...", "message": "..."}.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	protocols.WriteJSON(w, r.Request, status, struct {
		Reason  string `json:"reason"`
		Message string `json:"message"`
	}{http.StatusText(status), protocols.OneLine(e.Message)})
}

// nowhere never says what was asked for: there may be a token in it.
func nowhere() error { return registry.Errorf(registry.NotFound, "there is nothing at this path") }

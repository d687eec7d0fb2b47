// Package arch is the package type of pacman's repositories (Arch Linux).
//
// An owner has any number of groups, among them one without a name; a group
// holds packages of several architectures, and pacman reads one database of a
// group and an architecture. Packages are uploaded to a group (upload.go, with
// the parsers of what is uploaded in pack.go and pkginfo.go). The databases
// are kept by the registry's engine for repository-wide indexes; what is
// Arch's about them is in index.go and entry.go. Their central idea: a package
// contributes one entry of a tar archive, and an archive needs no order, so a
// database is the entries one after the other; of each name it has the newest
// version alone. Packages are signed when their signature is asked for, from a
// state of a hash that was kept at the upload (signature.go).
package arch

import (
	"net/http"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// mailDomain is that of the addresses in generated keys, by which people name
// the key to pacman-key. No mail goes there (RFC 2606, section 2).
const mailDomain = "noreply.entrepot.invalid"

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:         "arch",
			Title:        "Arch",
			CopyName:     copyName,
			Instructions: instructions,
			Facts:        facts,
			Counts:       registry.CountFiles,
			Index: &registry.Index{
				Format:  1,
				Place:   placeFile,
				Render:  renderEntry,
				Stream:  func(string) registry.StreamForm { return registry.StreamForm{Newest: true} },
				Compose: compose,
				FansOut: true,
				Key:     registry.OpenPGPKey,
				Identity: func(o *ent.Owner) (name, email string) {
					return o.Name, keyAddress(o.Name)
				},
			},
		},
		Routes: []protocols.Route{
			{Method: http.MethodGet, Pattern: keyFile, Action: access.Read, Handle: repositoryKey},
			{Method: http.MethodPut, Pattern: keyFile, Action: access.Administer, Handle: protocols.ReplaceKey},
			{Method: http.MethodPost, Pattern: keyFile, Action: access.Administer, Handle: protocols.ReplaceKey},
			{Method: http.MethodGet, Pattern: describeFile, Action: access.Read, Handle: describe},
			{Method: http.MethodPut, Pattern: "", Action: access.Write, Handle: put},
			{Method: http.MethodPut, Pattern: "{group...}", Action: access.Write, Handle: put},
			{Method: http.MethodGet, Pattern: "{architecture}/{file}", Action: access.Read, Handle: get},
			{Method: http.MethodGet, Pattern: "{group...}/{architecture}/{file}", Action: access.Read, Handle: get},
			{Method: http.MethodDelete, Pattern: "{name}/{version}/{architecture}", Action: access.Delete, Handle: deletePackage},
			{Method: http.MethodDelete, Pattern: "{group...}/{name}/{version}/{architecture}", Action: access.Delete, Handle: deletePackage},
			{Method: http.MethodDelete, Pattern: "{path...}", Action: access.Delete, Handle: deleteWhat},
		},
		Dialect: dialect{},
	}
}

// keyAddress is the e-mail address in the key of an owner.
func keyAddress(owner string) string { return owner + "@" + mailDomain }

// copyName lets a version with all its files be copied to another owner.
func copyName(_, name string) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	return name, nil
}

// get serves databases and packages, and the signatures of both.
func get(w http.ResponseWriter, r *protocols.Request) error {
	group, arch, file := r.Params["group"], r.Params["architecture"], r.Params["file"]
	if checkGroup(group) != nil || checkArch(arch) != nil {
		return nowhere()
	}
	if object, ok := databaseObject(file); ok {
		return serveDatabase(w, r, group, arch, object)
	}
	return servePackage(w, r, group, arch, file)
}

func nowhere() error { return registry.Errorf(registry.NotFound, "there is nothing at this path") }

// dialect is a line of text: curl shows it, pacman the status alone.
type dialect struct{}

// Challenge asks for Basic, which pacman sends of its URL only when asked.
func (dialect) Challenge(*protocols.Request) string { return `Basic realm="Entrepot"` }

// WriteError writes one line.
func (dialect) WriteError(w http.ResponseWriter, r *protocols.Request, status int, e *registry.Error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write([]byte(protocols.OneLine(e.Message) + "\n")) // the client is told or gone
	}
}

package rubygems

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// info answers with the list of a gem's files. That of a gem of which
// everything was yanked is empty, and there: clients would otherwise keep what
// they have of it.
//
// https://guides.rubygems.org/rubygems-org-compact-index-api/#get---infogem_name
func info(w http.ResponseWriter, r *protocols.Request) error {
	name := r.Params["name"]
	p, err := findGem(r, name, access.Read)
	if registry.CodeOf(err) == registry.NotFound || registry.CodeOf(err) == registry.Unauthenticated {
		gone, lookUp := goneGem(r, name)
		if lookUp != nil {
			return lookUp
		}
		if gone != nil {
			p, err = gone, nil
		}
	}
	if err != nil {
		return err
	}
	key := registry.DocumentKey{Package: p, Name: "rubygems info", Digests: true}
	d, err := r.Registry.Document(r.Context(), key, func(ctx context.Context, w io.Writer) error {
		files, err := r.Space.LeadFiles(ctx, p)
		if err != nil {
			return err
		}
		return writeList(w, files)
	})
	if err != nil {
		return err
	}
	body, err := d.Plain()
	if err != nil {
		return err
	}
	seeker, ok := body.(io.ReadSeeker)
	if !ok { // a very long one, of which only the compressed form is kept
		raw, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		seeker = bytes.NewReader(raw)
	}
	return serveText(w, r, text{body: seeker, md5: d.MD5, sha256: d.SHA256, modified: lastModified(p)})
}

// writeList writes the list of a gem.
func writeList(w io.Writer, files []registry.LeadFile) error {
	out := bufio.NewWriter(w)
	out.WriteString(listHeader)
	for _, f := range files {
		line, err := fragmentLine(f.Fragment)
		if err != nil {
			return err
		}
		out.Write(line)
	}
	return out.Flush()
}

// lastModified is the date of a gem's list. Dates have whole seconds, so it is
// not the instant of the last change, but a second later with each change.
func lastModified(p *ent.Pkg) time.Time {
	return p.CreatedAt.UTC().Truncate(time.Second).Add(time.Duration(p.Generation) * time.Second)
}

var errNoGem = registry.Errorf(registry.NotFound, "this gem could not be found")

// findGem finds a gem that has a version, by its exact name.
func findGem(r *protocols.Request, name string, action access.Action) (*ent.Pkg, error) {
	key := ""
	if validName(name) {
		key = fold(name)
	}
	p, err := r.Space.Package(r.Context(), key, action)
	if registry.CodeOf(err) == registry.NotFound || err == nil && p.Name != name {
		return nil, errNoGem
	}
	return p, err
}

// goneGem finds a gem that had versions once and that the viewer may read, or
// nil.
func goneGem(r *protocols.Request, name string) (*ent.Pkg, error) {
	if !validName(name) {
		return nil, nil
	}
	p, err := r.Space.AnyPackage(r.Context(), fold(name))
	if err != nil || p == nil || p.Name != name || p.VersionCount > 0 || !r.Space.Can(access.Read, p) {
		return nil, err
	}
	return p, nil
}

// fileProperty is the property of a file by which it is found: the owner's
// number and the name in lower case. A name cannot be taken apart for that.
const fileProperty = "rubygems.file"

func fileNamed(r *protocols.Request, name string) registry.Property {
	return registry.Property{Name: fileProperty, Value: ownerKey(r.Space.Owner.ID) + fold(name)}
}

// findFile finds the gem file of that name.
func findFile(r *protocols.Request, name string) (*ent.PackageFile, error) {
	found, err := r.Space.FileWith(r.Context(), fileNamed(r, name))
	if err != nil && registry.CodeOf(err) != registry.NotFound {
		return nil, err
	}
	// A file that is not there is missed as its gem would be.
	p, err := r.Space.Package(r.Context(), found.Package, access.Read)
	if err == nil {
		var f *ent.PackageFile
		if f, err = r.Space.File(r.Context(), p, found.Version, found.Name, found.CompositeKey); err == nil {
			return f, nil
		}
	}
	if registry.CodeOf(err) == registry.NotFound {
		return nil, registry.Errorf(registry.NotFound, "there is no %.300s here", strings.ToValidUTF8(name, "?"))
	}
	return nil, err
}

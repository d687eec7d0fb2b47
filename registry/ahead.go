package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"entrepot/access"
	"entrepot/ent"
)

// FilePath names a file below an owner and a type by the normalized parts of
// its path.
type FilePath struct {
	Package string
	// Version is the normalized version; Tag names it instead when it is set.
	Version, Tag       string
	Name, CompositeKey string
}

// ahead is what EnterFor read together with the owner: the package and the
// file that the request is about. It lives as long as the request, which is
// one that only reads.
type ahead struct {
	key  FilePath
	pkg  ent.Pkg
	file *ent.PackageFile
}

// holds returns the file, if it is the one of that key in the package.
func (a *ahead) holds(p *ent.Pkg, key FilePath) *ent.PackageFile {
	if a == nil || p != &a.pkg {
		return nil
	}
	key.Package = a.key.Package
	if key != a.key {
		return nil
	}
	return a.file
}

const (
	// selectFound are what EnterFor needs of the owner and of the package.
	selectFound = `
		SELECT o.id, o.name, o.kind, o.visibility, o.settings,
			p.id, p.name, p.visibility, p.generation, p.version_count, p.latest_id,`
	fromOwner = `
		FROM owners o
			JOIN packages p ON p.owner_id = o.id AND p.type = ? AND p.normalized_name = ?`
)

// EnterFor is Enter for a request that only reads and is about one file, by
// far the most frequent kind: where the file is there, a single statement
// finds owner, package and file, and the space's AnyPackage, Package, File and
// TaggedFile answer from it. Of the owner and of the package it reads what
// rights, names and settings are about, not what people wrote about them.
// Everything else, a file that is missing included, goes Enter's way.
func (r *Registry) EnterFor(ctx context.Context, ownerName, typeName string, action access.Action, key FilePath) (*Space, error) {
	t, ok := r.types[typeName]
	if !ok || len(ownerName) > access.MaxOwnerName {
		return r.Enter(ctx, ownerName, typeName, action)
	}
	statement, version := fileOfOwner, key.Version
	if key.Tag != "" {
		statement, version = taggedFileOfOwner, byteKey(key.Tag)
	}
	var o ent.Owner
	var settings []byte
	var f foundFile
	a := &ahead{key: key}
	p := &a.pkg
	dest := append([]any{
		&o.ID, &o.Name, &o.Kind, &o.Visibility, &settings,
		&p.ID, &p.Name, &p.Visibility, &p.Generation, &p.VersionCount, &p.LatestID,
	}, f.dest()...)
	o.NormalizedName = strings.ToLower(ownerName)
	found, err := r.db.Row(ctx, statement, []any{t.Name, key.Package, version, key.Name, key.CompositeKey, o.NormalizedName}, dest...)
	if err != nil {
		return nil, fmt.Errorf("look up file: %w", err)
	}
	if !found {
		return r.Enter(ctx, ownerName, typeName, action)
	}
	if err := json.Unmarshal(settings, &o.Settings); err != nil {
		return nil, fmt.Errorf("read the settings of %s: %w", o.Name, err)
	}
	p.OwnerID, p.Type, p.NormalizedName = o.ID, t.Name, key.Package
	a.file = f.of(p, key.Name, key.CompositeKey)
	s := &Space{Owner: &o, Type: t, Viewer: access.FromContext(ctx), reg: r, ahead: a}
	if s.Role, err = r.role(ctx, s.Viewer, &o); err != nil {
		return nil, err
	}
	return s, s.check(action, "")
}

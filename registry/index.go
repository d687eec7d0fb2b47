package registry

import (
	"context"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/pkg"
	"entrepot/registry/index"
)

// A repository-wide index lists files of many packages in a few large texts
// under one signature. Its upkeep costs the same whatever it lists:
//
//   - A publish, in its own transaction, notes that a file is to be listed; a
//     deletion, wherever it comes from, that it is not (index_list.go). Nothing
//     is rendered, compressed or signed then: the root's generation is raised.
//   - The first read after that builds a snapshot (index_build.go): it renders
//     what is new, compresses the chunks that changed (index_stream.go), hashes
//     from the first change on, signs, and switches in one short transaction.
//     One process builds a root at a time; a read that begins after a publish
//     has returned sees it.
//   - Snapshots that were replaced stay readable by the hashes of their
//     objects for a while (index_collect.go).
//
// All that a package type adds is an Index, the functions below.

// Index says how the repository-wide indexes of a type are made. It is data:
// the engine asks its functions and knows no type by name.
type Index struct {
	// Format is the version of Render's output, from 1. Raising it renders the
	// texts of all indexes anew, each at its next build.
	Format int
	// Place tells where a file is listed: in no place, one, or several. It is
	// asked in the transaction that changes the file, and must depend on the
	// file alone.
	Place func(IndexedFile) ([]Placement, error)
	// Render is what the file contributes to the text at a place. It is asked
	// by builds, maybe again and again, and must depend on its arguments
	// alone. member is that of the root, which for a placement in every member
	// is not the placement's. A file with an error is left out and reported.
	Render func(f IndexedFile, p Placement, member string) ([]byte, error)
	// Stream says how the text of that name is kept. Nil means the zero value
	// for all.
	Stream func(name string) StreamForm
	// Compose writes the objects of a snapshot.
	Compose func(context.Context, *IndexBuild) error
	// Freeze returns what a new root keeps for good: labels that clients
	// compare. It may be nil.
	Freeze func(owner *ent.Owner, family, member string) map[string]string
	// FansOut tells that Place may answer EveryMember.
	FansOut bool
	// Key is the form of the key that signs; empty for none.
	Key KeyForm
	// Identity is whose key a generated OpenPGP key says it is, name and
	// e-mail address. Nil means the owner's name and no address.
	Identity func(owner *ent.Owner) (name, email string)
}

// EveryMember, as the member of a placement, lists a file in every root of the
// family, also in those to come, and in a root of that name, which serves the
// members that have no file of their own.
const EveryMember = "*"

// Placement is a place where a file is listed.
type Placement struct {
	// Family and Member name the root: what has one signature. Types without
	// families leave Member empty.
	Family, Member string
	// Stream is the text within the root.
	Stream string
	// Name is what the entry is about, for streams that list one entry a name
	// or join entries by name.
	Name string
	// Rank orders the entries of one name as text: see StreamForm.Newest. The
	// version's SortKey is one.
	Rank string
	// Sort is the entry's place in the stream as text; all empty, the order is
	// that of publishing.
	Sort string
}

// StreamForm says how a text is kept.
type StreamForm struct {
	// Chunk is how many bytes are compressed together; 0 means 256 KiB.
	Chunk int
	// Newest lists of all entries with one name only that with the greatest
	// Rank, the last published of equals.
	Newest bool
	// Join returns what stands between two entries that follow each other,
	// and with an empty before, before the first: a comma, a heading. Nil
	// means nothing.
	Join func(before, after *string) string
}

// IndexedFile is a published file as indexes see it.
type IndexedFile struct {
	// File is the file's row with its fragment.
	File *ent.PackageFile
	// Blob is its content's digests and size.
	Blob *ent.PackageBlob
	// Version is its version, without readme.
	Version *ent.PackageVersion
	// Package is its package.
	Package *ent.Pkg
}

// IndexName names an index of a space.
type IndexName struct{ Family, Member string }

func (x *Index) stream(name string) StreamForm {
	var form StreamForm
	if x.Stream != nil {
		form = x.Stream(name)
	}
	if form.Chunk <= 0 {
		form.Chunk = defaultChunk
	}
	return form
}

// defaultChunk is a compromise: half of it costs 1 % more bytes, twice of it
// twice the time to compress after a publish.
const defaultChunk = 256 << 10

func (f StreamForm) join(before, after *string) string {
	if f.Join == nil {
		return ""
	}
	return f.Join(before, after)
}

// isNarrow tells whether some who may read the owner's packages may not read
// this one: indexes show it to members alone.
func isNarrow(o *ent.Owner, p *ent.Pkg) bool {
	all := access.Visibility(o.Visibility)
	return p.Visibility != pkg.VisibilityInherit && access.Narrower(all, access.Visibility(p.Visibility)) != all
}

// Recipe is a file of an index in parts; see entrepot/registry/index.
type Recipe = index.Recipe

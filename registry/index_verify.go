package registry

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/indexfragment"
	"entrepot/ent/indexroot"
	"entrepot/ent/indexstream"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/predicate"
	"entrepot/registry/index"
)

// VerifyIndexes compares the indexes of a type with the published files, of
// one owner or, with "", of all, and returns what is wrong in a sentence each.
// It reads everything and holds the entries' digests in memory; changes that
// are made meanwhile may be reported as wrong.
func (r *Registry) VerifyIndexes(ctx context.Context, typeName, ownerName string) ([]string, error) {
	ctx = access.SystemContext(ctx)
	t, ok := r.types[typeName]
	if !ok || t.Index == nil {
		return nil, Errorf(NotFound, "%s has no indexes", typeName)
	}
	where := []predicate.IndexRoot{indexroot.Type(typeName)}
	if ownerName != "" {
		o, err := r.owner(ctx, ownerName)
		if err != nil {
			return nil, err
		}
		if o == nil {
			return nil, Errorf(NotFound, "owner not found")
		}
		where = append(where, indexroot.OwnerID(o.ID))
	}
	roots, err := r.db.IndexRoot.Query().Where(where...).Order(ent.Asc(indexroot.FieldID)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list indexes: %w", err)
	}
	var problems []string
	for _, root := range roots {
		wrong, err := r.verifyRoot(ctx, t, root)
		if err != nil {
			return nil, err
		}
		problems = append(problems, wrong...)
	}
	return problems, nil
}

// place is a fragment where it should be, or is.
type place struct {
	stream string
	file   int64
}

func (r *Registry) verifyRoot(ctx context.Context, t Type, root *ent.IndexRoot) ([]string, error) {
	if err := r.buildTo(ctx, root.ID, root.Generation); err != nil {
		return nil, err
	}
	var problems []string
	name := strings.TrimSuffix(root.Family+"/"+root.Member, "/") + " (" + strings.ToLower(string(root.View)) + ")"
	wrong := func(format string, args ...any) {
		problems = append(problems, name+": "+fmt.Sprintf(format, args...))
	}
	want, err := r.shouldList(ctx, t, root)
	if err != nil {
		return nil, err
	}
	streams, err := r.db.IndexStream.Query().Where(indexstream.RootID(root.ID)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list streams: %w", err)
	}
	for _, s := range streams {
		have, err := r.entriesOfStream(ctx, t.Index.stream(s.Name), s)
		if err != nil {
			wrong("%s: %v", s.Name, err)
			continue
		}
		if len(have) != s.Entries {
			wrong("%s has %d entries and counts %d", s.Name, len(have), s.Entries)
		}
		for file, text := range have {
			expected, listed := want[place{s.Name, file}]
			switch delete(want, place{s.Name, file}); {
			case !listed:
				wrong("%s lists the file %d, which should not be there", s.Name, file)
			case !bytes.Equal(expected, text):
				wrong("%s: the entry of the file %d is not what it should be", s.Name, file)
			}
		}
	}
	for p := range want {
		wrong("%s lacks the file %d", p.stream, p.file)
	}
	slices.Sort(problems)
	return problems, nil
}

// shouldList renders what a root should list.
func (r *Registry) shouldList(ctx context.Context, t Type, root *ent.IndexRoot) (map[place][]byte, error) {
	o, err := r.db.Owner.Get(ctx, root.OwnerID)
	if err != nil {
		return nil, fmt.Errorf("read owner: %w", err)
	}
	public, err := r.db.IndexRoot.Query().Where(indexroot.OwnerID(o.ID), indexroot.Type(t.Name), indexroot.Family(root.Family),
		indexroot.Member(root.Member), indexroot.ViewEQ(indexroot.ViewPublic)).Exist(ctx)
	if err != nil {
		return nil, fmt.Errorf("look up index: %w", err)
	}
	packages, err := r.db.Pkg.Query().Where(pkg.OwnerID(o.ID), pkg.Type(t.Name)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	type ranked struct {
		rank string
		file int64
	}
	want := map[place][]byte{}
	newest := map[string]ranked{}
	for _, p := range packages {
		if root.View == indexroot.ViewPublic && isNarrow(o, p) {
			continue
		}
		ids, err := r.db.PackageFile.Query().
			Where(in(packagefile.FieldVersionID, packageversion.Table, packageversion.FieldID,
				packageversion.PackageID(p.ID), predicate.PackageVersion(published))).
			Order(ent.Asc(packagefile.FieldID)).IDs(ctx)
		if err != nil {
			return nil, fmt.Errorf("list files: %w", err)
		}
		for chunk := range slices.Chunk(ids, lookUpAtOnce) {
			files, err := indexedFiles(ctx, r.db.Client, chunk)
			if err != nil {
				return nil, err
			}
			for _, id := range chunk {
				places, err := t.Index.Place(files[id])
				if err != nil {
					return nil, err
				}
				for _, pl := range places {
					if pl.Family != root.Family || pl.Member != root.Member && pl.Member != EveryMember {
						continue
					}
					if isNarrow(o, p) && !public {
						return nil, fmt.Errorf("%s is not for everybody, and %s/%s has no public view", p.Name, root.Family, root.Member)
					}
					text, err := t.Index.Render(files[id], pl, root.Member)
					if err != nil || len(text) == 0 {
						continue // left out
					}
					if t.Index.stream(pl.Stream).Newest {
						key := pl.Stream + "\n" + pl.Name
						if best, ok := newest[key]; ok {
							if best.rank > pl.Rank {
								continue
							}
							delete(want, place{pl.Stream, best.file})
						}
						newest[key] = ranked{pl.Rank, id}
					}
					want[place{pl.Stream, id}] = text
				}
			}
		}
	}
	return want, nil
}

// entriesOfStream takes the text of a stream apart.
func (r *Registry) entriesOfStream(ctx context.Context, form StreamForm, s *ent.IndexStream) (map[int64][]byte, error) {
	have := map[int64][]byte{}
	var last *string
	for _, c := range s.Chunks {
		packed, err := r.indexData(ctx, c.Data)
		if err != nil {
			return nil, err
		}
		text, err := index.Inflate(packed, c.Size)
		if err != nil {
			return nil, err
		}
		rows, err := rowsOf(r.db.Client, s.ID)(ctx, c.Number)
		if err != nil {
			return nil, err
		}
		at := 0
		for _, row := range rows {
			join := form.join(last, &row.Name)
			if !bytes.HasPrefix(text[min(at, len(text)):], []byte(join)) || at+len(join)+row.Length > len(text) {
				return nil, errDamaged
			}
			at += len(join)
			have[row.FileID] = text[at : at+row.Length]
			at += row.Length
			last = &row.Name
		}
		if at != len(text) {
			return nil, errDamaged
		}
	}
	stray, err := r.db.IndexFragment.Query().Where(indexfragment.StreamID(s.ID), indexfragment.ChunkGT(0)).Count(ctx)
	if err == nil && stray != len(have) {
		err = errDamaged
	}
	return have, err
}

package registry

import (
	"context"
	"fmt"
	"strconv"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/indexdata"
	"entrepot/registry/index"
)

// Encoding is a compression in which objects are served that a snapshot has
// in the plain form only.
type Encoding string

// The encodings.
const (
	// XZ is one stream of many blocks.
	XZ Encoding = "xz"
	// Zstd is a run of frames.
	Zstd Encoding = "zstd"
)

// Encoded returns an object of the snapshot in another encoding. It is put
// together from its chunks, each of which is compressed once, when somebody
// first asks: an encoding that nobody asks for costs nothing. Its digest is
// known to no document; its entity tag follows from the plain form's.
func (s *Snapshot) Encoded(ctx context.Context, path string, e Encoding, contentType string) (*IndexObject, error) {
	plain, err := s.Object(path)
	if err != nil {
		return nil, err
	}
	r := plain.reg
	key := "encode/" + string(e) + "/" + strconv.FormatInt(s.id, 10) + "/" + path
	recipe, err, _ := r.builds.Do(key, func() (any, error) {
		return r.encode(access.SystemContext(context.WithoutCancel(ctx)), plain.recipe, e)
	})
	if err != nil {
		return nil, err
	}
	o := *plain
	o.recipe, o.ContentType = recipe.(Recipe), contentType
	o.Size = o.recipe.Size()
	o.Sha256 = plain.Sha256 + "-" + string(e)
	return &o, nil
}

// Encode is a plain recipe in another encoding, for documents that name the
// digest of that form. Only chunks that no earlier build has encoded are
// compressed now.
func (b *IndexBuild) Encode(ctx context.Context, plain Recipe, e Encoding) (Recipe, error) {
	return b.reg.encode(ctx, plain, e)
}

// encode makes the recipe of a plain one's other form.
func (r *Registry) encode(ctx context.Context, plain Recipe, e Encoding) (Recipe, error) {
	recipe := Recipe{}
	var blocks []index.XZBlock
	if e == XZ {
		recipe = recipe.Literal(index.XZHeader)
	}
	for _, part := range plain.Parts() {
		id, packed, err := r.encodePart(ctx, part, e)
		if err != nil {
			return Recipe{}, err
		}
		block := index.XZBlock{Size: int64(len(packed))}
		if e == XZ {
			if block, err = index.FindXZBlock(packed); err != nil {
				return Recipe{}, err
			}
			blocks = append(blocks, block)
		}
		if id == 0 {
			recipe = recipe.Literal(packed[block.Skip : block.Skip+block.Size])
		} else {
			recipe = recipe.Slice(id, block.Skip, block.Size)
		}
	}
	if e == XZ {
		recipe = recipe.Literal(index.XZTrailer(blocks))
	}
	return recipe, nil
}

// encodePart returns a part of a plain object in another encoding, and its
// number if it is a chunk, whose other form is kept.
func (r *Registry) encodePart(ctx context.Context, part index.Part, e Encoding) (int64, []byte, error) {
	compress := map[Encoding]func([]byte) ([]byte, error){XZ: index.CompressXZ, Zstd: index.CompressZstd}[e]
	if compress == nil {
		return 0, nil, fmt.Errorf("there is no encoding %q", e)
	}
	if part.Data == 0 {
		packed, err := compress(part.Literal)
		return 0, packed, err
	}
	row, err := r.db.IndexData.Query().Where(indexdata.SourceID(part.Data), indexdata.Encoding(string(e))).First(ctx)
	if err == nil {
		return row.ID, row.Content, nil
	}
	if !ent.IsNotFound(err) {
		return 0, nil, fmt.Errorf("look up chunk: %w", err)
	}
	source, err := r.db.IndexData.Get(ctx, part.Data)
	if err != nil {
		return 0, nil, fmt.Errorf("read chunk: %w", err)
	}
	text, err := index.Inflate(source.Content, source.Size)
	if err != nil {
		return 0, nil, err
	}
	packed, err := compress(text)
	if err != nil {
		return 0, nil, err
	}
	// Another process may do the same; the second is as good as the first.
	row, err = r.db.IndexData.Create().SetOwnerID(source.OwnerID).SetSourceID(source.ID).SetEncoding(string(e)).
		SetContent(packed).SetSize(source.Size).Save(ctx)
	if err != nil {
		return 0, nil, fmt.Errorf("keep chunk: %w", err)
	}
	return row.ID, packed, nil
}

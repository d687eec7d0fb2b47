package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/dsnet/compress/bzip2"
	"github.com/klauspost/compress/zstd"

	"entrepot/access"
	"entrepot/registry/index"
)

// Packing is a compression of a whole object as one stream: for clients that
// stop at the end of the first, and so cannot read what Snapshot.Encoded joins
// from chunks.
type Packing string

// The packings.
const (
	// Unpacked is the object as it is.
	Unpacked Packing = ""
	// Zstandard is one frame.
	Zstandard Packing = "zst"
	// Bzip2 is one stream.
	Bzip2 Packing = "bz2"
)

// packedMemory is how many bytes of packed objects are kept in memory. One
// that has to make room is packed again when somebody asks for it.
const packedMemory = 64 << 20

// NewIndexObject makes an object of its bytes, for documents that are there
// before anything is listed in their index. It is of no snapshot.
func NewIndexObject(path, contentType string, content []byte, modified time.Time) *IndexObject {
	sum := sha256.Sum256(content)
	return &IndexObject{
		Path: path, Sha256: hex.EncodeToString(sum[:]), Size: int64(len(content)), ContentType: contentType,
		Modified: modified, recipe: index.Recipe{}.Literal(content),
	}
}

// PackedAs is what stands for the digest of the object's packed form: it
// follows from the object's own, and is known before anything is packed.
func (o *IndexObject) PackedAs(p Packing) string {
	if p == Unpacked {
		return o.Sha256
	}
	return o.Sha256 + "-" + string(p)
}

// PackIndexObject returns an object in a packed form. It is made when somebody
// first asks, once for all who do, and its Sha256 is PackedAs.
func (r *Registry) PackIndexObject(ctx context.Context, o *IndexObject, p Packing, contentType string) (*IndexObject, error) {
	key := o.PackedAs(p)
	content, ok := r.packed.GetIfPresent(key)
	if !ok {
		made, err, _ := r.builds.Do("pack/"+key, func() (any, error) {
			return pack(access.SystemContext(context.WithoutCancel(ctx)), o, p)
		})
		if err != nil {
			return nil, err
		}
		content = made.([]byte)
		r.packed.Set(key, content)
	}
	packed := *o
	packed.Sha256, packed.ContentType, packed.Size = key, contentType, int64(len(content))
	packed.recipe = index.Recipe{}.Literal(content)
	return &packed, nil
}

func pack(ctx context.Context, o *IndexObject, p Packing) ([]byte, error) {
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch p {
	case Zstandard:
		w, err = zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
	case Bzip2:
		w, err = bzip2.NewWriter(&b, &bzip2.WriterConfig{Level: bzip2.BestCompression})
	default:
		err = fmt.Errorf("there is no packing %q", p)
	}
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, o.Open(ctx)); err != nil {
		return nil, fmt.Errorf("pack %s: %w", o.Path, err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack %s: %w", o.Path, err)
	}
	return b.Bytes(), nil
}

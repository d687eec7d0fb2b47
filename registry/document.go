package registry

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"

	"entrepot/ent"
)

// Document is what clients download that was never published as such: an
// index, a packument, a list. It is composed from rows once per generation of
// its package and kept in memory.
type Document struct {
	// ETag is the strong entity tag of the plain form, quotes included. It
	// follows from the package's generation alone, so that a conditional
	// request is answered before anything is composed. The compressed form
	// has GzipETag.
	ETag, GzipETag string
	// Gzip is the compressed form, Size the length of the plain one.
	Gzip []byte
	Size int
	// MD5 and SHA256 are digests of the plain form in hexadecimal, for a
	// DocumentKey that asks for them.
	MD5, SHA256 string

	body []byte // nil for a document too large to be kept in both forms
}

// Plain returns the plain form from its start. Most clients take the
// compressed one, so that of a large document only that is kept.
func (d *Document) Plain() (io.Reader, error) {
	if d.body != nil {
		return bytes.NewReader(d.body), nil
	}
	return gzip.NewReader(bytes.NewReader(d.Gzip))
}

// DocumentKey names a document.
type DocumentKey struct {
	// Package is what the document is composed from.
	Package *ent.Pkg
	// Name tells the documents of one package apart: the form, the base URL,
	// whatever else the bytes depend on.
	Name string
	// Digests asks for the digests of the plain form: clients of the type
	// compare them.
	Digests bool
}

// ETags returns the entity tags of the plain and of the compressed form.
func (k DocumentKey) ETags() (plain, compressed string) {
	h := fnv.New64a()
	io.WriteString(h, k.Name)
	tag := fmt.Sprintf("%x-%x-%x", k.Package.ID, k.Package.Generation, h.Sum64())
	return `"` + tag + `"`, `"` + tag + `-gz"`
}

// documentCache keeps composed documents within a bound of bytes. One reader
// composes, the others that want the same wait for it.
type documentCache struct {
	kept  *otter.Cache[documentID, cachedDocument]
	group singleflight.Group
	limit int
}

type documentID struct {
	packageID int64
	name      string
}

type cachedDocument struct {
	generation int64
	*Document
}

const defaultDocumentCache = 32 << 20

func newDocumentCache(limit int64) *documentCache {
	if limit <= 0 {
		limit = defaultDocumentCache
	}
	return &documentCache{
		limit: int(limit),
		kept: otter.Must(&otter.Options[documentID, cachedDocument]{
			MaximumWeight: uint64(limit),
			Weigher: func(id documentID, d cachedDocument) uint32 {
				return uint32(len(id.name) + len(d.body) + len(d.Gzip) + 256)
			},
		}),
	}
}

// Compose writes the plain form of a document.
type Compose func(context.Context, io.Writer) error

// Document returns the document, composing it when the package has changed
// since it was last. compose writes the plain form; it runs under no viewer's
// eyes, so what it writes must be the same for everybody who may read the
// package.
func (r *Registry) Document(ctx context.Context, key DocumentKey, compose Compose) (*Document, error) {
	c := r.documents
	id := documentID{key.Package.ID, key.Name}
	if d, ok := c.kept.GetIfPresent(id); ok && d.generation == key.Package.Generation {
		return d.Document, nil
	}
	plain, compressed := key.ETags()
	// The work outlives a reader that hangs up: others may wait for it.
	got, err, _ := c.group.Do(plain, func() (any, error) {
		ctx := context.WithoutCancel(ctx)
		var body, packed bytes.Buffer
		if err := compose(ctx, &body); err != nil {
			return nil, err
		}
		z := gzip.NewWriter(&packed)
		z.Write(body.Bytes()) // a bytes.Buffer takes everything
		if err := z.Close(); err != nil {
			return nil, err
		}
		d := &Document{ETag: plain, GzipETag: compressed, Gzip: bytes.Clone(packed.Bytes()), Size: body.Len()}
		if key.Digests {
			short, long := md5.Sum(body.Bytes()), sha256.Sum256(body.Bytes())
			d.MD5, d.SHA256 = hex.EncodeToString(short[:]), hex.EncodeToString(long[:])
		}
		if d.Size < c.limit/8 {
			d.body = bytes.Clone(body.Bytes())
		}
		if len(d.body)+len(d.Gzip) < c.limit/4 {
			c.kept.Set(id, cachedDocument{key.Package.Generation, d})
		}
		return d, nil
	})
	if err != nil {
		return nil, err
	}
	return got.(*Document), nil
}

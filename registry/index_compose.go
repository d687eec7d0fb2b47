package registry

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"entrepot/ent"
	"entrepot/registry/index"
)

// IndexBuild is a snapshot in the making, as Index.Compose gets it: the texts
// are there, the objects are to be added. It is used by one goroutine.
type IndexBuild struct {
	// Owner and Name say whose index it is.
	Owner *ent.Owner
	Name  IndexName
	// Settings are what Index.Freeze gave when the root was made.
	Settings map[string]string
	// Generation grows with every snapshot of the root.
	Generation int64
	// Modified is the snapshot's Last-Modified, in whole seconds and UTC. It
	// grows with every snapshot, and may lie two seconds ahead of the clock.
	Modified time.Time

	reg         *Registry
	root        *ent.IndexRoot
	typ         Type
	before      map[string]*ent.IndexObject
	texts       map[string]*IndexText
	names       []string
	streamNames map[int64]string
	objects     []*ent.IndexObject
	signers     []signer
}

// IndexText is the text of a stream.
type IndexText struct {
	// Stream is its name.
	Stream string
	// Entries is how many fragments it has.
	Entries int

	chunks []*builtChunk
}

func (b *IndexBuild) addText(s *streamBuild) {
	b.texts[s.stream.Name] = &IndexText{Stream: s.stream.Name, Entries: s.entries, chunks: s.chunks}
	b.names = append(b.names, s.stream.Name)
}

// Texts are the texts of all streams that ever had an entry, by name.
func (b *IndexBuild) Texts() []*IndexText {
	texts := make([]*IndexText, len(b.names))
	for i, name := range b.names {
		texts[i] = b.texts[name]
	}
	return texts
}

// Text is the text of a stream, empty if there is no such stream.
func (b *IndexBuild) Text(stream string) *IndexText {
	if t := b.texts[stream]; t != nil {
		return t
	}
	return &IndexText{Stream: stream}
}

// Wrap is the text between a head and a tail: Plain and Gzip of what it
// returns are recipes for Add.
func (t *IndexText) Wrap(head, tail string) *index.Text {
	whole := &index.Text{}
	whole.Literal([]byte(head))
	for _, c := range t.chunks {
		whole.Chunk(c.Data, c.Size, c.Packed, c.CRC)
	}
	whole.Literal([]byte(tail))
	return whole
}

// Size is the length of the text in bytes.
func (t *IndexText) Size() (size int64) {
	for _, c := range t.chunks {
		size += c.Size
	}
	return size
}

// Added is an object of a snapshot.
type Added struct {
	// Path names the object among those of its root.
	Path string
	// Sha256 is its digest in hexadecimal, Size its length.
	Sha256 string
	Size   int64
}

// Add makes a file of the snapshot from a recipe. It is hashed from the first
// part on that the file of that path in the last snapshot did not have.
func (b *IndexBuild) Add(ctx context.Context, path, contentType string, r Recipe) (Added, error) {
	added, _, err := b.AddSummed(ctx, path, contentType, r)
	return added, err
}

// AddSummed is Add with further digests of the file, in hexadecimal, which are
// computed with the same economy. Their states can be marshalled, as those of
// the standard library can; of one path, they are the same in all builds.
func (b *IndexBuild) AddSummed(ctx context.Context, path, contentType string, r Recipe, more ...func() hash.Hash) (Added, []string, error) {
	var before Recipe
	var ladder []byte
	old := b.before[path]
	if old != nil {
		var err error
		if before, err = index.Unpack(old.Recipe); err != nil {
			return Added{}, nil, err
		}
		ladder = old.Ladder
	}
	sums, next, err := r.Sums(b.source(ctx), before, ladder, more...)
	if err != nil {
		return Added{}, nil, fmt.Errorf("hash %s: %w", path, err)
	}
	sum, packed := sums[0], r.Pack()
	o := &ent.IndexObject{Path: path, Sha256: sum, Size: r.Size(), ContentType: contentType, Recipe: packed, Ladder: next}
	if old != nil && old.Sha256 == sum && old.ContentType == contentType && bytes.Equal(old.Recipe, packed) {
		o = old
	}
	b.objects = append(b.objects, o)
	return Added{path, sum, o.Size}, sums[1:], nil
}

// AddBytes makes a file of the snapshot from its bytes.
func (b *IndexBuild) AddBytes(ctx context.Context, path, contentType string, content []byte) (Added, error) {
	return b.Add(ctx, path, contentType, Recipe{}.Literal(content))
}

// Open reads a file before it is added: to hash it otherwise, or to sign it.
func (b *IndexBuild) Open(ctx context.Context, r Recipe) *index.Reader { return r.Open(b.source(ctx)) }

func (b *IndexBuild) source(ctx context.Context) index.Source {
	return func(data int64) ([]byte, error) { return b.reg.indexData(ctx, data) }
}

// Keys are the keys that sign the snapshot, the current one first.
func (b *IndexBuild) Keys() []Key {
	keys := make([]Key, len(b.signers))
	for i, s := range b.signers {
		keys[i] = keyOf(s.keyRow())
	}
	return keys
}

func (b *IndexBuild) openPGP() ([]*openPGPSigner, error) {
	signers := make([]*openPGPSigner, len(b.signers))
	for i, s := range b.signers {
		pgp, ok := s.(*openPGPSigner)
		if !ok {
			return nil, errors.New("the index is not signed with OpenPGP keys")
		}
		signers[i] = pgp
	}
	return signers, nil
}

// ClearSign is a text with the signatures of all keys in one OpenPGP document.
// Signatures are made now, and not as of Modified: one must be younger than
// its key, and not from the future.
func (b *IndexBuild) ClearSign(text []byte) ([]byte, error) {
	signers, err := b.openPGP()
	if err != nil {
		return nil, err
	}
	return clearSigned(signers, text, now())
}

// Detached is an OpenPGP signature of all keys over what content writes: a
// Reader of Open, or a bytes.Reader.
func (b *IndexBuild) Detached(content io.WriterTo, armored bool) ([]byte, error) {
	signers, err := b.openPGP()
	if err != nil {
		return nil, err
	}
	return detached(signers, content, armored, now())
}

// DetachedByCurrent is Detached with the current key alone, for clients that
// read one signature only.
func (b *IndexBuild) DetachedByCurrent(content io.WriterTo, armored bool) ([]byte, error) {
	signers, err := b.openPGP()
	if err != nil {
		return nil, err
	}
	return detached(signers[:1], content, armored, now())
}

// RSASignature is a signature with one RSA key.
type RSASignature struct {
	Key Key
	// SHA1 and SHA256 are PKCS #1 v1.5 signatures over those digests.
	SHA1, SHA256 []byte
}

// RSA signs what content writes with all keys.
func (b *IndexBuild) RSA(content io.WriterTo) ([]RSASignature, error) {
	old, current := sha1.New(), sha256.New()
	if _, err := content.WriteTo(io.MultiWriter(old, current)); err != nil {
		return nil, err
	}
	var signatures []RSASignature
	for _, s := range b.signers {
		key, ok := s.(*rsaSigner)
		if !ok {
			return nil, errors.New("the index is not signed with RSA keys")
		}
		signature := RSASignature{Key: keyOf(key.row)}
		var err error
		if signature.SHA1, err = rsa.SignPKCS1v15(nil, key.key, crypto.SHA1, old.Sum(nil)); err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
		if signature.SHA256, err = rsa.SignPKCS1v15(nil, key.key, crypto.SHA256, current.Sum(nil)); err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
		signatures = append(signatures, signature)
	}
	return signatures, nil
}

// SignState makes a binary detached OpenPGP signature with the current key of
// content whose SHA-512 has that state (encoding.BinaryMarshaler): of a
// package, without reading it again.
func (s *Space) SignState(ctx context.Context, state []byte) ([]byte, error) {
	signers, err := s.reg.signers(ctx, s.Owner, s.Type)
	if err != nil {
		return nil, err
	}
	pgp, ok := signers[0].(*openPGPSigner)
	if !ok {
		return nil, errors.New("the type has no OpenPGP keys")
	}
	return detachedFrom([]*openPGPSigner{pgp}, state, false, now())
}

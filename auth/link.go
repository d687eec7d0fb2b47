package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"net/url"
	"strconv"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/registry"
)

// A link is the URL of one file that speaks for whoever it was made for, for
// clients that carry a credential to an index and none to the files it names.
// It gives no right by itself: at each use the account and the credential it
// came from are looked up again, so it ends with them, and what the viewer may
// do is decided as always. It is good for reading one path, for a while.

const (
	// LinkLife is how long a link is good at most. Links of one path that are
	// made within linkStep are the same, by which clients know what a download
	// that was cut off goes on with.
	LinkLife = time.Hour
	linkStep = LinkLife / 2

	linkKeyName   = "link-key"
	linkSignature = "sig"
	linkExpiry    = "exp"
	// linkIDs is the length of the ids that a signature begins with: those of
	// the account and of its token.
	linkIDs = 16
)

// Linker makes links for one viewer, all good until the same instant. It
// serves one goroutine.
type Linker struct {
	mac   hash.Hash
	head  []byte // what each signature is about, but for the path
	query []byte // the query up to the signature
	buf   []byte
}

// NewLinker returns a Linker for the viewer in the context, who is signed in.
func (s *Service) NewLinker(ctx context.Context) (*Linker, error) {
	v := access.FromContext(ctx)
	if v.Kind != access.User {
		return nil, registry.Errorf(registry.Unauthenticated, "links are made for accounts alone")
	}
	return s.linker(ctx, v.UserID, v.CredentialID, now().Truncate(linkStep).Add(LinkLife).Unix())
}

func (s *Service) linker(ctx context.Context, userID, credentialID, expiry int64) (*Linker, error) {
	key, err := s.linkKey.get(ctx, s)
	if err != nil {
		return nil, err
	}
	mark := ""
	if credentialID == 0 {
		// A password or a session: the links end when the password changes.
		u, err := s.db.User.Get(access.SystemContext(ctx), userID)
		if ent.IsNotFound(err) {
			return nil, registry.Errorf(registry.Unauthenticated, "the credential is no longer valid")
		}
		if err != nil {
			return nil, fmt.Errorf("look up user: %w", err)
		}
		mark = passwordMark(u)
	}
	head := binary.BigEndian.AppendUint64(nil, uint64(userID))
	head = binary.BigEndian.AppendUint64(head, uint64(credentialID))
	head = binary.BigEndian.AppendUint64(head, uint64(expiry))
	head = binary.BigEndian.AppendUint64(head, uint64(len(mark)))
	head = append(head, mark...)
	query := strconv.AppendInt([]byte(linkExpiry+"="), expiry, 10)
	query = append(query, "&"+linkSignature+"="...)
	return &Linker{mac: hmac.New(sha256.New, key), head: head, query: query}, nil
}

// AppendQuery appends the query, without its question mark, that makes a link
// of the escaped path.
func (l *Linker) AppendQuery(b, path []byte) []byte {
	b = append(b, l.query...)
	return base64.RawURLEncoding.AppendEncode(b, l.signature(path))
}

// signature is the ids and the authentication code of a path. It is good until
// the next call.
func (l *Linker) signature(path []byte) []byte {
	l.mac.Reset()
	l.mac.Write(l.head) // hashes take everything
	l.mac.Write(path)
	l.buf = append(l.buf[:0], l.head[:linkIDs]...)
	l.buf = l.mac.Sum(l.buf)
	return l.buf
}

// CheckLink returns the viewer that the link made of an escaped path and its
// query speaks for, as the account is now; linked tells whether the query
// looks like a link at all. Error: Unauthenticated for a link that is not ours
// or has expired, or when what it came from is gone.
func (s *Service) CheckLink(ctx context.Context, path string, query url.Values) (v access.Viewer, linked bool, err error) {
	sent, expiry := query.Get(linkSignature), query.Get(linkExpiry)
	if sent == "" || expiry == "" {
		return access.Viewer{}, false, nil
	}
	v, err = s.checkLink(ctx, path, sent, expiry)
	return v, true, err
}

func (s *Service) checkLink(ctx context.Context, path, sent, expiry string) (access.Viewer, error) {
	bad := registry.Errorf(registry.Unauthenticated, "the link is not one of this server's")
	signature, err := base64.RawURLEncoding.DecodeString(sent)
	if err != nil || len(signature) != linkIDs+sha256.Size {
		return access.Viewer{}, bad
	}
	until, err := strconv.ParseInt(expiry, 10, 64)
	if err != nil {
		return access.Viewer{}, bad
	}
	userID := int64(binary.BigEndian.Uint64(signature))
	credentialID := int64(binary.BigEndian.Uint64(signature[8:]))
	l, err := s.linker(ctx, userID, credentialID, until)
	if err != nil {
		return access.Viewer{}, err
	}
	if !hmac.Equal(signature, l.signature([]byte(path))) {
		return access.Viewer{}, bad
	}
	if now().Unix() > until {
		return access.Viewer{}, registry.Errorf(registry.Unauthenticated, "the link has expired: fetch the document that it stands in again")
	}
	return s.CurrentViewer(ctx, userID, credentialID)
}

package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// maxSignature is the longest signature that is taken, in bytes: what pacman
// reads.
const maxSignature = 16 << 10

// serveSignature serves the packager's signature of a package, or one that is
// made now with the owner's current key: of a state of its hash, the package
// itself is not read.
func serveSignature(w http.ResponseWriter, r *protocols.Request, f *ent.PackageFile) error {
	k, err := keptOf(f)
	if err != nil {
		return err
	}
	signature := k.Signature
	if len(signature) == 0 {
		if signature, err = r.Space.SignState(r.Context(), k.State); err != nil {
			return err
		}
	}
	h := w.Header()
	h.Set("Content-Type", signatureType)
	h.Set("Content-Disposition", protocols.Attachment(f.Name+signatureEnding))
	h.Set("Content-Length", strconv.Itoa(len(signature)))
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(signature) // the client has it or is gone
	}
	return nil
}

// uploadSignature lets the packager's own signature of a package take the
// place of ours.
func uploadSignature(w http.ResponseWriter, r *protocols.Request, at place, id identity, file string) error {
	body, _, err := protocols.Payload(r.Request)
	if err != nil {
		return err
	}
	raw, err := protocols.ReadLimited(body, maxSignature)
	switch {
	case errors.Is(err, protocols.ErrTooMuch):
		return registry.Errorf(registry.TooLarge, "the signature is longer than %d bytes", maxSignature)
	case err != nil:
		return registry.Errorf(registry.Invalid, "the body broke off: %v", err)
	}
	signature, err := readSignature(raw)
	if err != nil {
		return err
	}
	p, f, err := find(r, at, id, access.Write)
	if err != nil {
		return err
	}
	if f.Name != file {
		return nowhere()
	}
	k, err := keptOf(f)
	if err != nil {
		return err
	}
	k.Signature = signature
	fragment, err := json.Marshal(k)
	if err != nil {
		return err
	}
	_, err = r.Space.Publish(r.Context(), registry.Publication{
		Name: p.Name, NormalizedName: p.NormalizedName, Version: id.version, NormalizedVersion: id.version,
		Policy: registry.AddToExisting, Overwrite: registry.OverwriteAlways, IfMatch: f.Edges.Blob.Sha256,
		Files: []registry.File{{
			Name: f.Name, NormalizedName: f.NormalizedName, CompositeKey: at.key(), MediaType: mediaType, Lead: true,
			Fragment: fragment, Blob: f.Edges.Blob, Renew: true,
		}},
	})
	if err != nil {
		return err
	}
	w.Header().Set("Location", r.Root()+"/"+at.path(file)+signatureEnding)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}

// readSignature reads a detached OpenPGP signature, binary or armored, and
// returns the binary form, which pacman wants. It must be one of a file, by
// itself; whose it is, clients decide.
func readSignature(raw []byte) ([]byte, error) {
	bad := func(format string, args ...any) error {
		return registry.FieldErrorf("file", "this is not a detached OpenPGP signature: "+format, args...)
	}
	if bytes.HasPrefix(raw, []byte("-----BEGIN PGP")) {
		block, err := armor.Decode(bytes.NewReader(raw))
		if err != nil {
			return nil, bad("%v", err)
		}
		if block.Type != openpgp.SignatureType {
			return nil, bad("it is a %.40s", block.Type)
		}
		if raw, err = io.ReadAll(block.Body); err != nil {
			return nil, bad("%v", err)
		}
	}
	packets, n := packet.NewReader(bytes.NewReader(raw)), 0
	for ; ; n++ {
		p, err := packets.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, bad("%v", err)
		}
		if s, ok := p.(*packet.Signature); !ok || s.SigType != packet.SigTypeBinary {
			return nil, bad("it holds something else")
		}
	}
	if n == 0 {
		return nil, bad("it is empty")
	}
	return raw, nil
}

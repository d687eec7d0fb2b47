package helm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	sigsyaml "sigs.k8s.io/yaml"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// maxProvenance is the longest provenance file in bytes.
const maxProvenance = 1 << 20

// provType is the media type of a provenance file.
const provType = "application/pgp-signature"

// provenance is what a signed text says of a chart.
//
// https://helm.sh/docs/topics/provenance/
type provenance struct {
	raw []byte
	// name and version are those of the Chart.yaml in it.
	name, version string
	// files are digests by file name: "sha256:" and hexadecimal.
	files map[string]string
	// signer is the key's number in hexadecimal, "" if the signature does not
	// say.
	signer string
}

func badProvenance(format string, args ...any) error {
	return registry.FieldErrorf("prov", "the provenance file is no good: %s", fmt.Sprintf(format, args...))
}

// parseProvenance reads a provenance file. Whether the signature is good is
// for those to find out who trust its key. Errors: Invalid.
func parseProvenance(raw []byte) (*provenance, error) {
	block, rest := clearsign.Decode(raw)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, badProvenance("it is not one clear-signed text")
	}
	chartYAML, sums, ok := bytes.Cut(block.Plaintext, []byte("\n...\n"))
	if !ok {
		return nil, badProvenance("it has no list of files")
	}
	p := &provenance{raw: raw}
	var about struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	if _, err := decodeMapping(chartYAML, &about); err != nil {
		return nil, badProvenance("%v", err)
	}
	p.name, p.version = about.Name, about.Version
	var listed struct {
		Files map[string]string `json:"files"`
	}
	if _, err := parseMapping(sums); err != nil {
		return nil, badProvenance("%v", err)
	}
	if err := sigsyaml.Unmarshal(sums, &listed); err != nil {
		return nil, badProvenance("%v", withoutPrefix(err))
	}
	p.files = listed.Files
	signature, err := packet.Read(block.ArmoredSignature.Body)
	if err != nil {
		return nil, badProvenance("its signature cannot be read: %v", err)
	}
	s, ok := signature.(*packet.Signature)
	if !ok {
		return nil, badProvenance("its signature is none")
	}
	if s.IssuerKeyId != nil {
		p.signer = fmt.Sprintf("%016X", *s.IssuerKeyId)
	}
	return p, nil
}

// matches checks that the text is about the chart with that digest.
func (p *provenance) matches(name, version, digest string) error {
	file := chartFile(name, version)
	switch sum := p.files[file]; {
	case p.name != name || p.version != version:
		return badProvenance("it is about %.80q %.80q, not about %s %s", p.name, p.version, name, version)
	case sum == "":
		return badProvenance("it does not name the file %s", file)
	case !strings.EqualFold(sum, "sha256:"+digest):
		return badProvenance("%s has another digest than it says", file)
	}
	return nil
}

// signed is the fragment of a provenance file.
type signed struct {
	Signer string `json:"signer,omitempty"`
}

// file stores the text and is the file of a publication.
func (p *provenance) file(r *protocols.Request, chart registry.File) (registry.File, error) {
	content, err := r.Registry.Store(r.Context(), bytes.NewReader(p.raw), int64(len(p.raw)), 0)
	if err != nil {
		return registry.File{}, err
	}
	fragment, err := json.Marshal(signed{p.signer})
	return registry.File{
		Name: chart.Name + provEnding, NormalizedName: chart.NormalizedName + provEnding,
		MediaType: provType, Content: content, Fragment: fragment,
	}, err
}

// readProvenance reads an uploaded one.
func readProvenance(body io.Reader) (*provenance, error) {
	raw, err := protocols.ReadLimited(body, maxProvenance)
	switch {
	case errors.Is(err, protocols.ErrTooMuch):
		return nil, registry.Errorf(registry.TooLarge, "a provenance file has at most %d bytes", maxProvenance)
	case err != nil:
		return nil, registry.Errorf(registry.Invalid, "the body broke off: %v", err)
	}
	return parseProvenance(raw)
}

// uploadProvenance takes the signature of a chart that is there.
func uploadProvenance(w http.ResponseWriter, r *protocols.Request) error {
	p, err := readProvenance(r.Body)
	if err != nil {
		return err
	}
	return addProvenance(w, r, p)
}

func addProvenance(w http.ResponseWriter, r *protocols.Request, p *provenance) error {
	v, err := parseVersion(p.version)
	if err != nil {
		return badProvenance("%v", err)
	}
	missing := registry.Errorf(registry.NotFound, "there is no chart %.80q of version %.80q to be signed", p.name, p.version)
	of, err := r.Space.Package(r.Context(), p.name, access.Read)
	if registry.CodeOf(err) == registry.NotFound {
		return missing
	}
	if err != nil {
		return err
	}
	f, err := r.Space.File(r.Context(), of, normalize(v), chartFile(p.name, normalize(v)), "")
	if registry.CodeOf(err) == registry.NotFound {
		return missing
	}
	if err != nil {
		return err
	}
	if err := p.matches(p.name, p.version, f.Edges.Blob.Sha256); err != nil {
		return err
	}
	file, err := p.file(r, registry.File{Name: f.Name, NormalizedName: f.NormalizedName})
	if err != nil {
		r.Registry.Discard(r.Context(), file.Content)
		return err
	}
	_, err = r.Space.Publish(r.Context(), registry.Publication{
		Name: of.Name, NormalizedName: of.NormalizedName, Version: p.version, NormalizedVersion: normalize(v),
		Policy: registry.AddToExisting, Overwrite: overwrite(r), Duplicate: file.Name + " already exists",
		Files: []registry.File{file},
	})
	if err != nil {
		return err
	}
	saved(w, r)
	return nil
}

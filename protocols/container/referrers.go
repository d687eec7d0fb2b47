package container

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

const (
	// maxReferrers is how many bytes of descriptors one answer holds.
	maxReferrers = 4 << 20
	// referrersAtOnce is how many rows are read at a time.
	referrersAtOnce = 2000
)

// reference is a manifest that refers to another, as the list shows it.
type reference struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}

// referrer renders a manifest's entry in the list of its subject.
func referrer(m *manifest, d digest.Digest, size int64) []byte {
	entry := reference{
		MediaType: m.MediaType, Digest: d.String(), Size: size, ArtifactType: artifactTypeOf(m), Annotations: m.Annotations,
	}
	raw, err := json.Marshal(entry)
	if err != nil {
		panic(err) // strings and numbers alone
	}
	return raw
}

// listReferrers lists what refers to a manifest, which need not be there, nor
// need its repository: signatures, SBOMs, attestations
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers).
func listReferrers(w http.ResponseWriter, r *request) error {
	d, err := parseDigest(r.Params["digest"])
	if err != nil {
		return err
	}
	query := r.URL.Query()
	after, err := strconv.ParseInt("0"+query.Get("after"), 10, 64)
	if err != nil {
		return fault(http.StatusBadRequest, paginationInvalid, "after is not what a Link of this list says")
	}
	var list []json.RawMessage
	filter := query.Get("artifactType")
	p, err := r.Space.Package(r.Context(), r.image, access.Read)
	switch registry.CodeOf(err) {
	case registry.NotFound:
	case "":
		if err != nil {
			return err
		}
		next := int64(0)
		if list, next, err = r.referrers(r.Space.Holdings(p), d, filter, after); err != nil {
			return err
		}
		if next > 0 {
			query.Set("after", strconv.FormatInt(next, 10))
			w.Header().Set("Link", "<"+r.location("referrers", d.String())+"?"+query.Encode()+`>; rel="next"`)
		}
	default:
		return err
	}
	if filter != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	return writeReferrers(w, r.Request, list)
}

// referrers reads one page; next is where the one after it begins, or 0.
func (r *request) referrers(have registry.Holdings, subject digest.Digest, filter string, after int64) (page []json.RawMessage, next int64, err error) {
	with := []registry.Property{{Name: subjectProperty, Value: subject.String()}}
	if filter != "" {
		with = append(with, registry.Property{Name: artifactTypeProperty, Value: text(filter, maxText)})
	}
	size := 0
	for {
		found, err := have.Referring(r.Context(), with, manifestFile, after, referrersAtOnce)
		if err != nil {
			return nil, 0, err
		}
		for _, f := range found {
			// The property holds as much of the type as properties do.
			if filter == "" || typeOf(f.Fragment) == filter {
				if size += len(f.Fragment) + 1; size > maxReferrers && len(page) > 0 {
					return page, after, nil
				}
				page = append(page, f.Fragment)
			}
			after = f.VersionID
		}
		if len(found) < referrersAtOnce {
			return page, 0, nil
		}
	}
}

// typeOf is the type of artifact of an entry.
func typeOf(entry []byte) string {
	var e reference
	if json.Unmarshal(entry, &e) != nil {
		return ""
	}
	return e.ArtifactType
}

// writeReferrers sends entries as an image index. They are JSON already and are
// not read again: there may be thousands of them.
func writeReferrers(w http.ResponseWriter, r *protocols.Request, list []json.RawMessage) error {
	const head, tail = `{"schemaVersion":2,"mediaType":"` + v1.MediaTypeImageIndex + `","manifests":[`, `]}`
	length := len(head) + len(tail) + max(0, len(list)-1)
	for _, entry := range list {
		length += len(entry)
	}
	h := w.Header()
	h.Set("Content-Type", v1.MediaTypeImageIndex) // clients compare it byte for byte
	h.Set("Content-Length", strconv.Itoa(length))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	out := bytes.NewBuffer(make([]byte, 0, length))
	out.WriteString(head)
	for i, entry := range list {
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(entry)
	}
	out.WriteString(tail)
	out.WriteTo(w) // the client has it or is gone
	return nil
}

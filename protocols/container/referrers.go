package container

import (
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
	referrersAtOnce = 500
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

type referrerList struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	Manifests     []json.RawMessage `json:"manifests"`
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
	list := referrerList{SchemaVersion: 2, MediaType: v1.MediaTypeImageIndex, Manifests: []json.RawMessage{}}
	filter := query.Get("artifactType")
	p, err := r.Space.Package(r.Context(), r.image, access.Read)
	switch registry.CodeOf(err) {
	case registry.NotFound:
	case "":
		if err != nil {
			return err
		}
		next := int64(0)
		if list.Manifests, next, err = r.referrers(r.Space.Holdings(p), d, filter, after); err != nil {
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
	page = []json.RawMessage{}
	size := 0
	for {
		versions, err := have.Referring(r.Context(), registry.Property{Name: subjectProperty, Value: subject.String()}, manifestFile, after, referrersAtOnce)
		if err != nil {
			return nil, 0, err
		}
		for _, v := range versions {
			var entry reference
			if len(v.Edges.Files) != 1 || json.Unmarshal(v.Edges.Files[0].Fragment, &entry) != nil {
				continue
			}
			if filter == "" || entry.ArtifactType == filter {
				raw := v.Edges.Files[0].Fragment
				if size += len(raw) + 1; size > maxReferrers && len(page) > 0 {
					return page, after, nil
				}
				page = append(page, raw)
			}
			after = v.ID
		}
		if len(versions) < referrersAtOnce {
			return page, 0, nil
		}
	}
}

func writeReferrers(w http.ResponseWriter, r *protocols.Request, list referrerList) error {
	raw, err := json.Marshal(list)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", v1.MediaTypeImageIndex) // clients compare it byte for byte
	h.Set("Content-Length", strconv.Itoa(len(raw)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(raw) // the client has it or is gone
	}
	return nil
}

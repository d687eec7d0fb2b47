package swift

import (
	"encoding/json"
	"fmt"

	"entrepot/ent"
)

// record is what is known of a release beside the archive; it is the archive's
// fragment.
type record struct {
	// Metadata is what the release tells of itself, in the protocol's form.
	Metadata json.RawMessage `json:"metadata"`
	// Signature and MetadataSignature are as they came, or empty.
	Signature         []byte `json:"signature,omitempty"`
	MetadataSignature []byte `json:"metadataSignature,omitempty"`
	// Manifests are those of the archive, the one for all first.
	Manifests []manifest `json:"manifests"`
	// Repositories are the URLs of the metadata.
	Repositories []string `json:"repositories,omitempty"`
}

// recordOf is the record of a source archive.
func recordOf(f *ent.PackageFile) (*record, error) {
	var r record
	if err := json.Unmarshal(f.Fragment, &r); err != nil {
		return nil, fmt.Errorf("decode the record of %s: %w", f.Name, err)
	}
	return &r, nil
}

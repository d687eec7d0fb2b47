package pypi

import (
	"encoding/json"
	"fmt"
	"time"
)

// entry is what a project's page says of a file. It is the file's fragment, as
// JSON.
type entry struct {
	Filename       string    `json:"filename"`
	Kind           kind      `json:"kind"`
	Size           int64     `json:"size"`
	SHA256         string    `json:"sha256"`
	RequiresPython string    `json:"requires_python,omitempty"`
	Uploaded       time.Time `json:"uploaded"`
	// MetadataSHA256 is the digest of the core metadata that is served beside
	// the file; "" when none is.
	MetadataSHA256 string `json:"metadata_sha256,omitempty"`
}

func (e entry) encode() ([]byte, error) { return json.Marshal(e) }

func decodeEntry(fragment []byte) (e entry, err error) {
	if err := json.Unmarshal(fragment, &e); err != nil {
		return e, fmt.Errorf("decode fragment: %w", err)
	}
	return e, nil
}

// metadataFile is the name of the core metadata beside a file.
func metadataFile(filename string) string { return filename + ".metadata" }

// attestationsFile is the name under which a file's attestations are kept.
func attestationsFile(filename string) string { return filename + ".attestations" }

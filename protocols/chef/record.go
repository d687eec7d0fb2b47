package chef

import (
	"encoding/json"
	"fmt"
)

// record is what the documents say of a version; it is the archive's fragment.
type record struct {
	// Version is the version as it was written.
	Version      string            `json:"version"`
	Description  string            `json:"description,omitempty"`
	Maintainer   string            `json:"maintainer,omitempty"`
	License      string            `json:"license,omitempty"`
	Category     string            `json:"category"`
	SourceURL    string            `json:"sourceURL,omitempty"`
	IssuesURL    string            `json:"issuesURL,omitempty"`
	Dependencies map[string]string `json:"dependencies"`
	Platforms    map[string]string `json:"platforms"`
}

func parseRecord(fragment []byte) (*record, error) {
	var r record
	if err := json.Unmarshal(fragment, &r); err != nil {
		return nil, fmt.Errorf("decode the record of a cookbook: %w", err)
	}
	return &r, nil
}

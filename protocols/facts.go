package protocols

import (
	"encoding/json"
	"fmt"

	"entrepot/ent"
	"entrepot/registry"
)

// Metadata decodes what a package type keeps of a version in a form of its
// own: M as it was given to the publication, the zero value when there was
// none.
func Metadata[M any](v *ent.PackageVersion) (M, error) {
	var m M
	if len(v.Metadata) == 0 {
		return m, nil
	}
	if err := json.Unmarshal(v.Metadata, &m); err != nil {
		return m, fmt.Errorf("decode metadata: %w", err)
	}
	return m, nil
}

// Facts gathers the lines of a version's page.
type Facts []registry.Fact

// Add adds a line, unless there is nothing to say.
func (f *Facts) Add(name, title, value string) {
	if value != "" {
		*f = append(*f, registry.Fact{Name: name, Title: title, Value: value})
	}
}

// AddTable adds a table, unless it has no rows.
func (f *Facts) AddTable(name, title string, rows [][]string, columns ...string) {
	if len(rows) > 0 {
		*f = append(*f, registry.Fact{Name: name, Title: title, Columns: columns, Rows: rows})
	}
}

package golang

import (
	"encoding/json"
	"fmt"
	"strings"

	"entrepot/ent"
	"entrepot/registry"
)

// facts are what a version's page shows beside the facts all types share.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	var md metadata
	if len(v.Metadata) > 0 {
		if err := json.Unmarshal(v.Metadata, &md); err != nil {
			return nil, fmt.Errorf("decode metadata: %w", err)
		}
	}
	var all []registry.Fact
	add := func(name, title, value string) {
		if value != "" {
			all = append(all, registry.Fact{Name: name, Title: title, Value: value})
		}
	}
	add("deprecated", "Deprecated", md.Deprecated)
	add("go", "Go version", md.Go)
	add("toolchain", "Toolchain", md.Toolchain)
	add("zip-sum", "go.sum", md.ZipSum)
	add("mod-sum", "go.sum, go.mod", md.ModSum)
	if len(md.Retract) > 0 {
		table := registry.Fact{Name: "retract", Title: "Retracts", Columns: []string{"Versions", "Why"}}
		for _, t := range md.Retract {
			versions := t.Low
			if t.High != t.Low {
				versions += " to " + t.High
			}
			table.Rows = append(table.Rows, []string{versions, t.Rationale})
		}
		all = append(all, table)
	}
	add("commands", "Commands", strings.Join(md.Commands, ", "))
	if len(md.Packages) > 0 {
		table := registry.Fact{Name: "packages", Title: "Packages", Columns: []string{"Import path"}}
		for _, path := range md.Packages {
			table.Rows = append(table.Rows, []string{path})
		}
		all = append(all, table)
	}
	return all, nil
}

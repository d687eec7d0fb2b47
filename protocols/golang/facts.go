package golang

import (
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// facts are what a version's page shows beside the facts all types share.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	md, err := protocols.Metadata[metadata](v)
	if err != nil {
		return nil, err
	}
	var all protocols.Facts
	all.Add("deprecated", "Deprecated", md.Deprecated)
	all.Add("go", "Go version", md.Go)
	all.Add("toolchain", "Toolchain", md.Toolchain)
	all.Add("zip-sum", "go.sum", md.ZipSum)
	all.Add("mod-sum", "go.sum, go.mod", md.ModSum)
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
	all.Add("commands", "Commands", strings.Join(md.Commands, ", "))
	if len(md.Packages) > 0 {
		table := registry.Fact{Name: "packages", Title: "Packages", Columns: []string{"Import path"}}
		for _, path := range md.Packages {
			table.Rows = append(table.Rows, []string{path})
		}
		all = append(all, table)
	}
	return all, nil
}

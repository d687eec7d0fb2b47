package maven

import (
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
	all.Add("name", "Name", md.Name)
	all.Add("packaging", "Packaging", md.Packaging)
	if md.Parent != nil {
		all.Add("parent", "Parent", md.Parent.GroupID+":"+md.Parent.ArtifactID+":"+md.Parent.Version)
	}
	all.Add("organization", "Organization", md.Organization)
	all.Add("issues", "Issues", md.Issues)
	if rows := licenseRows(md.Licenses); rows != nil {
		all = append(all, registry.Fact{Name: "licenses", Title: "Licenses", Columns: []string{"Name", "Text"}, Rows: rows})
	}
	if len(md.Attached) > 0 {
		f := registry.Fact{Name: "attached", Title: "Needed files", Columns: []string{"Artifact", "Type", "Classifier"}}
		for _, d := range md.Attached {
			f.Rows = append(f.Rows, []string{d.Name, orElse(d.Type, "jar"), d.Classifier})
		}
		all = append(all, f)
	}
	return all, nil
}

// licenseRows are the licenses with a link; the others are told by their names
// alone.
func licenseRows(licenses []pomLicense) [][]string {
	var rows [][]string
	for _, l := range licenses {
		if l.URL != "" {
			rows = append(rows, []string{l.Name, l.URL})
		}
	}
	return rows
}

package chef

import (
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// facts are what a version's page shows beside the facts all types share.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	k, err := protocols.Metadata[kept](v)
	if err != nil {
		return nil, err
	}
	var all []registry.Fact
	add := func(name, title, value string) {
		if value = line(value); value != "" {
			all = append(all, registry.Fact{Name: name, Title: title, Value: value})
		}
	}
	add("category", "Category", k.Category)
	for _, f := range []struct{ field, title string }{
		{"chef_versions", "Chef Infra Client"}, {"chef_version", "Chef Infra Client"}, {"ohai_versions", "Ohai"}, {"ohai_version", "Ohai"},
		{"platforms", "Platforms"}, {"recipes", "Recipes"}, {"gems", "Gems"}, {"issues_url", "Issues"},
	} {
		add(f.field, f.title, shown(k.Document[f.field]))
	}
	if email := shown(k.Document["maintainer_email"]); email != "" {
		add("maintainer-email", "Maintainer's address", email)
	}
	return all, nil
}

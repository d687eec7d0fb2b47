package conda

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// aboutTitles are the lines of a version's page that an about.json gives.
var aboutTitles = []struct{ field, name, title string }{
	{"license_file", "license-file", "Licence file"}, {"license_url", "license-url", "Licence text"},
	{"doc_url", "documentation", "Documentation"}, {"doc_source_url", "documentation-source", "Source of the documentation"},
	{"dev_url", "development", "Development"}, {"source_url", "source", "Source"}, {"channels", "built-from", "Built with packages of"},
	{"maintainers", "maintainers", "Maintainers of the recipe"},
}

// facts are the lines of a version's page: where it is, and what its first
// file says.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	md, err := protocols.Metadata[metadata](v)
	if err != nil {
		return nil, err
	}
	var all protocols.Facts
	all.Add("license-family", "Licence family", md.LicenseFamily)
	for _, t := range aboutTitles {
		all.Add(t.name, t.title, md.About.line(t.field))
	}
	all.Add("warnings", "Warnings", strings.Join(md.Warnings, "; "))
	return all, nil
}

// maxBuilds is how many builds a version's page shows.
const maxBuilds = 200

// storedFacts are the channel, and the builds of a version that are here now,
// by subdir.
func storedFacts(ctx context.Context, h registry.Holdings, v *ent.PackageVersion) ([]registry.Fact, error) {
	files, err := h.FileStates(ctx, v.NormalizedVersion)
	if err != nil {
		return nil, err
	}
	var all protocols.Facts
	if channel, _ := splitPackage(h.Name()); channel != "" {
		all.Add("channel", "Channel", channel)
	}
	var subdirs []string
	var builds [][]string
	for _, f := range files {
		e, err := decodeEntry(f.Fragment)
		if err != nil {
			return nil, err
		}
		var r struct {
			Build   string      `json:"build"`
			Number  json.Number `json:"build_number"`
			Noarch  string      `json:"noarch"`
			Depends []string    `json:"depends"`
		}
		if err := json.Unmarshal(e.Record, &r); err != nil {
			return nil, fmt.Errorf("decode record: %w", err)
		}
		state := ""
		if e.Yanked || v.Yanked {
			state = "yanked"
		}
		subdirs = append(subdirs, f.CompositeKey)
		if len(builds) < maxBuilds {
			needs := protocols.CutText(strings.Join(r.Depends, ", "), maxLine)
			builds = append(builds, []string{f.CompositeKey, r.Build, r.Number.String(), r.Noarch, f.Name, needs, state})
		}
	}
	all.Add("subdirs", "Subdirs", strings.Join(slices.Compact(slices.Sorted(slices.Values(subdirs))), ", "))
	all.AddTable("builds", "Builds", builds, "Subdir", "Build", "Number", "Noarch", "File", "Depends", "State")
	return all, nil
}

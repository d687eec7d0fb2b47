package helm

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	sigsyaml "sigs.k8s.io/yaml"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// Annotations that Artifact Hub has given a meaning.
//
// https://artifacthub.io/docs/topics/annotations/helm/
const (
	annotationLicense = "artifacthub.io/license"
	annotationImages  = "artifacthub.io/images"
	annotationChanges = "artifacthub.io/changes"
)

// liftFacts takes what all package types have in common out of a chart.
func liftFacts(a *archive) registry.Facts {
	c := a.chart
	f := registry.Facts{
		Summary:  line(c.Description),
		Readme:   a.readme,
		License:  line(c.Annotations[annotationLicense]),
		Homepage: protocols.WebURL(protocols.CleanText(c.Home)),
	}
	for _, source := range c.Sources {
		if f.RepositoryURL = protocols.WebURL(protocols.CleanText(source)); f.RepositoryURL != "" {
			break
		}
	}
	for _, m := range c.Maintainers {
		if name := line(m.Name); name != "" && !slices.Contains(f.Authors, name) {
			f.Authors = append(f.Authors, name)
		}
	}
	for _, word := range c.Keywords {
		f.Keywords = append(f.Keywords, line(word))
	}
	for _, d := range c.Dependencies {
		f.Dependencies = append(f.Dependencies, registry.Dependency{
			Group: "dependencies", Name: line(d.Name), Requirement: line(d.Version), Optional: d.Condition != "" || len(d.Tags) > 0,
		})
	}
	return f
}

// line is a text on one line, of bounded length.
func line(text string) string {
	return protocols.CutText(protocols.OneLine(protocols.CleanText(text)), maxText)
}

// metadata is what is kept of a version beside the facts all types share.
type metadata struct {
	Chart *chart `json:"chart"`
	// Extra is what Chart.yaml says that an index has no room for.
	Extra map[string]json.RawMessage `json:"extra,omitempty"`
	// Values and Schema are tables; see tableOfValues and tableOfSchema.
	Values    [][]string `json:"values,omitempty"`
	Schema    [][]string `json:"schema,omitempty"`
	Templates []string   `json:"templates,omitempty"`
	Subcharts []string   `json:"subcharts,omitempty"`
	Images    [][]string `json:"images,omitempty"`
	Changes   [][]string `json:"changes,omitempty"`
	Files     int        `json:"files"`
}

func newMetadata(a *archive) metadata {
	return metadata{
		Chart: a.chart, Extra: a.chart.extra, Values: tableOfValues(a.values), Schema: tableOfSchema(a.schema),
		Templates: a.templates, Subcharts: a.subcharts, Files: a.files,
		Images: images(a.chart.Annotations[annotationImages]), Changes: changes(a.chart.Annotations[annotationChanges]),
	}
}

// list reads an annotation whose text is a list in YAML; nil if it is none.
func list(text string) []json.RawMessage {
	// A mapping around it lets the same bounds hold as for a file.
	wrapped := []byte("list:\n" + text)
	if _, err := parseMapping(wrapped); err != nil {
		return nil
	}
	var l struct {
		List []json.RawMessage `json:"list"`
	}
	if err := sigsyaml.Unmarshal(wrapped, &l); err != nil {
		return nil
	}
	return l.List[:min(len(l.List), maxRows)]
}

// images lists the container images that a chart says it installs.
func images(text string) (rows [][]string) {
	for _, item := range list(text) {
		var image struct {
			Name  string `json:"name"`
			Image string `json:"image"`
		}
		if json.Unmarshal(item, &image) == nil && image.Image != "" {
			rows = append(rows, row(image.Name, image.Image))
		}
	}
	return rows
}

// changes lists what is new in a version: texts, or texts of a kind.
func changes(text string) (rows [][]string) {
	for _, item := range list(text) {
		var change struct {
			Kind        string `json:"kind"`
			Description string `json:"description"`
		}
		if json.Unmarshal(item, &change.Description) == nil || json.Unmarshal(item, &change) == nil {
			rows = append(rows, row(change.Kind, protocols.OneLine(change.Description)))
		}
	}
	return rows
}

// facts are the lines and tables of a version's page.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	md, err := protocols.Metadata[metadata](v)
	if err != nil {
		return nil, err
	}
	c := md.Chart
	if c == nil {
		return nil, nil
	}
	var all protocols.Facts
	all.Add("app-version", "App version", line(c.AppVersion))
	all.Add("type", "Type", line(c.Type))
	all.Add("kubernetes", "Needs Kubernetes", line(c.KubeVersion))
	all.Add("api-version", "Chart API", c.APIVersion)
	all.Add("sources", "Sources", line(strings.Join(c.Sources, ", ")))
	all.Add("subcharts", "Charts within", line(strings.Join(md.Subcharts, ", ")))
	if n := len(md.Templates); n > 0 {
		all.Add("templates", "Templates", fmt.Sprint(n))
	}
	var repositories [][]string
	for _, d := range c.Dependencies {
		repositories = append(repositories, row(d.Name, d.Alias, d.Version, d.Repository, d.Condition))
	}
	all.AddTable("dependencies", "Dependencies", repositories, "Chart", "Alias", "Version", "Repository", "Condition")
	all.AddTable("images", "Images", md.Images, "Name", "Image")
	all.AddTable("changes", "Changes", md.Changes, "Kind", "Change")
	all.AddTable("values", "Values", md.Values, "Key", "Default", "Description")
	all.AddTable("schema", "Schema of the values", md.Schema, "Key", "Type", "Description")
	var annotations [][]string
	for _, key := range slices.Sorted(maps.Keys(c.Annotations)) {
		if key != annotationLicense && key != annotationImages && key != annotationChanges {
			annotations = append(annotations, row(key, protocols.OneLine(c.Annotations[key])))
		}
	}
	all.AddTable("annotations", "Annotations", annotations, "Key", "Value")
	return all, nil
}

// storedFacts tell whether there is a provenance file, and whose it is.
func storedFacts(ctx context.Context, h registry.Holdings, v *ent.PackageVersion) ([]registry.Fact, error) {
	fragment, err := h.Fragment(ctx, v.NormalizedVersion, chartFile(h.Name(), v.NormalizedVersion)+provEnding)
	if err != nil || fragment == nil {
		return nil, err
	}
	var s signed
	if err := json.Unmarshal(fragment, &s); err != nil {
		return nil, fmt.Errorf("decode signature: %w", err)
	}
	value := "yes"
	if s.Signer != "" {
		value = "with the key " + s.Signer
	}
	return []registry.Fact{{Name: "signed", Title: "Signed", Value: value}}, nil
}

package container

import (
	"encoding/json"
	"io"
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"entrepot/ent"
	"entrepot/registry"
)

// maxConfig is the largest configuration in bytes that is looked into.
const maxConfig = 4 << 20

// configuration is what is read of an image's configuration
// (https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md) or of a
// chart's, which is its Chart.yaml as JSON.
type configuration struct {
	platform
	Created string `json:"created"`
	Author  string `json:"author"`
	Config  struct {
		Labels map[string]string `json:"Labels"`
	} `json:"config"`
	History []struct {
		CreatedBy  string `json:"created_by"`
		EmptyLayer bool   `json:"empty_layer"`
	} `json:"history"`

	// Those of a chart (https://helm.sh/docs/topics/charts/#the-chartyaml-file).
	Description string   `json:"description"`
	Home        string   `json:"home"`
	Sources     []string `json:"sources"`
	Keywords    []string `json:"keywords"`
	Maintainers []struct {
		Name string `json:"name"`
	} `json:"maintainers"`
	Dependencies []struct {
		Name       string `json:"name"`
		Version    string `json:"version"`
		Repository string `json:"repository"`
		Condition  string `json:"condition"`
	} `json:"dependencies"`
	Annotations map[string]string `json:"annotations"`
}

// config reads the configuration, if it is of a type that can be read, there
// and of a sane size. What cannot be decoded is as good as empty.
func (r *request) config(p *ent.Pkg, m *manifest) (configuration, error) {
	var c configuration
	switch m.Config.MediaType {
	case v1.MediaTypeImageConfig, dockerConfig, helmConfig:
	default:
		return c, nil
	}
	f, err := r.Space.File(r.Context(), p, blobsVersion, m.Config.Digest, "")
	if err != nil {
		return c, unlessRefused(err)
	}
	if f.Edges.Blob.Size > maxConfig {
		return c, nil
	}
	body, err := r.Registry.Open(r.Context(), f)
	if err != nil {
		return c, err
	}
	defer body.Close()
	raw, err := io.ReadAll(body)
	if err != nil {
		return c, err
	}
	if json.Unmarshal(raw, &c) != nil {
		return configuration{}, nil
	}
	return c, nil
}

// addConfig describes an image or chart by its configuration, and returns the
// facts: annotations of the manifest count before the configuration.
func (a *metadata) addConfig(m *manifest, c configuration) registry.Facts {
	stated := ociFacts(a.Annotations)
	if a.Kind == kindHelm {
		return orElse(stated, chartFacts(c))
	}
	a.Labels = texts(c.Config.Labels)
	a.Created = text(c.Created, maxText)
	if c.platform != (platform{}) {
		a.Platform = &platform{
			OS: text(c.OS, maxText), Architecture: text(c.Architecture, maxText),
			Variant: text(c.Variant, maxText), OSVersion: text(c.OSVersion, maxText),
		}
	}
	a.Layers = withHistory(m, c)
	facts := orElse(stated, ociFacts(a.Labels))
	if len(facts.Authors) == 0 && c.Author != "" {
		facts.Authors = []string{text(c.Author, maxText)}
	}
	return facts
}

// withHistory lists the layers with the commands that made them, and between
// them the steps without a layer. A history that does not fit the layers is
// left out.
func withHistory(m *manifest, c configuration) []layer {
	var steps []layer
	next := 0
	for _, h := range c.History {
		step := layer{Command: command(h.CreatedBy)}
		if !h.EmptyLayer {
			if next == len(m.Layers) {
				next = -1
				break
			}
			step.Digest, step.Size = m.Layers[next].Digest, m.Layers[next].Size
			next++
		}
		steps = append(steps, step)
	}
	if next == len(m.Layers) {
		return steps
	}
	steps = nil
	for _, l := range m.Layers {
		steps = append(steps, layer{Digest: l.Digest, Size: l.Size})
	}
	return steps
}

// command is a step as the author of the Dockerfile wrote it.
func command(createdBy string) string {
	createdBy = text(createdBy, maxText)
	if _, instruction, ok := strings.Cut(createdBy, "#(nop) "); ok {
		return strings.TrimSpace(instruction)
	}
	if run, ok := strings.CutPrefix(createdBy, "/bin/sh -c "); ok {
		return "RUN " + strings.TrimSpace(run)
	}
	return strings.TrimSuffix(createdBy, " # buildkit")
}

// chartFacts are those of a Helm chart.
func chartFacts(c configuration) registry.Facts {
	f := registry.Facts{
		Summary: text(c.Description, maxText), Homepage: text(c.Home, maxText),
		License: text(c.Annotations["artifacthub.io/license"], maxText),
	}
	if len(c.Sources) > 0 {
		f.RepositoryURL = text(c.Sources[0], maxText)
	}
	for _, k := range c.Keywords {
		f.Keywords = append(f.Keywords, text(k, maxText))
	}
	for _, m := range c.Maintainers {
		f.Authors = append(f.Authors, text(m.Name, maxText))
	}
	for _, d := range c.Dependencies {
		f.Dependencies = append(f.Dependencies, registry.Dependency{
			Group: "dependencies", Name: text(d.Name, maxText), Requirement: text(d.Version, maxText), Optional: d.Condition != "",
		})
	}
	return f
}

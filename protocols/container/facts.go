package container

import (
	"maps"
	"slices"
	"strconv"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// kindTitles are the kinds for people.
var kindTitles = map[string]string{
	kindImage: "Image", kindIndex: "Multi-platform image", kindHelm: "Helm chart", kindArtifact: "Artifact",
}

// facts are what the page of a version shows of an image: the platforms of an
// index, the layers of an image, labels and annotations.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	about, err := decodeMetadata(v)
	if err != nil {
		return nil, err
	}
	var all protocols.Facts
	all.Add("kind", "Kind", kindTitles[about.Kind])
	all.Add("digest", "Digest", v.Version)
	all.Add("mediaType", "Media type", about.MediaType)
	all.Add("artifactType", "Artifact type", about.ArtifactType)
	all.Add("platform", "Platform", about.Platform.String())
	all.Add("subject", "Refers to", about.Subject)
	stated := maps.Clone(about.Labels)
	if stated == nil {
		stated = map[string]string{}
	}
	maps.Copy(stated, about.Annotations)
	all.Add("version", "Version", stated[v1.AnnotationVersion])
	all.Add("revision", "Revision", stated[v1.AnnotationRevision])
	all.Add("vendor", "Vendor", stated[v1.AnnotationVendor])
	all.Add("base", "Base image", stated[v1.AnnotationBaseImageName])
	created := stated[v1.AnnotationCreated]
	if created == "" {
		created = about.Created
	}
	all.Add("created", "Built", created)
	for _, table := range []registry.Fact{
		{Name: "platforms", Title: "Platforms", Columns: []string{"Platform", "Digest", "Size"}, Rows: platformRows(about.Manifests)},
		{Name: "layers", Title: "Layers", Columns: []string{"Command", "Digest", "Size"}, Rows: layerRows(about.Layers)},
		{Name: "labels", Title: "Labels", Columns: []string{"Label", "Value"}, Rows: pairRows(about.Labels)},
		{Name: "annotations", Title: "Annotations", Columns: []string{"Annotation", "Value"}, Rows: pairRows(about.Annotations)},
	} {
		if len(table.Rows) > 0 {
			all = append(all, table)
		}
	}
	return all, nil
}

// platformRows are the images of an index, without the attestations.
func platformRows(children []child) [][]string {
	var rows [][]string
	for _, c := range children {
		if c.Attestation {
			continue
		}
		name := c.Platform.String()
		if name == "" {
			name = "any"
		}
		rows = append(rows, []string{name, c.Digest, size(c.Size)})
	}
	return rows
}

func layerRows(layers []layer) [][]string {
	var rows [][]string
	for _, l := range layers {
		rows = append(rows, []string{l.Command, l.Digest, size(l.Size)})
	}
	return rows
}

func pairRows(m map[string]string) [][]string {
	var rows [][]string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		rows = append(rows, []string{k, m[k]})
	}
	return rows
}

// size is a number of bytes, or nothing for none.
func size(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

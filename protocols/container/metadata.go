package container

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"entrepot/ent"
	"entrepot/registry"
)

// The kinds of version.
const (
	kindImage    = "image"
	kindIndex    = "index"
	kindHelm     = "helm"
	kindArtifact = "artifact"
)

// metadata is what is kept of a manifest for the pages and the API. The
// manifest itself is the version's file.
type metadata struct {
	Kind         string `json:"kind"`
	MediaType    string `json:"mediaType"`
	ArtifactType string `json:"artifactType,omitempty"`
	// ConfigType is the type of the configuration of what has no artifact type.
	ConfigType  string            `json:"configType,omitempty"`
	Subject     string            `json:"subject,omitempty"`
	Platform    *platform         `json:"platform,omitempty"`
	Created     string            `json:"created,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	// Size is that of the configuration and all layers, or of all images of an
	// index, in bytes.
	Size   int64   `json:"size"`
	Layers []layer `json:"layers,omitempty"`
	// Manifests are an index's.
	Manifests []child `json:"manifests,omitempty"`
}

// layer is a step of an image's history. Steps that only changed the
// configuration have no digest.
type layer struct {
	Command string `json:"command,omitempty"`
	Digest  string `json:"digest,omitempty"`
	Size    int64  `json:"size,omitempty"`
}

// child is a manifest of an index.
type child struct {
	Digest   string    `json:"digest"`
	Platform *platform `json:"platform,omitempty"`
	// Size is that of the image, not of its manifest; 0 when it is not here.
	Size int64 `json:"size,omitempty"`
	// Attestation marks what BuildKit keeps beside the images: it runs
	// nowhere.
	Attestation bool `json:"attestation,omitempty"`
}

// String is the platform as clients write it.
func (p *platform) String() string {
	if p == nil || p.OS == "" && p.Architecture == "" {
		return ""
	}
	parts := []string{p.OS, p.Architecture}
	if p.Variant != "" {
		parts = append(parts, p.Variant)
	}
	return strings.Join(parts, "/")
}

// describe gathers what the manifest, its configuration and its children say.
// What cannot be read is left out: artifacts put anything where images keep a
// configuration, and none of it is a reason to refuse them.
func (r *request) describe(m *manifest, d digest.Digest, size int64) (metadata, registry.Facts, error) {
	about := metadata{
		Kind: m.kind(), MediaType: m.MediaType, ArtifactType: text(m.ArtifactType, maxText), Annotations: texts(m.Annotations),
	}
	if m.ArtifactType == "" && m.Config != nil {
		about.ConfigType = text(m.Config.MediaType, maxText)
	}
	if m.Subject != nil {
		about.Subject = m.Subject.Digest
	}
	p, err := r.Space.AnyPackage(r.Context(), r.image)
	if err != nil {
		return about, registry.Facts{}, err
	}
	if p == nil {
		return about, ociFacts(about.Annotations), nil
	}
	if m.isIndex() {
		facts, err := about.addChildren(r.Context(), m, r.Space.Holdings(p))
		return about, facts, err
	}
	about.Size = m.Config.Size
	for _, l := range m.Layers {
		about.Size += l.Size
		about.Layers = append(about.Layers, layer{Digest: l.Digest, Size: l.Size})
	}
	config, err := r.config(p, m)
	if err != nil {
		return about, registry.Facts{}, err
	}
	return about, about.addConfig(m, config), nil
}

// kind tells what the manifest is of.
func (m *manifest) kind() string {
	switch {
	case m.isIndex():
		return kindIndex
	case m.Config.MediaType == helmConfig:
		return kindHelm
	case m.ArtifactType == "" && (m.Config.MediaType == v1.MediaTypeImageConfig || m.Config.MediaType == dockerConfig):
		return kindImage
	}
	return kindArtifact
}

// addChildren describes an index by its images, and takes the facts that it
// does not state itself from the first of them.
func (a *metadata) addChildren(ctx context.Context, m *manifest, have registry.Holdings) (registry.Facts, error) {
	names := make([]string, len(m.Manifests))
	for i, d := range m.Manifests {
		names[i] = d.Digest
	}
	versions, err := have.Versions(ctx, names)
	if err != nil {
		return registry.Facts{}, err
	}
	var first *ent.PackageVersion
	for _, d := range m.Manifests {
		c := child{Digest: d.Digest, Platform: d.Platform}
		c.Attestation = d.Annotations["vnd.docker.reference.type"] != "" || d.Platform.String() == "unknown/unknown"
		if v := versions[d.Digest]; v != nil {
			var about metadata
			if json.Unmarshal(v.Metadata, &about) == nil {
				c.Size = about.Size
				if c.Platform == nil {
					c.Platform = about.Platform
				}
			}
			if first == nil && !c.Attestation {
				first = v
			}
		}
		a.Size += c.Size
		a.Manifests = append(a.Manifests, c)
	}
	facts := ociFacts(a.Annotations)
	if first != nil {
		facts = orElse(facts, registry.Facts{
			Summary: first.Summary, License: first.License, Homepage: first.Homepage,
			RepositoryURL: first.RepositoryURL, Authors: first.Authors, Keywords: first.Keywords,
		})
	}
	return facts, nil
}

// orElse fills what a does not say from b.
func orElse(a, b registry.Facts) registry.Facts {
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&a.Summary, b.Summary}, {&a.License, b.License}, {&a.Homepage, b.Homepage}, {&a.RepositoryURL, b.RepositoryURL},
	} {
		if *f.to == "" {
			*f.to = f.from
		}
	}
	if len(a.Authors) == 0 {
		a.Authors = b.Authors
	}
	if len(a.Keywords) == 0 {
		a.Keywords = b.Keywords
	}
	if len(a.Dependencies) == 0 {
		a.Dependencies = b.Dependencies
	}
	return a
}

// ociFacts lifts the predefined annotations
// (https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md) out
// of annotations or labels.
func ociFacts(a map[string]string) registry.Facts {
	f := registry.Facts{
		Summary:       a[v1.AnnotationDescription],
		License:       a[v1.AnnotationLicenses],
		Homepage:      a[v1.AnnotationURL],
		RepositoryURL: a[v1.AnnotationSource],
	}
	if f.Summary == "" {
		f.Summary = a[v1.AnnotationTitle]
	}
	if f.Homepage == "" {
		f.Homepage = a[v1.AnnotationDocumentation]
	}
	for author := range strings.SplitSeq(a[v1.AnnotationAuthors], ",") {
		if author = strings.TrimSpace(author); author != "" {
			f.Authors = append(f.Authors, author)
		}
	}
	return f
}

const (
	// maxText is how much of a text from outside is kept, in bytes.
	maxText = 2000
	// maxTexts is how many labels or annotations are kept; the bytes have all.
	maxTexts = 200
)

// text makes a text that every database stores, of at most that many bytes.
func text(s string, most int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "")
	if len(s) <= most {
		return s
	}
	for !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

func texts(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	kept := make(map[string]string, min(len(m), maxTexts))
	for k, v := range m {
		if len(kept) == maxTexts {
			break
		}
		kept[text(k, maxText)] = text(v, maxText)
	}
	return kept
}

// decodeMetadata reads what describe has made.
func decodeMetadata(v *ent.PackageVersion) (metadata, error) {
	var about metadata
	if v == nil || len(v.Metadata) == 0 {
		return about, nil
	}
	if err := json.Unmarshal(v.Metadata, &about); err != nil {
		return about, fmt.Errorf("decode metadata of %s: %w", v.Version, err)
	}
	return about, nil
}

package swift

import (
	"encoding/json"
	"fmt"
	"strings"

	"entrepot/ent"
	"entrepot/registry"
)

// kept is what the page shows of a release beside the facts all types share.
type kept struct {
	Metadata metadata `json:"metadata"`
	// Signer is who signed, as the signature says.
	Signer string `json:"signer,omitempty"`
	// Tools are the tools versions of the manifests, the one for all first.
	Tools []string `json:"tools"`
}

// facts are what a version's page shows beside the facts all types share.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	var k kept
	if len(v.Metadata) > 0 {
		if err := json.Unmarshal(v.Metadata, &k); err != nil {
			return nil, fmt.Errorf("decode metadata: %w", err)
		}
	}
	var all []registry.Fact
	add := func(name, title, value string) {
		if value != "" {
			all = append(all, registry.Fact{Name: name, Title: title, Value: value})
		}
	}
	add("signer", "Signed by", k.Signer)
	if len(k.Tools) > 0 {
		add("tools-version", "Swift tools", k.Tools[0])
		add("manifests", "Manifests for", strings.Join(k.Tools[1:], ", "))
	}
	if a := k.Metadata.Author; a != nil && a.Organization != nil {
		add("organization", "Organization", a.Organization.Name)
	}
	add("license-url", "License", k.Metadata.LicenseURL)
	add("readme-url", "Readme", k.Metadata.ReadmeURL)
	add("first-published", "First published", k.Metadata.OriginalPublicationTime)
	add("repositories", "Repositories", strings.Join(k.Metadata.RepositoryURLs, ", "))
	return all, nil
}

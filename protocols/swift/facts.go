package swift

import (
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
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
	k, err := protocols.Metadata[kept](v)
	if err != nil {
		return nil, err
	}
	var all protocols.Facts
	all.Add("signer", "Signed by", k.Signer)
	if len(k.Tools) > 0 {
		all.Add("tools-version", "Swift tools", k.Tools[0])
		all.Add("manifests", "Manifests for", strings.Join(k.Tools[1:], ", "))
	}
	if a := k.Metadata.Author; a != nil && a.Organization != nil {
		all.Add("organization", "Organization", a.Organization.Name)
	}
	all.Add("license-url", "License", k.Metadata.LicenseURL)
	all.Add("readme-url", "Readme", k.Metadata.ReadmeURL)
	all.Add("first-published", "First published", k.Metadata.OriginalPublicationTime)
	all.Add("repositories", "Repositories", strings.Join(k.Metadata.RepositoryURLs, ", "))
	return all, nil
}

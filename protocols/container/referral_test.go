package container

import (
	"encoding/json"
	"testing"

	"entrepot/ent"
	"entrepot/registry"
)

func TestReferralKinds(t *testing.T) {
	stem := "sha256-" + someDigest[len("sha256:"):]
	for _, tt := range []struct {
		name  string
		about metadata
		tags  []string
		want  registry.ReferralKind
		typ   string
	}{
		{"cosign's signature by tag", metadata{ConfigType: "application/vnd.oci.image.config.v1+json"}, []string{stem + ".sig"}, registry.Signature, "application/vnd.oci.image.config.v1+json"},
		{"cosign's attestation by tag", metadata{}, []string{stem + ".att"}, registry.Attestation, ""},
		{"cosign's SBOM by tag", metadata{}, []string{stem + ".sbom"}, registry.SBOM, ""},
		{"cosign's signature", metadata{ArtifactType: "application/vnd.dev.cosign.artifact.sig.v1+json"}, nil, registry.Signature, "application/vnd.dev.cosign.artifact.sig.v1+json"},
		{"notation's signature", metadata{ConfigType: "application/vnd.cncf.notary.signature"}, nil, registry.Signature, "application/vnd.cncf.notary.signature"},
		{"a bundle that signs", metadata{ArtifactType: "application/vnd.dev.sigstore.bundle.v0.3+json",
			Annotations: map[string]string{predicateType: "https://sigstore.dev/cosign/sign/v1"}}, nil, registry.Signature, "application/vnd.dev.sigstore.bundle.v0.3+json"},
		{"a bundle that states nothing", metadata{ArtifactType: "application/vnd.dev.sigstore.bundle.v0.3+json"}, nil, registry.Signature, "application/vnd.dev.sigstore.bundle.v0.3+json"},
		{"a bundle with an SBOM", metadata{ArtifactType: "application/vnd.dev.sigstore.bundle.v0.3+json",
			Annotations: map[string]string{predicateType: "https://spdx.dev/Document"}}, nil, registry.SBOM, "application/vnd.dev.sigstore.bundle.v0.3+json"},
		{"a bundle with provenance", metadata{ArtifactType: "application/vnd.dev.sigstore.bundle.v0.3+json",
			Annotations: map[string]string{predicateType: "https://slsa.dev/provenance/v1"}}, nil, registry.Attestation, "application/vnd.dev.sigstore.bundle.v0.3+json"},
		{"a bundle with something else", metadata{ArtifactType: "application/vnd.dev.sigstore.bundle.v0.3+json",
			Annotations: map[string]string{predicateType: "https://example.com/review"}}, nil, registry.Attestation, "application/vnd.dev.sigstore.bundle.v0.3+json"},
		{"SPDX", metadata{ArtifactType: "application/spdx+json"}, nil, registry.SBOM, "application/spdx+json"},
		{"CycloneDX", metadata{ArtifactType: "application/vnd.cyclonedx+json"}, nil, registry.SBOM, "application/vnd.cyclonedx+json"},
		{"in-toto", metadata{ArtifactType: "application/vnd.in-toto+json"}, nil, registry.Attestation, "application/vnd.in-toto+json"},
		{"anything", metadata{ArtifactType: "application/vnd.example.report"}, []string{"sha256-other"}, registry.OtherReferral, "application/vnd.example.report"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			raw, err := json.Marshal(tt.about)
			if err != nil {
				t.Fatal(err)
			}
			got := referrals.Describe(&ent.PackageVersion{Metadata: raw}, tt.tags)
			if got.Kind != tt.want || got.Type != tt.typ {
				t.Errorf("got %+v, want %s %s", got, tt.want, tt.typ)
			}
		})
	}
	if tags := signatureTags(someDigest); len(tags) != 3 || tags[0] != stem+".att" || tags[1] != stem+".sbom" || tags[2] != stem+".sig" {
		t.Errorf("tags %v", tags)
	}
	if tags := signatureTags("1.0"); tags != nil {
		t.Errorf("tags of what is no digest: %v", tags)
	}
}

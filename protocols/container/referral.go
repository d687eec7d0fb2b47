package container

import (
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"entrepot/ent"
	"entrepot/registry"
)

// What refers to an image says so by its subject, and the registry finds it by
// a property. Before the specification had that, cosign kept what belongs to an
// image under a tag made of the image's digest; such tags are still written.
var referrals = registry.Referrals{
	Property:     subjectProperty,
	TypeProperty: artifactTypeProperty,
	Tags:         signatureTags,
	Subject:      signedManifest,
	Describe: func(v *ent.PackageVersion, tags []string) registry.Referral {
		about, err := decodeMetadata(v)
		if err != nil {
			return registry.Referral{Kind: registry.OtherReferral}
		}
		return registry.Referral{Kind: about.referralKind(tags), Type: about.artifactType()}
	},
}

// tagKinds are the endings of cosign's tags.
var tagKinds = map[string]registry.ReferralKind{
	".sig": registry.Signature, ".att": registry.Attestation, ".sbom": registry.SBOM,
}

// signatureTags are the tags under which cosign keeps what belongs to a
// manifest.
func signatureTags(manifest string) []string {
	d := digest.Digest(manifest)
	if d.Validate() != nil {
		return nil
	}
	stem := d.Algorithm().String() + "-" + d.Encoded()
	var tags []string
	for ending := range tagKinds {
		tags = append(tags, stem+ending)
	}
	slices.Sort(tags)
	return tags
}

// signedManifest is the manifest that what a tag of cosign's names belongs to.
func signedManifest(tag string) string {
	for ending := range tagKinds {
		stem, is := strings.CutSuffix(tag, ending)
		if !is {
			continue
		}
		algorithm, encoded, _ := strings.Cut(stem, "-")
		if d := digest.NewDigestFromEncoded(digest.Algorithm(algorithm), encoded); d.Validate() == nil {
			return d.String()
		}
	}
	return ""
}

// artifactType is the type by which referrers are filtered: the manifest's own
// or that of its configuration.
func (a metadata) artifactType() string {
	if a.ArtifactType != "" {
		return a.ArtifactType
	}
	return a.ConfigType
}

// predicateType is the annotation by which a Sigstore bundle says what it
// states of its subject
// (https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md).
const predicateType = "dev.sigstore.bundle.predicateType"

// kindWords tell what an artifact is by words of its type or of what it
// states, the first that fits. There is no register of these types: what is
// not known is called other.
var kindWords = []struct {
	word string
	kind registry.ReferralKind
}{
	{"spdx", registry.SBOM},
	{"cyclonedx", registry.SBOM},
	{"syft", registry.SBOM},
	{"sbom", registry.SBOM},
	{"cosign/sign/", registry.Signature},
	{"cosign.artifact.sig", registry.Signature},
	{"cosign.simplesigning", registry.Signature},
	{"notary.signature", registry.Signature},
	{"notation.signature", registry.Signature},
	{"signature", registry.Signature},
	{"in-toto", registry.Attestation},
	{"intoto", registry.Attestation},
	{"attestation", registry.Attestation},
	{"provenance", registry.Attestation},
	{"dsse.envelope", registry.Attestation},
	{"cosign.artifact.att", registry.Attestation},
}

// referralKind is what a referrer is: as cosign's tag says, as the bundle's
// annotation says, or as its type sounds.
func (a metadata) referralKind(tags []string) registry.ReferralKind {
	for _, tag := range tags {
		if i := strings.LastIndexByte(tag, '.'); i >= 0 && tagKinds[tag[i:]] != "" {
			return tagKinds[tag[i:]]
		}
	}
	if states := a.Annotations[predicateType]; states != "" {
		return kindOfWords(states, registry.Attestation)
	}
	if strings.HasPrefix(a.artifactType(), "application/vnd.dev.sigstore.bundle") {
		return registry.Signature // of the image itself: it states nothing
	}
	return kindOfWords(a.artifactType(), registry.OtherReferral)
}

func kindOfWords(text string, otherwise registry.ReferralKind) registry.ReferralKind {
	text = strings.ToLower(text)
	for _, w := range kindWords {
		if strings.Contains(text, w.word) {
			return w.kind
		}
	}
	return otherwise
}

// artifactTypeOf is artifactType of a manifest.
func artifactTypeOf(m *manifest) string {
	if m.ArtifactType == "" && m.Config != nil {
		return m.Config.MediaType
	}
	return m.ArtifactType
}

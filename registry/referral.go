package registry

import (
	"context"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packageversion"
	"entrepot/ent/predicate"
	"entrepot/ent/property"
	"entrepot/ent/tag"
)

// Referrals tells how versions of a type say that they are about another
// version of their package, as a signature is about an image. The version
// referred to need not be there.
type Referrals struct {
	// Property names the property whose value is the normalized version that
	// is referred to.
	Property string
	// TypeProperty names the property that says of what type the referring
	// version is, in the ecosystem's words.
	TypeProperty string
	// Tags lists the tags that, by a convention older than the property, name
	// what refers to a version. It may be nil.
	Tags func(normalizedVersion string) []string
	// Subject is the inverse of Tags: the version that what the tag names is
	// about, or "" for a tag like any other. It is nil when Tags is.
	Subject func(tag string) (normalizedVersion string)
	// Describe tells what a referring version is. tags are those of Tags that
	// name it; of the version, only the names and the metadata are there.
	Describe func(v *ent.PackageVersion, tags []string) Referral
}

// Referral is what a version that refers to another is.
type Referral struct {
	Kind ReferralKind
	// Type is its type in the ecosystem's words, as TypeProperty has it.
	Type string
}

// ReferralKind is what a version is to the one it refers to.
type ReferralKind string

// The kinds of referral.
const (
	Signature     ReferralKind = "SIGNATURE"
	SBOM          ReferralKind = "SBOM"
	Attestation   ReferralKind = "ATTESTATION"
	OtherReferral ReferralKind = "OTHER"
)

// Of matches the published versions of a package that refer to one of it;
// only those of the type, unless that is empty.
func (r *Referrals) Of(packageID int64, normalizedVersion, typ string) predicate.PackageVersion {
	return func(s *entsql.Selector) {
		ofPackage(packageID)(s)
		published(s)
		referring := withProperty([]string{r.Property}, normalizedVersion)
		if r.Tags != nil {
			t := entsql.Table(tag.Table)
			referring.Union(entsql.Select(t.C(tag.FieldVersionID)).From(t).Where(entsql.And(
				entsql.EQ(t.C(tag.FieldPackageID), packageID),
				entsql.In(t.C(tag.FieldSortKey), sortKeys(r.Tags(normalizedVersion))...),
			)))
		}
		s.Where(entsql.In(s.C(packageversion.FieldID), referring))
		if typ != "" {
			s.Where(entsql.In(s.C(packageversion.FieldID), withProperty([]string{r.TypeProperty}, typ)))
		}
	}
}

// DescribeAll tells what versions that refer to the one named are, by id.
func (r *Referrals) DescribeAll(ctx context.Context, reg *Registry, normalizedVersion string, ids []int64) (map[int64]Referral, error) {
	q := reg.db.PackageVersion.Query().
		Where(packageversion.IDIn(ids...)).
		Select(packageversion.FieldID, packageversion.FieldVersion, packageversion.FieldNormalizedVersion, packageversion.FieldMetadata)
	if r.Tags != nil {
		names := tagsNamed(r.Tags(normalizedVersion))
		q.WithTags(func(q *ent.TagQuery) { q.Where(names).Order(tag.BySortKey()) })
	}
	versions, err := q.All(access.SystemContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("read referrers: %w", err)
	}
	all := make(map[int64]Referral, len(versions))
	for _, v := range versions {
		var tags []string
		for _, t := range v.Edges.Tags {
			tags = append(tags, t.Name)
		}
		all[v.ID] = r.Describe(v, tags)
	}
	return all, nil
}

// sortKeys are the keys of tags of those names, as arguments of a statement.
func sortKeys(names []string) []any {
	keys := make([]any, len(names))
	for i, name := range names {
		keys[i] = byteKey(name)
	}
	return keys
}

// withProperty selects the ids of the versions that have a property of one of
// the names with the value.
func withProperty(names []string, value string) *entsql.Selector {
	t := entsql.Table(property.Table)
	any := make([]any, len(names))
	for i, name := range names {
		any[i] = name
	}
	return entsql.Select(t.C(property.FieldRefID)).From(t).Where(entsql.And(
		entsql.In(t.C(property.FieldName), any...),
		entsql.EQ(t.C(property.FieldValue), value),
		entsql.EQ(t.C(property.FieldRefType), property.RefTypeVersion),
	))
}

package schema

import (
	"encoding/json"

	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// PackageVersion is one published version of a package; for images, one
// manifest.
type PackageVersion struct{ ent.Schema }

// Annotations of the PackageVersion.
func (PackageVersion) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entgql.RelayConnection(),
		entgql.QueryField("packageVersions"),
		entgql.MultiOrder(),
	}
}

// Fields of the PackageVersion.
func (PackageVersion) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("package_id").Immutable().Annotations(entgql.Type("ID")),
		field.String("version").Immutable().
			Comment("The version as it was published; for images the manifest's digest."),
		field.String("normalized_version").Immutable().
			Comment("The version by which the type tells versions apart."),
		field.String("sort_key").
			Comment("Lower-case hexadecimal whose text order is the order of the versions.").
			Annotations(entgql.OrderField("VERSION"), entgql.Skip(entgql.SkipType, entgql.SkipWhereInput)),
		field.Bool("prerelease").Default(false),
		field.Bool("internal").Default(false).
			Comment("Internal versions hold files that belong to no published version.").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.Int64("creator_id").Optional().Nillable().Immutable().
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.JSON("metadata", json.RawMessage{}).Optional().
			Comment("What the package type keeps of its own, in the type's own form.").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("summary").Default(""),
		field.Text("readme").Default("").
			Comment("The readme as it was published.").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("license").Default(""),
		field.String("homepage").Default(""),
		field.String("repository_url").Default(""),
		field.Strings("authors").Optional(),
		field.Strings("keywords").Optional(),
		field.JSON("dependencies", []Dependency{}).Optional().
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.Bool("yanked").Default(false).
			Comment("A yanked version is kept for lock files and offered to nobody else."),
		field.Bool("deprecated").Default(false),
		field.String("status_reason").Default("").
			Comment("Why the version was yanked or deprecated."),
		field.Int64("downloads").Default(0).
			Annotations(entgql.Type("Int64"), entgql.OrderField("DOWNLOADS")),
		field.Time("downloaded_at").Optional().Nillable().
			Comment("The instant of the last download that was counted; absent when there was none."),
		field.Bool("pinned").Optional().
			Comment("Whether people have said that no rule may remove the version.").
			Annotations(entgql.Skip(entgql.SkipWhereInput)),
		field.Time("created_at").Default(now).Immutable().
			Annotations(entgql.OrderField("CREATED_AT")),
		field.Time("updated_at").Default(now).
			Comment("The instant the version's status last changed."),
	}
}

// Edges of the PackageVersion.
func (PackageVersion) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("package", Pkg.Type).Ref("versions").Field("package_id").
			Unique().Required().Immutable(),
		edge.To("creator", User.Type).Field("creator_id").Unique().Immutable().
			Comment("Who published the version; absent when the account is gone or hidden.").
			Annotations(entgql.Skip(entgql.SkipWhereInput), entsql.OnDelete(entsql.SetNull)),
		edge.To("files", PackageFile.Type).
			Annotations(entgql.RelayConnection(), entsql.OnDelete(entsql.Cascade)),
		edge.To("tags", Tag.Type).
			Annotations(entgql.RelayConnection(), entsql.OnDelete(entsql.Cascade)),
	}
}

// Indexes of the PackageVersion.
func (PackageVersion) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("package_id", "normalized_version").Unique(),
		index.Fields("package_id", "internal", "prerelease", "sort_key"),
		index.Fields("package_id", "internal", "created_at"),
		index.Fields("creator_id"),
	}
}

// Dependency is a package that a version needs, in the words of its
// ecosystem.
type Dependency struct {
	// Group is the ecosystem's name for the kind: dependencies,
	// devDependencies, runtime, test ...
	Group string `json:"group"`
	// Name is the needed package's name.
	Name string `json:"name"`
	// Requirement is the version range as it was published.
	Requirement string `json:"requirement"`
	// Optional tells that an install may do without it.
	Optional bool `json:"optional,omitempty"`
}

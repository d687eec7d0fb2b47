package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Pkg is a package: a named line of versions of one type under one owner.
// ent refuses the name Package; the table and the API say package.
type Pkg struct{ ent.Schema }

// Annotations of the Pkg.
func (Pkg) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entsql.Table("packages"),
		entgql.Type("Package"),
		entgql.RelayConnection(),
		entgql.QueryField("packages"),
		entgql.MultiOrder(),
	}
}

// Fields of the Pkg.
func (Pkg) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("owner_id").Immutable().Annotations(entgql.Type("ID")),
		field.String("type").Immutable().
			Comment("The package type: generic, npm, container ...").
			Annotations(entgql.OrderField("TYPE")),
		field.String("name").
			Comment("The name as it was first published.").
			Annotations(entgql.OrderField("NAME")),
		field.String("normalized_name").
			Comment("The name by which the type tells packages apart."),
		field.Enum("visibility").
			NamedValues("Inherit", "INHERIT", "Public", "PUBLIC", "Limited", "LIMITED", "Private", "PRIVATE").
			Default("INHERIT").
			Comment("Narrows the owner's visibility; it never widens it."),
		field.String("summary").Default("").
			Comment("One line about the package, taken from its latest version."),
		field.Text("search_text").Default("").
			Comment("Name, summary and keywords in lower case: what a search looks through.").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("repository_url").Default("").
			Comment("Where the source is kept."),
		field.Int64("generation").Default(0).
			Comment("Raised by every change; documents composed from the package carry it.").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.Int("version_count").Default(0).
			Comment("How many versions clients can see. A package without any is not shown.").
			Annotations(entgql.Skip(entgql.SkipWhereInput)),
		field.Int64("downloads").Default(0).
			Annotations(entgql.Type("Int64"), entgql.OrderField("DOWNLOADS")),
		field.Int64("latest_id").Optional().Nillable().
			Annotations(entgql.Skip(entgql.SkipAll)),
		createdAt(),
		field.Time("updated_at").Default(now).
			Comment("The instant of the last publish, tag move or deletion.").
			Annotations(entgql.OrderField("UPDATED_AT")),
	}
}

// Edges of the Pkg.
func (Pkg) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("owner", Owner.Type).Ref("packages").Field("owner_id").
			Unique().Required().Immutable().
			Annotations(entgql.Skip(entgql.SkipWhereInput)),
		edge.To("versions", PackageVersion.Type).
			Annotations(entgql.RelayConnection(), entgql.Skip(entgql.SkipWhereInput), entsql.OnDelete(entsql.Cascade)),
		edge.To("latest", PackageVersion.Type).Field("latest_id").Unique().
			Comment("The version an install without a version gets.").
			Annotations(entgql.Skip(entgql.SkipWhereInput), entsql.OnDelete(entsql.SetNull)),
		edge.To("tags", Tag.Type).
			Annotations(entgql.RelayConnection(), entgql.Skip(entgql.SkipWhereInput), entsql.OnDelete(entsql.Cascade)),
	}
}

// Indexes of the Pkg.
func (Pkg) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("owner_id", "type", "normalized_name").Unique(),
		index.Fields("type", "normalized_name"),
		index.Fields("updated_at"),
		index.Fields("latest_id"),
	}
}

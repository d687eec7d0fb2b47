package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Tag is a movable name for a version: an npm dist-tag, an image tag.
type Tag struct{ ent.Schema }

// Annotations of the Tag.
func (Tag) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.RelayConnection()}
}

// Fields of the Tag.
func (Tag) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("package_id").Immutable().Annotations(entgql.Skip(entgql.SkipAll)),
		field.Int64("version_id").Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("name").Immutable().Comment("Case-sensitive."),
		field.String("sort_key").Immutable().
			Comment("The name's bytes in hexadecimal: its order is byte order in every collation.").
			Annotations(entgql.OrderField("NAME"), entgql.Skip(entgql.SkipType, entgql.SkipWhereInput)),
		createdAt(),
		field.Time("updated_at").Default(now).
			Comment("The instant the tag last moved.").
			Annotations(entgql.OrderField("UPDATED_AT")),
	}
}

// Edges of the Tag.
func (Tag) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("package", Pkg.Type).Ref("tags").Field("package_id").
			Unique().Required().Immutable().
			Annotations(entgql.Skip(entgql.SkipWhereInput)),
		edge.From("version", PackageVersion.Type).Ref("tags").Field("version_id").
			Unique().Required().
			Annotations(entgql.Skip(entgql.SkipWhereInput)),
	}
}

// Indexes of the Tag.
func (Tag) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("package_id", "sort_key").Unique(),
		index.Fields("version_id"),
	}
}

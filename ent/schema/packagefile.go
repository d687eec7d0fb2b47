package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// PackageFile is a named file of a version; its bytes are the blob's.
type PackageFile struct{ ent.Schema }

// Annotations of the PackageFile.
func (PackageFile) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.RelayConnection()}
}

// Fields of the PackageFile.
func (PackageFile) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("version_id").Immutable().Annotations(entgql.Type("ID")),
		field.Int64("blob_id").Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("name").Immutable().Annotations(entgql.OrderField("NAME")),
		field.String("normalized_name").Immutable().Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("composite_key").Default("").Immutable().
			Comment("Tells files of one name apart: distribution and architecture, subdir, platform.").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("media_type").Default(""),
		field.Bool("lead").Default(false).
			Comment("Whether the file is the version's main one, whose downloads count."),
		field.Bytes("fragment").Optional().
			Comment("The file's part of the documents composed from it, rendered at publish.").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.Int64("downloads").Default(0).Annotations(entgql.Type("Int64")),
		createdAt(),
	}
}

// Edges of the PackageFile.
func (PackageFile) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("version", PackageVersion.Type).Ref("files").Field("version_id").
			Unique().Required().Immutable(),
		edge.From("blob", PackageBlob.Type).Ref("files").Field("blob_id").
			Unique().Required(),
	}
}

// Indexes of the PackageFile.
func (PackageFile) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("version_id", "normalized_name", "composite_key").Unique(),
		index.Fields("blob_id"),
	}
}

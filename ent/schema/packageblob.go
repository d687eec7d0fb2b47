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

// PackageBlob is content: bytes in storage under a key that is never used
// again, shared by all files with the same digest.
type PackageBlob struct{ ent.Schema }

// Annotations of the PackageBlob.
func (PackageBlob) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.Type("Blob")}
}

// Fields of the PackageBlob.
func (PackageBlob) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("size").Immutable().Annotations(entgql.Type("Int64")),
		field.String("sha256").Immutable().MinLen(64).MaxLen(64),
		field.String("sha512").Optional(),
		field.String("sha1").Optional(),
		field.String("md5").Optional(),
		field.String("blake2b").Optional().Comment("BLAKE2b-256."),
		field.String("storage_key").Immutable().Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("remote").Default("").
			Comment("Which remote holds the bytes; empty for the configured one.").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.Enum("state").
			NamedValues("Live", "LIVE", "Dying", "DYING").
			Default("LIVE").
			Comment("A dying blob is about to be removed and is never referred to again.").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.Time("unreferenced_at").Optional().Nillable().
			Comment("Since when no file has named the blob.").
			Annotations(entgql.Skip(entgql.SkipAll)),
		// Not in the API: the same content may lie in a package that the
		// reader may not know of, and was stored when that was published.
		field.Time("created_at").Default(now).Immutable().
			Annotations(entgql.Skip(entgql.SkipAll)),
	}
}

// Edges of the PackageBlob.
func (PackageBlob) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("files", PackageFile.Type).
			Annotations(entgql.Skip(entgql.SkipAll), entsql.OnDelete(entsql.Restrict)),
	}
}

// Indexes of the PackageBlob.
func (PackageBlob) Indexes() []ent.Index {
	return []ent.Index{
		// Only live blobs are unique: a publish that meets a dying one of the
		// same content keeps its own bytes and a row of its own.
		index.Fields("sha256").Unique().Annotations(entsql.IndexWhere("state = 'LIVE'")),
		index.Fields("storage_key").Unique(),
		index.Fields("sha512"),
		index.Fields("state", "unreferenced_at"),
	}
}

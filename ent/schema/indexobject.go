package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// IndexObject is a file that clients download from an index, described as a
// recipe of literals and chunks. It never changes.
type IndexObject struct{ ent.Schema }

// Annotations of the IndexObject.
func (IndexObject) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.Skip(entgql.SkipAll)}
}

// Fields of the IndexObject.
func (IndexObject) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("root_id").Immutable(),
		field.String("path").Immutable(),
		field.String("sha256").Immutable(),
		field.Int64("size").Immutable(),
		field.String("content_type").Immutable(),
		field.Bytes("recipe").Immutable(),
		field.Bytes("ladder").Optional().Immutable().
			Comment("States of the hash after some of the parts: the next build hashes on from there."),
		createdAt(),
	}
}

// Indexes of the IndexObject.
func (IndexObject) Indexes() []ent.Index {
	return []ent.Index{index.Fields("root_id", "sha256")}
}

package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// IndexData is the compressed text of a chunk. It never changes; objects of
// many snapshots are made of it.
type IndexData struct{ ent.Schema }

// Annotations of the IndexData.
func (IndexData) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("index_data"), entgql.Skip(entgql.SkipAll)}
}

// Fields of the IndexData.
func (IndexData) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("owner_id").Immutable().
			Comment("Whose indexes are made of it; the views of one share their data."),
		field.Int64("source_id").Default(0).Immutable().
			Comment("The data of which this is another encoding; 0 for none."),
		field.String("encoding").Immutable(),
		field.Bytes("content").Immutable(),
		field.Int64("size").Immutable().Comment("The length of the text."),
		createdAt(),
	}
}

// Indexes of the IndexData.
func (IndexData) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("owner_id"),
		index.Fields("source_id", "encoding"),
	}
}

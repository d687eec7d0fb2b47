package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// IndexFragment is what one file contributes to one stream. Its text is
// rendered from the file when the index is built; the row says whether and
// where it stands. It names the file by number without a foreign key: it
// outlives the file until the next build has cut the text out.
type IndexFragment struct{ ent.Schema }

// Annotations of the IndexFragment.
func (IndexFragment) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.Skip(entgql.SkipAll)}
}

// Fields of the IndexFragment.
func (IndexFragment) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("root_id").Immutable(),
		field.Int64("stream_id").Immutable(),
		field.Int64("file_id").Immutable(),
		field.String("name").Default("").Immutable().
			Comment("What the fragment is about, where the stream lists one fragment a name or joins them by name."),
		field.String("rank").Default("").Immutable().
			Comment("Of several fragments of a name the one with the greatest rank is listed."),
		field.String("sort").Default("").Immutable().
			Comment("The place in a sorted stream, as text."),
		field.Bool("listed").Default(true).
			Comment("Whether the fragment is to be in the text."),
		field.Bool("gone").Default(false).
			Comment("The file is gone or listed by another row; the next build removes this one."),
		field.Bool("dirty").Default(true).
			Comment("Whether the next build has to do something about the row."),
		field.Int64("chunk").Default(0).
			Comment("The number of the chunk in which the text stands; 0 for none."),
		field.Int64("position").Default(0).
			Comment("Orders the fragments of a chunk among those of the same sort."),
		field.Int("length").Default(0),
	}
}

// Indexes of the IndexFragment.
func (IndexFragment) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("file_id"),
		index.Fields("root_id", "dirty"),
		index.Fields("stream_id", "chunk"),
		index.Fields("stream_id", "name"),
	}
}

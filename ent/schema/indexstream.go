package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// IndexStream is one text of an index root: the Packages of a component and an
// architecture, the primary of an RPM group. It is cut into chunks.
type IndexStream struct{ ent.Schema }

// Annotations of the IndexStream.
func (IndexStream) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.Skip(entgql.SkipAll)}
}

// Fields of the IndexStream.
func (IndexStream) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("root_id").Immutable(),
		field.String("name").Immutable(),
		field.Int("format").Default(0).
			Comment("The version of the type's rendering in which the fragments are."),
		field.JSON("chunks", []IndexChunk{}).Optional().
			Comment("The runs of fragments in their order. Whoever holds the root's lease alone changes them."),
		field.Int64("next_chunk").Default(1),
		field.Int64("next_position").Default(1),
		field.Int("entries").Default(0).
			Comment("How many fragments the chunks hold."),
	}
}

// Indexes of the IndexStream.
func (IndexStream) Indexes() []ent.Index {
	return []ent.Index{index.Fields("root_id", "name").Unique()}
}

// IndexChunk is a run of fragments that is compressed by itself.
type IndexChunk struct {
	// Number identifies the chunk in its stream.
	Number int64 `json:"n"`
	// Data is the IndexData with its compressed text.
	Data int64 `json:"d"`
	// Size is the length of the text, Packed that of its compressed form.
	Size   int64 `json:"s"`
	Packed int64 `json:"p"`
	// CRC is the text's CRC-32 (IEEE).
	CRC uint32 `json:"c"`
	// Lead is how many bytes of the text stand before the first fragment.
	Lead string `json:"l,omitempty"`
	// FirstName and LastName are the names of the first and the last fragment,
	// FirstSort is the first's place in a sorted stream.
	FirstName string `json:"f,omitempty"`
	LastName  string `json:"t,omitempty"`
	FirstSort string `json:"o,omitempty"`
}

package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// IndexSnapshot is all the objects of a root that go together: what a build
// made. It never changes but for the instant it is replaced.
type IndexSnapshot struct{ ent.Schema }

// Annotations of the IndexSnapshot.
func (IndexSnapshot) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.Skip(entgql.SkipAll)}
}

// Fields of the IndexSnapshot.
func (IndexSnapshot) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("root_id").Immutable(),
		field.Int64("generation").Immutable(),
		field.Time("modified_at").Immutable().
			Comment("Last-Modified of all its objects, in whole seconds."),
		field.JSON("objects", []int64{}).Immutable(),
		createdAt(),
		field.Time("retired_at").Optional().Nillable().
			Comment("When another snapshot took its place."),
	}
}

// Indexes of the IndexSnapshot.
func (IndexSnapshot) Indexes() []ent.Index {
	return []ent.Index{index.Fields("root_id", "created_at"), index.Fields("retired_at")}
}

package schema

import (
	"encoding/json"

	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Event is a line of the append-only record of what happened. It names rows
// by number without a foreign key: it outlives them.
type Event struct{ ent.Schema }

// Annotations of the Event.
func (Event) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.Skip(entgql.SkipAll)}
}

// Fields of the Event.
func (Event) Fields() []ent.Field {
	return []ent.Field{
		field.String("kind").Immutable().
			Comment("What happened: version.published, tag.moved, package.deleted ..."),
		field.Int64("owner_id").Optional().Nillable().Immutable(),
		field.Int64("actor_id").Optional().Nillable().Immutable().
			Comment("The user who did it; absent for the system."),
		field.String("agent").Optional().Nillable().Immutable().
			Comment("What part of the server did it, where that was nobody: \"cleanup: old builds\"."),
		field.Int64("package_id").Optional().Nillable().Immutable(),
		field.String("tag").Optional().Nillable().Immutable().
			Comment("The tag that moved or went; its history is found by it."),
		field.JSON("details", json.RawMessage{}).Optional().Immutable(),
		createdAt(),
	}
}

// Indexes of the Event.
func (Event) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("owner_id", "created_at"),
		index.Fields("package_id", "created_at"),
		index.Fields("package_id", "tag").Annotations(entsql.IndexWhere("tag IS NOT NULL")),
	}
}

package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// KeyLease reserves a block of storage keys for one server process before it
// writes a single byte under them, so that the collector finds what a crash
// left behind without ever listing the storage.
type KeyLease struct{ ent.Schema }

// Annotations of the KeyLease.
func (KeyLease) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.Skip(entgql.SkipAll)}
}

// Fields of the KeyLease.
func (KeyLease) Fields() []ent.Field {
	return []ent.Field{
		field.String("prefix").Immutable().
			Comment("Random; the keys of the block are derived from it and a number."),
		field.Int("size").Comment("How many keys the block holds."),
		createdAt(),
		field.Time("expires_at").
			Comment("When no upload under the block's keys can still be running."),
	}
}

// Indexes of the KeyLease.
func (KeyLease) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("prefix").Unique(),
		index.Fields("expires_at"),
	}
}

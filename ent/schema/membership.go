package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Membership gives a user a role in an organization.
type Membership struct{ ent.Schema }

// Annotations of the Membership.
func (Membership) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.RelayConnection(), entgql.Skip(entgql.SkipWhereInput)}
}

// Fields of the Membership.
func (Membership) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("owner_id").Immutable().Annotations(entgql.Skip(entgql.SkipAll)),
		field.Int64("user_id").Immutable().Annotations(entgql.Skip(entgql.SkipAll)),
		field.Enum("role").
			NamedValues("Owner", "OWNER", "Writer", "WRITER", "Reader", "READER").
			Comment("READER reads, WRITER also publishes and deletes, OWNER also administers."),
		createdAt(),
	}
}

// Edges of the Membership.
func (Membership) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("owner", Owner.Type).Ref("memberships").Field("owner_id").
			Unique().Required().Immutable().
			Annotations(entgql.Skip(entgql.SkipWhereInput)),
		// The API has the edge by hand: a member's own namespace may be hidden
		// from the other members, his name is not.
		edge.From("user", User.Type).Ref("memberships").Field("user_id").
			Unique().Required().Immutable().
			Annotations(entgql.Skip(entgql.SkipAll)),
	}
}

// Indexes of the Membership.
func (Membership) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("owner_id", "user_id").Unique(),
		index.Fields("user_id"),
	}
}

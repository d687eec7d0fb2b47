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

// Token is a personal access token. Its secret is shown once; only the hash
// is kept.
type Token struct{ ent.Schema }

// Annotations of the Token.
func (Token) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entgql.RelayConnection(),
		entgql.Skip(entgql.SkipWhereInput),
		entsql.Table("tokens"),
	}
}

// Fields of the Token.
func (Token) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("user_id").Immutable().Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("name").Comment("The user's label for it."),
		field.Bytes("secret_hash").Sensitive().Immutable().
			Comment("SHA-256 of the whole token.").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.Strings("scopes").
			Comment("What the token may do, never more than its user may."),
		field.Time("expires_at").Optional().Nillable(),
		field.Time("last_used_at").Optional().Nillable().
			Comment("Written lazily, to the minute."),
		createdAt(),
	}
}

// Edges of the Token.
func (Token) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("tokens").Field("user_id").
			Unique().Required().Immutable().
			Annotations(entgql.Skip(entgql.SkipWhereInput)),
	}
}

// Indexes of the Token.
func (Token) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("secret_hash").Unique(),
		index.Fields("user_id"),
	}
}

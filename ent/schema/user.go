package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// User is a person's account. The packages a user owns belong to the Owner
// of the same name.
type User struct{ ent.Schema }

// Annotations of the User.
func (User) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.Skip(entgql.SkipWhereInput | entgql.SkipOrderField)}
}

// Fields of the User.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("owner_id").Immutable().Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("login").
			Comment("The name to sign in with; the name of the user's namespace."),
		field.String("normalized_login").Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("full_name").Default(""),
		field.String("email").
			Comment("Shown to the user and to administrators alone.").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("normalized_email").Annotations(entgql.Skip(entgql.SkipAll)),
		field.String("password_hash").
			Sensitive().
			Comment("argon2id in PHC string form.").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.Bool("admin").Default(false).
			Comment("Whether the user administers the whole site.").
			Annotations(entgql.Skip(entgql.SkipAll)),
		field.Bool("disabled").Default(false).
			Comment("A disabled user's credentials are all refused.").
			Annotations(entgql.Skip(entgql.SkipAll)),
		createdAt(),
		updatedAt(),
	}
}

// Edges of the User.
func (User) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("namespace", Owner.Type).Ref("user").Field("owner_id").
			Unique().Required().Immutable().
			Annotations(entgql.Skip(entgql.SkipWhereInput)),
		edge.To("memberships", Membership.Type).Annotations(entgql.Skip(entgql.SkipAll)),
		edge.To("tokens", Token.Type).Annotations(entgql.Skip(entgql.SkipAll)),
	}
}

// Indexes of the User.
func (User) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("normalized_login").Unique(),
		index.Fields("normalized_email").Unique(),
	}
}

package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// SigningKey is a key with which the indexes of one type of one owner are
// signed. An owner has one current key a type; one that was replaced goes on
// signing beside it for a while, until clients know the new one.
type SigningKey struct{ ent.Schema }

// Annotations of the SigningKey.
func (SigningKey) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.Skip(entgql.SkipAll)}
}

// Fields of the SigningKey.
func (SigningKey) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("owner_id").Immutable(),
		field.String("type").Immutable(),
		field.Enum("form").
			NamedValues("OpenPGP", "OPENPGP", "RSA", "RSA").
			Immutable(),
		field.String("algorithm").Immutable().Comment("For people: rsa4096, ed25519."),
		field.String("fingerprint").Immutable().
			Comment("Of an OpenPGP key its own, of an RSA key the SHA-256 of the public half in DER; hexadecimal."),
		field.String("identity").Default("").Immutable().Comment("Whose key it says it is."),
		field.Bytes("public").Immutable().Comment("The public half: an OpenPGP key, or a SubjectPublicKeyInfo."),
		field.Bytes("private").Sensitive().Immutable().Comment("The private half, encrypted."),
		field.Bool("current").Default(true),
		field.Time("signs_until").Optional().Nillable().
			Comment("Until when a key that was replaced signs beside the current one."),
		field.Time("expires_at").Optional().Nillable().Immutable().
			Comment("When the key itself says it ends."),
		createdAt(),
	}
}

// Indexes of the SigningKey.
func (SigningKey) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("owner_id", "type").Unique().Annotations(entsql.IndexWhere("current")),
		index.Fields("owner_id", "type", "created_at"),
	}
}

package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Property is a named value a package type attaches to a package, a version
// or a file, and can find it by, or to an owner, where it outlives packages.
type Property struct{ ent.Schema }

// Annotations of the Property.
func (Property) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.Skip(entgql.SkipAll)}
}

// Fields of the Property.
func (Property) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("ref_type").
			NamedValues("Package", "PACKAGE", "Version", "VERSION", "File", "FILE", "Owner", "OWNER").
			Immutable(),
		field.Int64("ref_id").Immutable(),
		field.String("name").Immutable(),
		field.String("value"),
	}
}

// Indexes of the Property.
func (Property) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("ref_type", "ref_id", "name"),
		index.Fields("name", "value"),
	}
}

package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// IndexRoot is the unit of a repository-wide index that has one signature and
// one generation: a Debian distribution, an RPM group, a branch, repository
// and architecture of Alpine. There is one for each view of it.
type IndexRoot struct{ ent.Schema }

// Annotations of the IndexRoot.
func (IndexRoot) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.Skip(entgql.SkipAll)}
}

// Fields of the IndexRoot.
func (IndexRoot) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("owner_id").Immutable(),
		field.String("type").Immutable(),
		field.String("family").Immutable().
			Comment("What roots have in common that share files: distribution, group, branch and repository."),
		field.String("member").Default("").Immutable().
			Comment("Tells the roots of a family apart: the architecture; * stands for those without a root."),
		field.Enum("view").
			NamedValues("Members", "MEMBERS", "Public", "PUBLIC").
			Default("MEMBERS").Immutable().
			Comment("Who is shown it. The public view is there from the first package on that not everybody may see."),
		field.JSON("settings", map[string]string{}).Optional().
			Comment("What the type froze when the root was made: labels that clients compare."),
		field.Int64("generation").Default(0).
			Comment("Raised by every change of the files listed."),
		field.Int64("built").Default(0).
			Comment("The generation of the current snapshot."),
		field.Int64("snapshot_id").Optional().Nillable(),
		field.Time("modified_at").Optional().Nillable().
			Comment("Last-Modified of the current snapshot, in whole seconds; it always grows."),
		field.Time("dirty_since").Optional().Nillable().
			Comment("When the first change was made that no snapshot shows."),
		field.Int64("token").Default(0).
			Comment("Raised by whoever begins to build; a build whose token is not the last writes nothing."),
		field.Time("leased_until").Optional().Nillable().
			Comment("Until when nobody else begins to build."),
		createdAt(),
	}
}

// Indexes of the IndexRoot.
func (IndexRoot) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("owner_id", "type", "family", "member", "view").Unique(),
		index.Fields("dirty_since"),
	}
}

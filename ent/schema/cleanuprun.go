package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// CleanupRun is the record of one time that rules of an owner were carried
// out. It names rules in text: it outlives them.
type CleanupRun struct{ ent.Schema }

// Annotations of the CleanupRun.
func (CleanupRun) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.Skip(entgql.SkipAll)}
}

// Fields of the CleanupRun.
func (CleanupRun) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("owner_id").Immutable(),
		field.Int64("actor_id").Optional().Nillable().Immutable().
			Comment("Who asked for it; absent for the schedule."),
		field.Strings("rules").Optional().Immutable().Comment("The names of the rules."),
		field.Int("removed").Default(0).Comment("How many versions, tags or files went."),
		field.Int("held").Default(0).
			Comment("How many were to go and stayed, because they were too many at once."),
		field.Int64("bytes").Default(0).Comment("What the owner got back."),
		field.String("error").Default(""),
		field.JSON("decisions", []CleanupDecision{}).Optional().
			Comment("What went and why, as far as it is few enough to be kept."),
		field.Time("started_at").Default(now).Immutable(),
		field.Time("finished_at").Optional().Nillable(),
	}
}

// Indexes of the CleanupRun.
func (CleanupRun) Indexes() []ent.Index {
	return []ent.Index{index.Fields("owner_id", "started_at")}
}

// CleanupDecision says what became of one version, tag or file and why.
type CleanupDecision struct {
	Type    string `json:"type"`
	Package string `json:"package"`
	Version string `json:"version"`
	// File is set where files are what rules count.
	File   string   `json:"file,omitempty"`
	Reason []string `json:"reason"`
}

package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// CleanupRule is an owner's rule by which old versions go by themselves.
type CleanupRule struct{ ent.Schema }

// Annotations of the CleanupRule.
func (CleanupRule) Annotations() []schema.Annotation {
	return []schema.Annotation{entgql.Skip(entgql.SkipAll)}
}

// Fields of the CleanupRule.
func (CleanupRule) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("owner_id").Immutable(),
		field.String("name"),
		field.Bool("enabled").Default(true).
			Comment("A rule that is not enabled neither removes nor keeps."),
		field.JSON("spec", CleanupSpec{}),
		field.String("schedule").Default("").
			Comment("A cron expression in UTC; empty for the server's."),
		field.Time("next_run_at").Optional().Nillable().
			Comment("When the rule is due. Whoever moves it ahead carries the rule out."),
		createdAt(),
		updatedAt(),
	}
}

// Indexes of the CleanupRule.
func (CleanupRule) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("owner_id", "name").Unique(),
		index.Fields("enabled", "next_run_at"),
	}
}

// CleanupSpec is what a rule says: which packages and versions it is about,
// which of them stay, and which go.
type CleanupSpec struct {
	Select CleanupSelect `json:"select,omitzero"`
	Keep   CleanupKeep   `json:"keep,omitzero"`
	Remove CleanupRemove `json:"remove,omitzero"`
	// MatchFullName lets the version patterns see "package/version".
	MatchFullName bool `json:"match_full_name,omitempty"`
	// CaseSensitive lets all patterns tell upper from lower case.
	CaseSensitive bool `json:"case_sensitive,omitempty"`
	// TakesLatestTag lets the rule remove what the tag "latest" names.
	TakesLatestTag bool `json:"takes_latest_tag,omitempty"`
	// TakesLastVersion lets the rule remove a package's highest release.
	TakesLastVersion bool `json:"takes_last_version,omitempty"`
	// Action is CleanupDelete, CleanupYank, or empty: versions of types whose
	// lock files point at them are yanked, all else is deleted. What cannot be
	// yanked is deleted in any case.
	Action string `json:"action,omitempty"`
}

// The values of CleanupSpec.Action.
const (
	CleanupDelete = "delete"
	CleanupYank   = "yank"
)

// CleanupSelect says what a rule is about; empty fields say nothing.
type CleanupSelect struct {
	// Types are package types.
	Types []string `json:"types,omitempty"`
	// Include and Exclude are patterns of package names.
	Include []string `json:"include,omitempty"`
	Exclude []string `json:"exclude,omitempty"`
	// Prereleases is CleanupOnly or CleanupNever.
	Prereleases string `json:"prereleases,omitempty"`
}

// The values of CleanupSelect.Prereleases.
const (
	CleanupOnly  = "only"
	CleanupNever = "never"
)

// CleanupKeep lists what stays: a version that one of these names. Zero names
// none.
type CleanupKeep struct {
	// Newest counts by the order of versions, NewestPublished by when they
	// were published; NewestPerMajor and NewestPerMinor count within each line.
	Newest          int `json:"newest,omitempty"`
	NewestPublished int `json:"newest_published,omitempty"`
	NewestPerMajor  int `json:"newest_per_major,omitempty"`
	NewestPerMinor  int `json:"newest_per_minor,omitempty"`
	// Versions and Tags are patterns.
	Versions []string `json:"versions,omitempty"`
	Tags     []string `json:"tags,omitempty"`
	// PublishedWithin and DownloadedWithin are days.
	PublishedWithin  int `json:"published_within,omitempty"`
	DownloadedWithin int `json:"downloaded_within,omitempty"`
	// Downloads is the number from which on a version stays.
	Downloads int64 `json:"downloads,omitempty"`
}

// CleanupRemove says what goes: what all of its conditions hold for, or
// everything that is not kept.
type CleanupRemove struct {
	// Everything takes all that is not kept.
	Everything bool `json:"everything,omitempty"`
	// OlderThan, NotDownloadedFor and YankedFor are days.
	OlderThan        int `json:"older_than,omitempty"`
	NotDownloadedFor int `json:"not_downloaded_for,omitempty"`
	YankedFor        int `json:"yanked_for,omitempty"`
	// Versions are patterns, of which one has to match.
	Versions []string `json:"versions,omitempty"`
	// Prereleases takes prereleases alone.
	Prereleases bool `json:"prereleases,omitempty"`
}

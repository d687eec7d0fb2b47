package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Owner is a namespace that holds packages: every user has one, and every
// organization is one.
type Owner struct{ ent.Schema }

// Annotations of the Owner.
func (Owner) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entgql.RelayConnection(),
		entgql.QueryField("owners"),
	}
}

// Fields of the Owner.
func (Owner) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").
			Comment("The name as it was first written; unique without case.").
			Annotations(entgql.OrderField("NAME")),
		field.String("normalized_name").
			Comment("The name in lower case, by which it is looked up.").
			Annotations(entgql.Skip(entgql.SkipType)),
		field.Enum("kind").
			NamedValues("User", "USER", "Organization", "ORGANIZATION").
			Immutable(),
		field.Enum("visibility").
			NamedValues("Public", "PUBLIC", "Limited", "LIMITED", "Private", "PRIVATE").
			Default("PUBLIC").
			Comment("Who may read: everybody, the signed-in, or members alone."),
		field.String("display_name").Default(""),
		field.String("description").Default(""),
		field.JSON("settings", OwnerSettings{}).
			Default(OwnerSettings{}).
			Annotations(entgql.Skip(entgql.SkipAll)),
		createdAt(),
		updatedAt(),
	}
}

// Edges of the Owner.
func (Owner) Edges() []ent.Edge {
	return []ent.Edge{
		// Filters over these edges would tell an outsider about rows the
		// interceptors hide from him, so none are generated.
		edge.To("packages", Pkg.Type).
			Annotations(entgql.RelayConnection(), entgql.Skip(entgql.SkipWhereInput)),
		edge.To("memberships", Membership.Type).
			Annotations(entgql.RelayConnection(), entgql.Skip(entgql.SkipWhereInput)),
		edge.To("user", User.Type).Unique().
			Comment("The account behind a user's namespace.").
			Annotations(entgql.Skip(entgql.SkipWhereInput)),
	}
}

// Indexes of the Owner.
func (Owner) Indexes() []ent.Index {
	return []ent.Index{index.Fields("normalized_name").Unique()}
}

// OwnerSettings are the switches of an owner that apply to single package
// types.
type OwnerSettings struct {
	// GenericOverwrite says what a second PUT of an existing generic file
	// does; the first rule whose pattern matches the package name decides.
	GenericOverwrite []OverwriteRule `json:"generic_overwrite,omitempty"`
	// ContainerSparseIndex accepts image indexes some of whose manifests are
	// not in the repository.
	ContainerSparseIndex bool `json:"container_sparse_index,omitempty"`
	// ContainerImmutableTags are tags that neither move nor go: patterns
	// "image:tag", each side a path.Match pattern.
	ContainerImmutableTags []string `json:"container_immutable_tags,omitempty"`
	// MavenRedeploy says what a second PUT of a file of a release does; the
	// first rule whose pattern matches "groupId:artifactId" decides.
	MavenRedeploy []OverwriteRule `json:"maven_redeploy,omitempty"`
	// MavenVersions limits what may be published: MavenReleases or
	// MavenSnapshots alone, or, when empty, both.
	MavenVersions string `json:"maven_versions,omitempty"`
	// MavenKeepBuilds is how many builds of a snapshot are kept, MavenKeepDays
	// for how long after the upload; 0 keeps all. The newest always stays.
	MavenKeepBuilds int `json:"maven_keep_builds,omitempty"`
	MavenKeepDays   int `json:"maven_keep_days,omitempty"`
	// NuGetDelete says what a client's deletion of a version does: NuGetUnlists
	// or, when empty, delete.
	NuGetDelete string `json:"nuget_delete,omitempty"`
	// ConanImmutableRevisions refuses other bytes for the files of a Conan
	// revision that are there already, metadata excepted.
	ConanImmutableRevisions bool `json:"conan_immutable_revisions,omitempty"`
	// ConanKeepRecipes is how many revisions of each recipe are kept,
	// ConanKeepPackages how many of each binary; 0 keeps all.
	ConanKeepRecipes  int `json:"conan_keep_recipes,omitempty"`
	ConanKeepPackages int `json:"conan_keep_packages,omitempty"`
	// ConanReferenceSize is the most bytes that all revisions of a Conan
	// reference may have together; 0 is no limit.
	ConanReferenceSize int64 `json:"conan_reference_size,omitempty"`
	// CleanupUntaggedDays is for how many days a version that nothing leads to
	// stays after its last push or pull, where tags are what clients ask for; 0
	// keeps all, nil is a week.
	CleanupUntaggedDays *int `json:"cleanup_untagged_days,omitempty"`
}

// The values of OwnerSettings.MavenVersions.
const (
	MavenReleases  = "releases"
	MavenSnapshots = "snapshots"
)

// NuGetUnlists is the value of OwnerSettings.NuGetDelete by which a deletion
// hides a version from searches and keeps its content.
const NuGetUnlists = "unlist"

// OverwriteRule allows files of the packages that match a pattern to be
// written again.
type OverwriteRule struct {
	// Pattern is a path.Match pattern over the package name.
	Pattern string `json:"pattern"`
	// Mode is "never", "identical" (the same bytes are accepted) or "always".
	Mode string `json:"mode"`
}

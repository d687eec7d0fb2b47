package registry

import (
	"context"

	"entrepot/ent"
	"entrepot/ent/schema"
)

// Dependency is a package that a version needs.
type Dependency = schema.Dependency

// Type is what the house knows of a package type beside its wire protocol.
type Type struct {
	// Name is the type in URLs and in the database: "npm".
	Name string
	// Title is the type for people: "npm", "Container".
	Title string
	// KeepsLatestTag tells that a package with versions always has the tag
	// "latest"; when the version behind it goes, it moves to the next best.
	KeepsLatestTag bool
	// UploadInBrowser tells that files can be published one by one.
	UploadInBrowser bool
	// CheckTag tells whether a version may be tagged with the name, by an
	// Invalid error if not. Nil means that people set no tags on versions.
	CheckTag func(name string) error
	// TagStays returns the test for tags that, by the owner's settings, neither
	// move nor go, or nil when there are none. It may be nil itself.
	TagStays func(schema.OwnerSettings) func(normalizedName, tag string) bool
	// States are what can be said of a package as a whole, in the ecosystem's
	// words; see PackageState.
	States []string
	// Yanks tells that versions can be yanked: kept for who names them, and
	// offered to nobody else.
	Yanks bool
	// References names the properties by which a version says what it needs:
	// their values are normalized versions, or names of files of internal
	// versions, of the same package. What is needed is not deleted before.
	References []string
	// Referrals tells how versions refer to others that they are about, or is
	// nil when they do not.
	Referrals *Referrals
	// CopyName checks the name under which a version is to be copied to an
	// owner, and returns it normalized. Nil means that versions of the type are
	// not copied: see Space.Copy.
	CopyName func(owner, name string) (normalized string, err error)
	// OrderedByTime tells that the versions of a package are ordered by when
	// they came to it.
	OrderedByTime bool
	// Expiry returns what the owner's settings say of files that have had their
	// time, or nil when all stay for good. It may be nil itself.
	Expiry func(schema.OwnerSettings) *Expiry
	// KeepsTombstones tells that the number of a deleted version can only come
	// back with the same content: clients pin its digest.
	KeepsTombstones bool
	// Journal says how every change of the owner's packages is entered into one
	// list, lead files alone; nil means that the type has no such list. Files of
	// a type that has are never overwritten.
	Journal *Journal
	// SkipsYanked leaves packages out of searches of which every version is
	// yanked.
	SkipsYanked bool
	// FoldName makes of a word what it would be in a normalized name, for
	// searches to find it there. It may be nil.
	FoldName func(word string) string
	// SearchWords returns more texts of a version that searches look through,
	// from what the type keeps of its own. It may be nil.
	SearchWords func(metadata []byte) []string
	// FollowsLead tells that files of a version that are not lead files belong to
	// the lead files with their composite key, and go with the last of these.
	FollowsLead bool
	// Counts is what retention rules count and remove of the type.
	Counts Counted
	// PrefersYank lets retention rules yank versions, unless they say otherwise:
	// lock files point at them.
	PrefersYank bool
	// Index says how the repository-wide indexes of the type are made, or is
	// nil when it has none.
	Index *Index
	// Instructions returns how to use a version with the type's clients. The
	// version is nil for a package as a whole.
	Instructions func(InstructionsInput) []Instructions
	// Facts returns what the type shows of a version beyond the facts all
	// types share. It may be nil.
	Facts func(*ent.PackageVersion) ([]Fact, error)
	// StoredFacts returns what the type shows of the files that the version
	// has now, below its Facts. It may be nil.
	StoredFacts func(context.Context, Holdings, *ent.PackageVersion) ([]Fact, error)
}

// InstructionsInput is what instructions are about.
type InstructionsInput struct {
	// BaseURL is the server's public URL without a final slash.
	BaseURL string
	// Owner is the owner's name.
	Owner string
	// Package is the package; nil asks how to publish and set up the type.
	Package *ent.Pkg
	// Version is the version, or nil for the latest.
	Version *ent.PackageVersion
	// Files are the version's files, as far as the type's instructions name
	// them.
	Files []*ent.PackageFile
	// Tags name the version.
	Tags []string
	// Private tells that reading needs a token.
	Private bool
}

// Instructions tell how one client does one thing.
type Instructions struct {
	// Title is what the steps achieve: "Install", "Set up", "Publish".
	Title string
	// Client is the program: "npm", "docker".
	Client string
	Steps  []Step
}

// StepKind tells what a step's body is.
type StepKind string

// The kinds of step.
const (
	Shell    StepKind = "SHELL"
	FileStep StepKind = "FILE"
	Text     StepKind = "TEXT"
)

// Step is one thing to do.
type Step struct {
	Kind StepKind
	// Language is the body's, for highlighting: "sh", "ini", "yaml".
	Language string
	// Path is the file to edit, when Kind is FileStep.
	Path string
	Body string
	// SecretPlaceholder is the word in Body that stands for a token.
	SecretPlaceholder string
}

// Fact is a line of the panel of a version's page, or, with Rows, a block.
type Fact struct {
	// Name identifies the fact for programs: "platforms".
	Name string
	// Title is its heading.
	Title string
	// Value is the fact itself, when it is one line.
	Value string
	// Columns and Rows hold a table, when it is one.
	Columns []string
	Rows    [][]string
}

// Type returns the package type of that name.
func (r *Registry) Type(name string) (Type, bool) {
	t, ok := r.types[name]
	return t, ok
}

// Types returns all package types in the order in which they were listed.
func (r *Registry) Types() []Type {
	types := make([]Type, len(r.typeOrder))
	for i, name := range r.typeOrder {
		types[i] = r.types[name]
	}
	return types
}

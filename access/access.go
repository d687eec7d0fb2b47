// Package access decides what a viewer may do. It holds pure functions over
// plain values: no database, no HTTP, no import of the rest of the house, so
// that every rule can be read and tested by itself.
//
// Decide is the one gate. It answers with the name of the rule that decided,
// so that a refusal can be explained; Can is its short form.
package access

import "slices"

// Kind tells what a viewer is.
type Kind int

// The kinds of viewer. Anonymous is the absence of an identity, never an
// account of its own.
const (
	Anonymous Kind = iota
	User
	System
)

// Viewer is who asks. The zero value is the anonymous viewer.
type Viewer struct {
	Kind Kind
	// UserID and Login name the account; zero and empty unless Kind is User.
	UserID int64
	Login  string
	// SiteAdmin tells that the account administers the whole site.
	SiteAdmin bool
	// CredentialID is the id of the token that was presented, or 0 for a
	// password or a browser session.
	CredentialID int64
	// Agent says, of the server's own work, what part of it: "cleanup: nightly".
	Agent string
	// Scopes narrows the viewer to what its token may do; nil narrows nothing.
	Scopes []Scope
}

// SystemViewer is the viewer of the server's own work. It may do everything.
func SystemViewer() Viewer { return Viewer{Kind: System} }

// SignedIn tells whether the viewer has proved to be somebody.
func (v Viewer) SignedIn() bool { return v.Kind != Anonymous }

// Has tells whether the viewer's credential carries the scope.
func (v Viewer) Has(s Scope) bool { return v.Scopes == nil || slices.Contains(v.Scopes, s) }

// Scope is a right that a token carries.
type Scope string

// The scopes. A token without AdminOwner cannot change members or
// visibility, whatever its user's role; one without AdminSite cannot
// administer the site.
const (
	ReadPackage   Scope = "read:package"
	WritePackage  Scope = "write:package"
	DeletePackage Scope = "delete:package"
	AdminOwner    Scope = "admin:owner"
	AdminSite     Scope = "admin:site"
)

// Scopes lists every scope there is, in the order of growing power.
func Scopes() []Scope {
	return []Scope{ReadPackage, WritePackage, DeletePackage, AdminOwner, AdminSite}
}

// ParseScopes turns scope names into scopes. unknown is the first name that
// is no scope, or empty.
func ParseScopes(names []string) (scopes []Scope, unknown string) {
	scopes = []Scope{}
	for _, n := range names {
		s := Scope(n)
		if !slices.Contains(Scopes(), s) {
			return nil, n
		}
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	return scopes, ""
}

// Role is what a user is to an owner.
type Role int

// The roles, each holding the rights of those before it.
const (
	NoRole Role = iota
	Reader
	Writer
	Admin
)

// Visibility says who may read.
type Visibility string

// The visibilities. Inherit belongs to packages alone: the owner's counts.
const (
	Inherit Visibility = "INHERIT"
	Public  Visibility = "PUBLIC"
	Limited Visibility = "LIMITED"
	Private Visibility = "PRIVATE"
)

var width = map[Visibility]int{Private: 0, Limited: 1, Public: 2, Inherit: 2}

// Narrower returns the visibility under which fewer may read. Anything
// unknown counts as private.
func Narrower(a, b Visibility) Visibility {
	if width[a] < width[b] {
		return a
	}
	return b
}

// Action is what a viewer wants to do.
type Action int

// The actions.
const (
	// Read covers seeing that a thing exists, metadata, indexes, downloads.
	Read Action = iota
	// Write covers publishing, moving tags, deprecating, yanking.
	Write
	// Delete covers deleting files, versions and packages.
	Delete
	// Manage covers a package's settings: its visibility and links.
	Manage
	// Administer covers an owner's members, visibility and settings.
	Administer
)

var actions = []struct {
	name  string
	role  Role
	scope Scope
}{
	Read:       {"read", Reader, ReadPackage},
	Write:      {"write", Writer, WritePackage},
	Delete:     {"delete", Writer, DeletePackage},
	Manage:     {"manage", Writer, WritePackage},
	Administer: {"administer", Admin, AdminOwner},
}

// String is the action's name in messages.
func (a Action) String() string { return actions[a].name }

// Scope is the token scope the action needs.
func (a Action) Scope() Scope { return actions[a].scope }

// Target is what an action is aimed at: an owner, or a package of it.
type Target struct {
	// OwnerVisibility is the owner's.
	OwnerVisibility Visibility
	// PackageVisibility is the package's own; empty when the target is the
	// owner itself or a package that does not exist yet.
	PackageVisibility Visibility
	// Role is the viewer's role on the owner.
	Role Role
}

func (t Target) visibility() Visibility {
	if t.PackageVisibility == "" || t.PackageVisibility == Inherit {
		return t.OwnerVisibility
	}
	return Narrower(t.OwnerVisibility, t.PackageVisibility)
}

// Decision is an answer and the rule that gave it.
type Decision struct {
	Allowed bool
	// Known tells that the viewer may know the target exists: a refusal may
	// then say "forbidden" rather than "not found".
	Known bool
	// Rule is the deciding rule's name, one of the Rule constants.
	Rule string
}

// The rules, in the order in which they are tried.
const (
	RuleSystem      = "system"
	RuleTokenScope  = "token-scope"
	RuleSiteAdmin   = "site-administrator"
	RuleRole        = "role"
	RulePublic      = "public"
	RuleLimited     = "limited-to-signed-in"
	RuleNotVisible  = "not-visible"
	RuleMissingRole = "missing-role"
	RuleNotSignedIn = "not-signed-in"
)

// Decide is the one gate: may this viewer do this to that, and why.
func Decide(v Viewer, a Action, t Target) Decision {
	if v.Kind == System {
		return Decision{true, true, RuleSystem}
	}
	known, rule := visible(v, t)
	need := actions[a]
	if !v.Has(need.scope) {
		// A token that may not read must not even learn what exists.
		return Decision{false, known && v.Has(ReadPackage), RuleTokenScope}
	}
	if !known {
		return Decision{false, false, RuleNotVisible}
	}
	if a == Read {
		return Decision{true, true, rule}
	}
	switch {
	case v.Kind == Anonymous:
		return Decision{false, true, RuleNotSignedIn}
	case v.SiteAdmin:
		return Decision{true, true, RuleSiteAdmin}
	case t.Role >= need.role:
		return Decision{true, true, RuleRole}
	}
	return Decision{false, true, RuleMissingRole}
}

// Can is Decide without the reason.
func Can(v Viewer, a Action, t Target) bool { return Decide(v, a, t).Allowed }

// visible tells whether the viewer's account, its token aside, may read the
// target, and by which rule.
func visible(v Viewer, t Target) (bool, string) {
	switch vis := t.visibility(); {
	case v.SiteAdmin:
		return true, RuleSiteAdmin
	case t.Role >= Reader:
		return true, RuleRole
	case vis == Public:
		return true, RulePublic
	case vis == Limited && v.SignedIn():
		return true, RuleLimited
	}
	return false, RuleNotVisible
}

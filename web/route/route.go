// Package route is the one place that knows the paths of the web UI: it builds them and reads them back.
//
// A path is named by a [Target], and two rules hold for every valid one: Parse(t.Path()) gives t back, and two
// spellings of the same page (needless escapes, a trailing slash, the addresses Gitea and Forgejo use for packages)
// parse to the same Target, so that a handler can redirect to the canonical spelling by comparing strings.
//
// Package names are the reason this needs care. They hold slashes, "@", ":" and "%", and a name may contain the very
// words our own paths use ("versions", "settings"). The path is therefore split while still escaped and every segment
// is unescaped exactly once; net/http patterns are not used for it because they cannot tell "/" from "%2F".
//
// The package imports nothing of the project.
package route

import (
	"net/url"
	"strings"
)

// Page says which page a Target is.
type Page int

// The pages, each with the form of its path.
const (
	NotFound        Page = iota // no page has this path
	Home                        // /
	Search                      // /search
	SignIn                      // /sign-in
	SignOut                     // /sign-out
	Setup                       // /setup/{token}
	NewOrganization             // /orgs/new
	Settings                    // /settings/{section}
	Owner                       // /{owner} and, with a type as filter, /{owner}/{type}
	OwnerSettings               // /{owner}/settings/{section}
	Upload                      // /{owner}/upload
	Package                     // /{owner}/{type}/{name}
	Version                     // /{owner}/{type}/{name}/v/{version}
	DeleteVersion               // /{owner}/{type}/{name}/v/{version}/delete
	YankVersion                 // /{owner}/{type}/{name}/v/{version}/yank
	CopyVersion                 // /{owner}/{type}/{name}/v/{version}/copy
	Versions                    // /{owner}/{type}/{name}/versions
	PackageSettings             // /{owner}/{type}/{name}/settings
)

// Sections of the settings pages.
const (
	Profile    = "profile"
	Tokens     = "tokens"
	Appearance = "appearance"
	General    = "general"
	Members    = "members"
	Cleanup    = "cleanup"
)

var (
	settingsSections      = []string{Profile, Tokens, Appearance}
	ownerSettingsSections = []string{General, Members, Cleanup}
)

// Target is a page with everything its path says. Fields that the page's path has no place for are empty.
type Target struct {
	Page    Page
	Owner   string
	Type    string // package type, as "npm"
	Name    string // package name, unescaped: "@scope/name"
	Version string // unescaped; a container's may be a digest
	Section string // settings section
	Token   string // one-time token of the set-up page
}

// OfOwner is the page that lists an owner's packages.
func OfOwner(owner string) Target { return Target{Page: Owner, Owner: owner} }

// OfType is the page that lists an owner's packages of one type.
func OfType(owner, typ string) Target { return Target{Page: Owner, Owner: owner, Type: typ} }

// OfPackage is the page of a package, which shows its latest version.
func OfPackage(owner, typ, name string) Target {
	return Target{Page: Package, Owner: owner, Type: typ, Name: name}
}

// OfVersion is the page of one version of a package.
func OfVersion(owner, typ, name, version string) Target {
	return Target{Page: Version, Owner: owner, Type: typ, Name: name, Version: version}
}

// OfSettings is a section of the signed-in user's settings.
func OfSettings(section string) Target { return Target{Page: Settings, Section: section} }

// OfOwnerSettings is a section of an owner's settings.
func OfOwnerSettings(owner, section string) Target {
	return Target{Page: OwnerSettings, Owner: owner, Section: section}
}

// As gives the same package (and version) on another page: OfPackage(...).As(Versions).
func (t Target) As(page Page) Target {
	t.Page = page
	if page != Version && page != DeleteVersion && page != YankVersion && page != CopyVersion {
		t.Version = ""
	}
	return t
}

// Reserved reports whether an owner of this name could not have a page, because the first segment of the path has
// another meaning. Comparison ignores case, as owner names do.
func Reserved(name string) bool {
	switch strings.ToLower(name) {
	case "search", "sign-in", "sign-out", "setup", "orgs", "settings", "static", "-",
		"admin", "api", "v2", "graphql", "graphiql", "docs", "metrics", "healthz", "readyz", "favicon.ico",
		"robots.txt", ".well-known":
		return true
	}
	return false
}

// escape escapes one segment. It leaves "@" and ":" alone, which are common in names and legal in a path.
func escape(segment string) string { return url.PathEscape(segment) }

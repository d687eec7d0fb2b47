package swift

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

const (
	maxScope   = 39
	maxName    = 100
	maxVersion = 128
)

var (
	scopePattern = regexp.MustCompile(`^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$`)
	namePattern  = regexp.MustCompile(`^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$`)
)

// identifier is a package's scope and name (section 3.6.1 of the
// specification).
type identifier struct{ scope, name string }

// parseIdentifier reads the parts of a path. Error: Invalid, naming the part.
func parseIdentifier(scope, name string) (identifier, error) {
	if len(scope) > maxScope || !scopePattern.MatchString(scope) {
		return identifier{}, registry.FieldErrorf("scope", "invalid scope %.100q: use 1 to %d letters, digits and single hyphens between them", scope, maxScope)
	}
	if len(name) > maxName || !namePattern.MatchString(name) {
		return identifier{}, registry.FieldErrorf("name", "invalid name %.200q: use 1 to %d letters and digits with single - or _ between them", name, maxName)
	}
	return identifier{scope, name}, nil
}

// split is the identifier of a package's name in the registry.
func split(packageName string) identifier {
	scope, name, _ := strings.Cut(packageName, ".")
	return identifier{scope, name}
}

func (id identifier) String() string { return id.scope + "." + id.name }

// fold is the name by which packages are told apart.
func fold(name string) string { return strings.ToLower(name) }

// parseVersion reads a version. Error: Invalid.
func parseVersion(text string) (*semver.Version, error) {
	v, err := semver.StrictNewVersion(text)
	if err != nil || len(text) > maxVersion {
		return nil, registry.FieldErrorf("version", "invalid version %.200q: use Semantic Versioning 2, such as 1.0.0 or 1.0.0-beta.1, without v and with at most %d bytes", text, maxVersion)
	}
	return v, nil
}

// findPackage returns the package that the path names, if the viewer may do the
// action to it. Errors: Invalid for a name that none can have, NotFound.
func findPackage(r *protocols.Request, name string, action access.Action) (*ent.Pkg, error) {
	id, err := parseIdentifier(r.Params["scope"], name)
	if err != nil {
		return nil, err
	}
	p, err := r.Space.Package(r.Context(), fold(id.String()), action)
	if registry.CodeOf(err) == registry.NotFound {
		return nil, registry.Errorf(registry.NotFound, "there is no package %s here", id)
	}
	return p, err
}

// findRelease returns the package and the source archive of a release, if the
// viewer may read it. A release that was removed is Gone.
func findRelease(r *protocols.Request, version string) (*ent.Pkg, *ent.PackageFile, error) {
	p, err := findPackage(r, r.Params["name"], access.Read)
	if err != nil {
		return nil, nil, err
	}
	if _, err := parseVersion(version); err != nil {
		return nil, nil, err
	}
	f, err := r.Space.File(r.Context(), p, version, archiveKey, "")
	if registry.CodeOf(err) != registry.NotFound {
		return p, f, err
	}
	buried, err := r.Space.Buried(r.Context(), p.NormalizedName, version)
	if err != nil {
		return nil, nil, err
	}
	if buried {
		return nil, nil, &protocols.StatusError{Status: http.StatusGone, Err: registry.Errorf(registry.NotFound, removed, p.Name, version)}
	}
	return nil, nil, registry.Errorf(registry.NotFound, "%s has no release %s", p.Name, version)
}

// removed tells of a release that is gone.
const removed = "%s %s was removed"

// packageURL is the URL of a package, releaseURL that of a release.
func packageURL(root string, id identifier) string {
	return root + protocols.JoinPath(id.scope, id.name)
}

func releaseURL(root string, id identifier, version string) string {
	return packageURL(root, id) + protocols.JoinPath(version)
}

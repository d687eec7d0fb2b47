package golang

import (
	"net/http"

	"github.com/Masterminds/semver/v3"
	"golang.org/x/mod/module"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// maxPath bounds module paths and versions, in bytes.
const maxPath = 1000

// modulePath is the module that the request's path names. In URLs an
// upper-case letter is "!" and the lower-case one, because some file systems
// cannot tell the two apart; the letter itself does not stand for it.
// https://go.dev/ref/mod#goproxy-protocol
func modulePath(r *protocols.Request) (string, error) {
	escaped := r.Params["module"]
	path, err := module.UnescapePath(escaped)
	if err != nil || len(path) > maxPath {
		return "", registry.Errorf(registry.NotFound, "not found: %.200q is no escaped module path; the case of letters counts, and A is written !a", escaped)
	}
	return path, nil
}

// findModule returns the module that the request's path names, if the viewer
// may do the action to it. To readers a hidden one is one that is not there,
// also to anonymous ones: the go command goes on to its next proxy after a
// 404, and stops at a 401.
func findModule(r *protocols.Request, action access.Action) (*ent.Pkg, error) {
	path, err := modulePath(r)
	if err != nil {
		return nil, err
	}
	p, err := r.Space.Package(r.Context(), path, action)
	switch code := registry.CodeOf(err); {
	case code == registry.NotFound, code == registry.Unauthenticated && action == access.Read:
		return nil, registry.Errorf(registry.NotFound, "not found: %s", path)
	}
	return p, err
}

// noVersion is the error for a version that is not there: gone, if it was.
func noVersion(r *protocols.Request, path, version string) error {
	buried, err := r.Space.Buried(r.Context(), path, version)
	if err != nil {
		return err
	}
	missing := registry.Errorf(registry.NotFound, "not found: %s@%s", path, version)
	if buried {
		missing.Message += ": the version was deleted"
		return &protocols.StatusError{Status: http.StatusGone, Err: missing}
	}
	return missing
}

// isCanonical tells whether a version is written as the go command writes it.
func isCanonical(version string) bool {
	return len(version) <= maxPath && module.CanonicalVersion(version) == version && version != ""
}

// sortKey orders versions as golang.org/x/mod/semver does.
func sortKey(version string) (string, error) {
	v, err := semver.StrictNewVersion(version[1:])
	if err != nil {
		return "", registry.FieldErrorf("version", "%.200q is no version: %v", version, err)
	}
	return registry.SemVerKey(v), nil
}

package pub

import (
	"regexp"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

const maxName = 64

var namePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reserved are the words of Dart that cannot be a library's name.
var reserved = func() map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsSeq(`abstract as assert await break case catch class const continue covariant
		default deferred do else enum export extends external false final finally for hide if implements import in
		inline interface is late library mixin new null of on operator part required rethrow return sealed set
		super switch this throw true try type var void while with yield`) {
		words[word] = true
	}
	return words
}()

// validName tells whether a package can have the name: an identifier of Dart,
// of at most 64 bytes.
func validName(name string) bool {
	return len(name) <= maxName && namePattern.MatchString(name) && !reserved[strings.ToLower(name)]
}

// fold is the name by which packages are told apart.
func fold(name string) string { return strings.ToLower(name) }

// findPackage returns the package that the path names, if the viewer may do the
// action to it. It has one spelling: the client refuses a listing of another
// name than it asked for.
func findPackage(r *protocols.Request, action access.Action) (*ent.Pkg, error) {
	name := r.Params["package"]
	if !validName(name) {
		return nil, notFound("package")
	}
	p, err := r.Space.Package(r.Context(), fold(name), action)
	if err != nil && registry.CodeOf(err) != registry.NotFound {
		return nil, err
	}
	if err != nil || p.Name != name {
		return nil, notFound("package")
	}
	return p, nil
}

// fileName is the name of a version's archive.
func fileName(version string) string { return version + archiveSuffix }

const archiveSuffix = ".tar.gz"

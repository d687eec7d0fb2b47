package rpm

import (
	"strings"

	"entrepot/protocols"
	"entrepot/protocols/internal/rpmfile"
	"entrepot/registry"
)

// reserved are words of paths, which no segment of a group is.
var reserved = map[string]bool{"repodata": true, "package": true, "upload": true, "repository.key": true, "repository.json": true}

// groupOf reads the group in the path: "" is the root group. Error: Invalid.
func groupOf(p protocols.Params) (string, error) { return parseGroup(p["group"]) }

// parseGroup checks the name of a group, which has slashes in it as a path
// has.
func parseGroup(group string) (string, error) {
	isReserved := func(segment string) bool { return reserved[segment] || strings.HasSuffix(segment, repoEnding) }
	if group == "" || rpmfile.CheckGroup(group, isReserved) {
		return group, nil
	}
	return "", registry.FieldErrorf("group", "%.80q cannot be the name of a group: use words of letters, digits and ._- with slashes between them, at most %d bytes, and none of repodata, package, upload", group, rpmfile.MaxGroup)
}

// location is the path of a package below its group, as an index names it.
func location(i rpmfile.Identity) string {
	return "package/" + i.Name + "/" + i.VersionString() + "/" + i.Arch + "/" + i.FileName()
}

// below is the path of something in a group below the type's root.
func below(group, path string) string {
	if group == "" {
		return "/" + path
	}
	return "/" + group + "/" + path
}

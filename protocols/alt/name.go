package alt

import (
	"strings"

	"entrepot/protocols"
	"entrepot/protocols/internal/rpmfile"
	"entrepot/registry"
)

// The words of paths.
const (
	keyFile      = "repository.key"
	describeFile = "repository.json"
	vendorsFile  = "vendors.list"
	uploadWord   = "upload"
	repoEnding   = ".repo"
	// noGroup is what URLs call the group without a name.
	noGroup = "alt"
	// component is the only one there is: what stands behind the dot in the
	// names of lists and of the folders of packages.
	component    = "classic"
	indexFolder  = "base"
	binaryFolder = "RPMS." + component
	sourceFolder = "SRPMS." + component
	packEnding   = ".rpm"
)

// groupOf reads the group in the path of an upload, "" for none. Error:
// Invalid.
func groupOf(p protocols.Params) (string, error) {
	group := p["group"]
	if group == "" || isGroup(group) {
		return group, nil
	}
	return "", registry.FieldErrorf("group", "%.80q cannot be the name of a group: use words of letters, digits and ._- with slashes between them, at most %d bytes, none of them %s, none ending in %s, and not %s alone",
		group, rpmfile.MaxGroup, uploadWord, repoEnding, noGroup)
}

// isGroup tells whether a group may have that name. One that is called as the
// group without a name would have its URL.
func isGroup(name string) bool {
	isReserved := func(segment string) bool { return segment == uploadWord || strings.HasSuffix(segment, repoEnding) }
	return name != noGroup && rpmfile.CheckGroup(name, isReserved)
}

// repoOf is what URLs call a group.
func repoOf(group string) string {
	if group == "" {
		group = noGroup
	}
	return group + repoEnding
}

// repoGroup reads the group in the path of what is served. Error: NotFound.
func repoGroup(p protocols.Params) (string, error) {
	group, ok := strings.CutSuffix(p["repo"], repoEnding)
	switch {
	case ok && group == noGroup:
		return "", nil
	case ok && isGroup(group):
		return group, nil
	}
	return "", nowhere()
}

func nowhere() error { return registry.Errorf(registry.NotFound, "there is nothing at this path") }

// fileName is what a package is called in lists and paths. Clients ask for it
// without an epoch.
func fileName(i rpmfile.Identity) string {
	return rpmfile.FileName(i.Name, i.Version+"-"+i.Release, i.Arch)
}

// folderOf is the folder of packages of an architecture.
func folderOf(arch string) string {
	if arch == rpmfile.SourceArch {
		return sourceFolder
	}
	return binaryFolder
}

// location is the path of a package below the type's root, as clients make it.
func location(group, file string) string {
	arch := rpmfile.ArchOf(file)
	return repoOf(group) + "/" + arch + "/" + folderOf(arch) + "/" + file
}

// fileNamed is the property by which a package of a group is found. There is
// one at most: see unambiguous.
func fileNamed(group, file string) registry.Property {
	return registry.Property{Name: "alt.file", Value: repoOf(group) + "/" + file}
}

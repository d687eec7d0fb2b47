package npm

import (
	"net/http"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// download sends a tarball, or the provenance attestation beside it.
func download(w http.ResponseWriter, r *protocols.Request) error {
	found, err := findFile(r, access.Read)
	if err != nil {
		return err
	}
	opts := protocols.FileOptions{Redirect: http.StatusFound}
	if !found.file.Lead {
		opts.ContentType = found.file.MediaType
	}
	// Never Immutable: the number may be published again after an unpublish.
	return protocols.ServeFile(w, r, found.file, opts)
}

// located is a file and where it was found.
type located struct {
	pkg     *ent.Pkg
	version string // normalized
	file    *ent.PackageFile
}

// findFile finds the file that a path names.
func findFile(r *protocols.Request, action access.Action) (located, error) {
	notFound := registry.Errorf(registry.NotFound, "file not found")
	name, err := packageName(r)
	if err != nil {
		return located{}, err
	}
	p, err := r.Space.Package(r.Context(), name, action)
	if err != nil {
		return located{}, err
	}
	key, same, ok := fileOfPath(name, r.Params["folder"], r.Params["file"])
	if !ok {
		return located{}, notFound
	}
	f, err := r.Space.File(r.Context(), p, key.Version, key.Name, "")
	if err == nil && !same(f.Name) {
		err = notFound
	}
	return located{p, key.Version, f}, err
}

// fileInPath is the file that a path names.
func fileInPath(r *protocols.Request) (registry.FilePath, bool) {
	name, err := packageName(r)
	if err != nil {
		return registry.FilePath{}, false
	}
	key, _, ok := fileOfPath(name, r.Params["folder"], r.Params["file"])
	return key, ok
}

// fileOfPath reads what stands behind P/-/ in the path of a file, in any of
// the forms clients have: {file}, the file's name with the scope in front, as
// npm writes it into manifests, and {version}/{file} from lock files written
// against Gitea and Forgejo, which fold the file's name. same tells whether
// the file that is stored is the one that the path means.
func fileOfPath(name, folder, file string) (key registry.FilePath, same func(stored string) bool, ok bool) {
	if scope, bare, scoped := strings.Cut(file, "/"); scoped {
		folder, file = scope, bare
	}
	same = func(stored string) bool { return stored == file }
	version, ok := versionOfFile(name, file)
	switch {
	case strings.HasPrefix(folder, "@"):
		ok = ok && folder == name[:len(name)-len(baseName(name))-1]
	case folder != "":
		version, ok = folder, true
		same = func(stored string) bool { return strings.EqualFold(stored, file) }
	}
	if _, valid := parseVersion(version); !ok || !valid {
		return registry.FilePath{}, nil, false
	}
	key = registry.FilePath{Package: name, Version: identity(version), Name: fileKey(name, version)}
	if strings.HasSuffix(file, ".sigstore") {
		key.Name = provenanceName(name, key.Version)
	}
	return key, same, true
}

// versionOfFile takes the version out of a file's name.
func versionOfFile(name, file string) (version string, ok bool) {
	rest, ok := strings.CutPrefix(file, baseName(name)+"-")
	if version, isTarball := strings.CutSuffix(rest, ".tgz"); isTarball {
		return version, ok
	}
	version, isProvenance := strings.CutSuffix(rest, ".sigstore")
	return version, ok && isProvenance
}

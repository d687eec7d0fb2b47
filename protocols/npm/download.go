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

// findFile finds the file a path names, in any of the forms clients have:
// P/-/{file}, the file's name with the scope in front, as npm writes it into
// manifests, and P/-/{version}/{file} from lock files written against Gitea
// and Forgejo, which fold the file's name.
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
	folder, file := r.Params["folder"], r.Params["file"]
	if scope, bare, scoped := strings.Cut(file, "/"); scoped {
		folder, file = scope, bare
	}
	same := func(stored string) bool { return stored == file }
	version, ok := versionOfFile(name, file)
	switch {
	case strings.HasPrefix(folder, "@"):
		if folder != name[:len(name)-len(baseName(name))-1] {
			return located{}, notFound
		}
	case folder != "":
		version, ok = folder, true
		same = func(stored string) bool { return strings.EqualFold(stored, file) }
	}
	if _, valid := parseVersion(version); !ok || !valid {
		return located{}, notFound
	}
	key := fileKey(name, version)
	if strings.HasSuffix(file, ".sigstore") {
		key = provenanceName(name, identity(version))
	}
	f, err := r.Space.File(r.Context(), p, identity(version), key, "")
	if err == nil && !same(f.Name) {
		err = notFound
	}
	return located{p, identity(version), f}, err
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

package swift

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/Masterminds/semver/v3"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

const (
	zipSuffix  = ".zip"
	jsonSuffix = ".json"
	// archiveKey is the normalized name of every source archive.
	archiveKey = "source-archive"
	// repositoryProperty is a property of a package with the key of a
	// repository it comes from.
	repositoryProperty = "swift.repository"
)

// publish creates a release (section 4.6 of the specification). It is there
// when the answer comes, also for clients that would wait.
func (o Options) publish(w http.ResponseWriter, r *protocols.Request) error {
	id, err := parseIdentifier(r.Params["scope"], r.Params["name"])
	if err != nil {
		return err
	}
	version, err := parseVersion(r.Params["version"])
	if err != nil {
		return err
	}
	if text := version.Original(); strings.HasSuffix(text, zipSuffix) || strings.HasSuffix(text, jsonSuffix) {
		return registry.FieldErrorf("version", "a version cannot end in %s or %s: at its URL that means something else", zipSuffix, jsonSuffix)
	}
	format := r.Header.Get("X-Swift-Package-Signature-Format")
	if format != "" && format != signatureFormat {
		return registry.Errorf(registry.Invalid, "the signature format %.100q is not known here; use %s", format, signatureFormat)
	}
	if err := checkNew(r, id, version); err != nil {
		return err
	}
	f, err := readForm(r)
	if err != nil {
		return err
	}
	p, err := o.publication(r, id, version, f, format)
	if err != nil {
		r.Registry.Discard(r.Context(), f.archive)
		return err
	}
	done, err := r.Space.Publish(r.Context(), p)
	if err != nil {
		return err
	}
	w.Header().Set("Location", releaseURL(r.Root(), split(done.Package.Name), done.Version.Version))
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}

// checkNew refuses, before the archive is sent, a release that is there already
// and packages that the viewer may not write to.
func checkNew(r *protocols.Request, id identifier, version *semver.Version) error {
	p, err := r.Space.AnyPackage(r.Context(), fold(id.String()))
	if err != nil || p == nil {
		return err
	}
	if !r.Space.Can(access.Write, p) {
		_, err := r.Space.Package(r.Context(), p.NormalizedName, access.Write)
		return err
	}
	_, err = r.Space.File(r.Context(), p, version.Original(), archiveKey, "")
	switch {
	case err == nil:
		return registry.Errorf(registry.Conflict, duplicate, p.Name, version.Original())
	case registry.CodeOf(err) == registry.NotFound:
		return nil
	}
	return err
}

const duplicate = "%s %s is already published"

// publication is the release as the registry takes it.
func (o Options) publication(r *protocols.Request, id identifier, v *semver.Version, f *form, format string) (registry.Publication, error) {
	var p registry.Publication
	metadata, facts, err := parseMetadata(f.metadata)
	if err != nil {
		return p, err
	}
	kept := kept{Metadata: metadata}
	if f.signature != nil || f.metadataSignature != nil {
		if format == "" {
			return p, registry.Errorf(registry.Invalid, "a signature needs the header X-Swift-Package-Signature-Format: %s", signatureFormat)
		}
		if kept.Signer, err = checkSignatures(f); err != nil {
			return p, err
		}
	}
	if f.signature == nil && o.RequireSignature {
		return p, unprocessable("source-archive-signature", "this server takes signed releases alone")
	}
	rec := record{Signature: f.signature, MetadataSignature: f.metadataSignature, Repositories: metadata.RepositoryURLs}
	if rec.Metadata, err = json.Marshal(metadata); err != nil {
		return p, err
	}
	if rec.Manifests, err = inspectStored(r, f.archive); err != nil {
		return p, err
	}
	for _, m := range rec.Manifests {
		kept.Tools = append(kept.Tools, m.Tools)
	}
	fragment, err := json.Marshal(rec)
	if err != nil {
		return p, err
	}
	text := v.Original()
	p = registry.Publication{
		Name: id.String(), NormalizedName: fold(id.String()),
		Version: text, NormalizedVersion: text,
		SortKey: registry.SemVerKey(v), Prerelease: v.Prerelease() != "",
		Facts:     facts,
		Metadata:  kept,
		Policy:    registry.CreateVersion,
		Duplicate: "this release is already published",
		Files: []registry.File{{
			Name: archiveName(id, text), NormalizedName: archiveKey, Lead: true,
			MediaType: archiveType, Content: f.archive, Fragment: fragment,
		}},
	}
	for _, raw := range metadata.RepositoryURLs {
		p.PackageProperties = append(p.PackageProperties, registry.Property{Name: repositoryProperty, Value: repositoryKey(raw)})
	}
	return p, nil
}

// checkSignatures reads the signatures and tells who signed the archive, or,
// if nobody did, the metadata.
func checkSignatures(f *form) (signer string, err error) {
	if f.metadataSignature != nil {
		if signer, err = signerOf("metadata-signature", f.metadataSignature); err != nil {
			return "", err
		}
	}
	if f.signature != nil {
		return signerOf("source-archive-signature", f.signature)
	}
	return signer, nil
}

// inspectStored looks into an archive that is stored: the list of a zip
// archive's files stands at its end.
func inspectStored(r *protocols.Request, content *registry.Stored) ([]manifest, error) {
	archive, err := r.Registry.OpenStored(r.Context(), content)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	return inspect(archive, content.Size)
}

// asUnprocessable makes what is wrong with an archive an error about what was
// sent; errors of other kinds stay what they are.
func asUnprocessable(err error) error {
	if registry.CodeOf(err) == registry.Invalid {
		return badArchive("%v", err)
	}
	return err
}

// remove takes a release away. Its number stays taken.
func remove(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findPackage(r, r.Params["name"], access.Delete)
	if err != nil {
		return err
	}
	version := r.Params["version"]
	if _, err := parseVersion(version); err != nil {
		return err
	}
	err = r.Space.DeleteVersions(context.WithoutCancel(r.Context()), p, []string{version}, nil)
	if registry.CodeOf(err) == registry.NotFound {
		return registry.Errorf(registry.NotFound, "%s has no release %s", p.Name, version)
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

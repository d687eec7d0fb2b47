package npm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// write answers PUT on a package: with an attachment it publishes a version,
// without one it changes what is said of versions that are there.
//
// https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md does not
// describe it; the body is what `npm publish` and its kin send.
func write(w http.ResponseWriter, r *protocols.Request) error {
	name, err := packageName(r)
	if err != nil {
		return registry.FieldErrorf("name", "%.250q cannot be a package's name: use lower-case letters, digits and - . _", r.Params["package"])
	}
	b, err := readBody(r, receiveAttachment(r))
	if err == nil && b.tarball == nil && b.provenance == nil {
		return deprecate(w, r, name, b)
	}
	var p *registry.Publication
	if err == nil {
		p, err = publication(r, name, b)
	}
	if err != nil {
		r.Registry.Discard(r.Context(), b.contents()...)
		return err
	}
	// From here on the contents are the registry's.
	if _, err := r.Space.Publish(r.Context(), *p); err != nil {
		if registry.CodeOf(err) == registry.NotFound {
			return registry.FieldErrorf("dist-tags", "a dist-tag names a version that is not there: %v", err)
		}
		return err
	}
	protocols.WriteJSON(w, r.Request, http.StatusCreated, map[string]bool{"ok": true, "success": true})
	return nil
}

// publication checks what was received and makes of it what the registry
// takes. Error: Invalid, for whatever does not agree.
func publication(r *protocols.Request, name string, b *body) (*registry.Publication, error) {
	if err := b.checkPublish(name); err != nil {
		return nil, err
	}
	version, _ := parseVersion(b.manifestKey)
	m := b.manifest
	packed, err := agree(name, b)
	if err != nil {
		return nil, err
	}
	content := b.tarball.content
	dist := m.object("dist")
	if err := checkIntegrity(r, content, dist.text("integrity"), dist.text("shasum")); err != nil {
		return nil, err
	}
	tags, moved, err := publishTags(b.tags, version.Original())
	if err != nil {
		return nil, err
	}
	facts := liftFacts(m)
	if facts.Readme = b.readmeText(m); facts.Readme == "" {
		facts.Readme = b.tarball.facts.readme
		if m.text("readmeFilename") == "" && b.tarball.facts.readmeFile != "" {
			m.set("readmeFilename", jsonOf(b.tarball.facts.readmeFile))
		}
	}
	script := installs(m) || installs(packed)
	pub := &registry.Publication{
		Name: name, NormalizedName: name,
		Version: version.Original(), NormalizedVersion: identity(version.Original()),
		SortKey: registry.SemVerKey(version), Prerelease: version.Prerelease() != "",
		Facts:     facts,
		Status:    initialStatus(b.versions[b.manifestKey]),
		Metadata:  newMetadata(m, b, script),
		Tags:      tags,
		MoveTags:  moved,
		Policy:    registry.CreateVersion,
		Duplicate: fmt.Sprintf("You cannot publish over the previously published versions: %s.", version.Original()),
		Files: []registry.File{{
			Name: tarballName(name, version.Original()), NormalizedName: fileKey(name, version.Original()), Lead: true,
			MediaType: "application/gzip", Content: content,
			Fragment: render(m, published{
				name: name, version: version.Original(), publisher: r.Viewer.Login,
				tarball: tarballName(name, version.Original()),
				shasum:  content.Sums.SHA1, sha512: content.Sums.SHA512,
				facts: b.tarball.facts, installScript: script,
			}).encode(),
		}},
	}
	if b.provenance != nil {
		file := provenanceName(name, version.Original())
		pub.Files = append(pub.Files, registry.File{
			Name: file, NormalizedName: provenanceName(name, identity(version.Original())),
			MediaType: "application/json", Content: b.provenance.content,
		})
	}
	return pub, nil
}

// checkPublish checks what can be told without looking into the manifest.
func (b *body) checkPublish(name string) error {
	for field, value := range map[string]*string{"_id": b.id, "name": b.name} {
		if value != nil && *value != name {
			return registry.FieldErrorf(field, "the body's %s is %.250q, but the path says %q", field, *value, name)
		}
	}
	if len(b.versions) != 1 {
		return registry.FieldErrorf("versions", "a publish has one version, this one has %d", len(b.versions))
	}
	if _, ok := parseVersion(b.manifestKey); !ok {
		return registry.FieldErrorf("versions", "%.300q is no version: it takes three numbers and nothing in front, as Semantic Versioning has it", b.manifestKey)
	}
	if b.tarball == nil || b.tarball.content == nil {
		return registry.FieldErrorf("_attachments", "there is no tarball attached")
	}
	if b.provenance != nil && b.provenance.content == nil {
		return registry.FieldErrorf("_attachments", "the attachment %q has no data", b.provenance.name)
	}
	if n := b.tarball.length; n >= 0 && n != b.tarball.content.Size {
		return registry.FieldErrorf("_attachments", "the attachment's length is said to be %d bytes and is %d", n, b.tarball.content.Size)
	}
	return nil
}

// agree holds the manifest against the path and against the package.json in
// the tarball, which it returns: clients resolve dependencies by the one and
// run the other, so they must speak of the same thing.
func agree(name string, b *body) (manifest, error) {
	m, version := b.manifest, b.manifestKey
	if got := m.text("name"); got != name {
		return nil, registry.FieldErrorf("versions", "the manifest's name is %.250q, but the path says %q", got, name)
	}
	if got := m.text("version"); got != version {
		return nil, registry.FieldErrorf("versions", "the manifest's version is %.300q, but it stands under %q", got, version)
	}
	packed, err := parseManifest(b.tarball.facts.manifest)
	if err != nil {
		return nil, badTarball("its package.json is not an object")
	}
	if got := strings.TrimSpace(packed.text("name")); got != name {
		return nil, badTarball("its package.json has the name %.250q, the manifest %q", got, name)
	}
	// Clients tidy the version up for the manifest and leave the file be.
	if got := strings.TrimLeft(strings.TrimSpace(packed.text("version")), "=v \t"); identity(got) != identity(version) {
		return nil, badTarball("its package.json has the version %.300q, the manifest %q", got, version)
	}
	return packed, nil
}

// publishTags sorts the body's dist-tags into those for the new version and
// those for others.
func publishTags(tags map[string]string, version string) (own []string, moved map[string]string, err error) {
	moved = map[string]string{}
	for tag, target := range tags {
		if err := checkTag(tag); err != nil {
			return nil, nil, err
		}
		switch {
		case identity(target) == identity(version):
			own = append(own, tag)
		default:
			if _, ok := parseVersion(target); !ok {
				return nil, nil, registry.FieldErrorf("dist-tags", "the dist-tag %q names %.300q, which is no version", tag, target)
			}
			moved[tag] = identity(target)
		}
	}
	return own, moved, nil
}

// readmeText is the readme the publisher sent along, if any.
func (b *body) readmeText(m manifest) string {
	for _, text := range []string{b.readme, m.text("readme")} {
		// What npm says in place of a readme.
		if text != "" && text != "ERROR: No README data found!" {
			return protocols.CutText(text, maxReadmeText)
		}
	}
	return ""
}

// installs tells whether an install of the package runs scripts of its own.
func installs(m manifest) bool {
	scripts := m.object("scripts")
	for _, script := range []string{"preinstall", "install", "postinstall"} {
		if value := scripts.get(script); value != nil && !bytes.Equal(value, []byte(`""`)) {
			return true
		}
	}
	return false
}

// initialStatus is the status of a version whose manifest is deprecated from
// the start.
func initialStatus(change versionChange) registry.Status {
	if change.deprecated == nil || change.reason() == "" {
		return registry.Status{}
	}
	return registry.Status{Deprecated: true, Reason: change.reason()}
}

// metadata is what is kept of a version beside the facts all types share.
type metadata struct {
	FileCount     int               `json:"fileCount"`
	UnpackedSize  int64             `json:"unpackedSize"`
	Module        string            `json:"module,omitempty"`
	Commands      []string          `json:"commands,omitempty"`
	Engines       map[string]string `json:"engines,omitempty"`
	OS            []string          `json:"os,omitempty"`
	CPU           []string          `json:"cpu,omitempty"`
	Libc          []string          `json:"libc,omitempty"`
	Bugs          string            `json:"bugs,omitempty"`
	InstallScript bool              `json:"installScript,omitempty"`
	Types         bool              `json:"types,omitempty"`
	Provenance    bool              `json:"provenance,omitempty"`
}

func newMetadata(m manifest, b *body, installScript bool) metadata {
	md := metadata{
		FileCount: b.tarball.facts.files, UnpackedSize: b.tarball.facts.unpackedSize,
		Module: m.text("type"), OS: m.texts("os"), CPU: m.texts("cpu"), Libc: m.texts("libc"),
		Bugs:          protocols.WebURL(orElse(m.text("bugs"), m.object("bugs").text("url"))),
		InstallScript: installScript,
		Types:         m.text("types") != "" || m.text("typings") != "",
		Provenance:    b.provenance != nil,
	}
	if m.text("bin") != "" {
		md.Commands = []string{baseName(m.text("name"))}
	}
	for _, command := range m.object("bin") {
		md.Commands = append(md.Commands, protocols.CleanText(command.key))
	}
	for _, engine := range m.object("engines") {
		var requirement string
		if json.Unmarshal(engine.value, &requirement) == nil {
			if md.Engines == nil {
				md.Engines = map[string]string{}
			}
			md.Engines[protocols.CleanText(engine.key)] = protocols.CleanText(requirement)
		}
	}
	return md
}

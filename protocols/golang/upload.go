package golang

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"entrepot/protocols"
	"entrepot/registry"
)

// upload takes a module zip, as golang.org/x/mod/zip makes it, and publishes
// the version that it holds.
func upload(w http.ResponseWriter, r *protocols.Request) error {
	f, size, err := spool(r)
	if err != nil {
		return err
	}
	defer discard(f)
	in, err := inspect(f, size)
	if err != nil {
		return err
	}
	at, err := moduleTime(r, in.Version.Version)
	if err != nil {
		return err
	}
	p, err := publication(in, at)
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	archive, err := r.Registry.Store(r.Context(), f, size, 0)
	if err != nil {
		return err
	}
	goMod, err := r.Registry.Store(r.Context(), bytes.NewReader(in.goMod), int64(len(in.goMod)), 0)
	if err != nil {
		r.Registry.Discard(r.Context(), archive)
		return err
	}
	p.Files[0].Content, p.Files[1].Content = archive, goMod
	// From here on the contents are the registry's.
	if _, err := r.Space.Publish(r.Context(), *p); err != nil {
		return err
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

// moduleTime is the instant a version has for clients: the one a
// pseudo-version names, else the one the header X-Module-Time says, else now.
func moduleTime(r *protocols.Request, version string) (time.Time, error) {
	if module.IsPseudoVersion(version) {
		at, err := module.PseudoVersionTime(version)
		if err != nil {
			return at, badZip("%s", cut(err.Error()))
		}
		return at.UTC(), nil
	}
	if text := r.Header.Get("X-Module-Time"); text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return at, registry.FieldErrorf("X-Module-Time", "%.100q is no time in the form of RFC 3339", text)
		}
		return at.UTC().Truncate(time.Second), nil
	}
	return time.Now().UTC().Truncate(time.Second), nil
}

// fragment is what documents say of a version, kept with its zip.
type fragment struct {
	Time time.Time `json:"time"`
	// Retract are the versions that this one's go.mod takes back.
	Retract []retraction `json:"retract,omitempty"`
}

// retraction is a range of versions, both ends included, and why they should
// not be used.
type retraction struct {
	Low       string `json:"low"`
	High      string `json:"high"`
	Rationale string `json:"rationale,omitempty"`
}

// covers tells whether the version is one of those taken back.
func (t retraction) covers(version string) bool {
	return semver.Compare(t.Low, version) <= 0 && semver.Compare(version, t.High) <= 0
}

// requires is the property with the path of a module that the version needs
// directly.
const requires = "go.requires"

// publication is what the registry takes of a checked zip, but for the
// contents of the two files.
func publication(in *inspected, at time.Time) (*registry.Publication, error) {
	version := in.Version.Version
	key, err := sortKey(version)
	if err != nil {
		return nil, err
	}
	md := newMetadata(in)
	raw, err := json.Marshal(fragment{Time: at, Retract: md.Retract})
	if err != nil {
		return nil, err
	}
	p := &registry.Publication{
		Name: in.Path, NormalizedName: in.Path,
		Version: version, NormalizedVersion: version, SortKey: key, Prerelease: semver.Prerelease(version) != "",
		Facts: registry.Facts{
			Readme: in.readme, License: in.license,
		},
		Metadata:  md,
		Policy:    registry.CreateVersion,
		Duplicate: fmt.Sprintf("%s@%s is there already; go.sum files hold its checksum, so it cannot change", in.Path, version),
		Files: []registry.File{
			{Name: version + ".zip", NormalizedName: version + ".zip", Lead: true, MediaType: "application/zip", Fragment: raw},
			{Name: version + ".mod", NormalizedName: version + ".mod", MediaType: "text/plain; charset=utf-8"},
		},
	}
	if md.Deprecated != "" {
		p.Facts.Summary = "Deprecated: " + md.Deprecated
	}
	for _, need := range md.Require {
		group := "require"
		if need.Indirect {
			group = "indirect"
		}
		p.Facts.Dependencies = append(p.Facts.Dependencies, registry.Dependency{Group: group, Name: need.Path, Requirement: need.Version})
		if !need.Indirect {
			p.Properties = append(p.Properties, registry.Property{Name: requires, Value: need.Path})
		}
	}
	return p, nil
}

// metadata is what is kept of a version beside the facts all types share.
type metadata struct {
	Go         string        `json:"go,omitempty"`
	Toolchain  string        `json:"toolchain,omitempty"`
	Require    []requirement `json:"require,omitempty"`
	Exclude    []requirement `json:"exclude,omitempty"`
	Retract    []retraction  `json:"retract,omitempty"`
	Deprecated string        `json:"deprecated,omitempty"`
	Packages   []string      `json:"packages,omitempty"`
	Commands   []string      `json:"commands,omitempty"`
	ZipSum     string        `json:"zipSum"`
	ModSum     string        `json:"modSum"`
}

// requirement is a module at a version.
type requirement struct {
	Path     string `json:"path"`
	Version  string `json:"version"`
	Indirect bool   `json:"indirect,omitempty"`
}

// maxLines bounds how many lines of each kind are kept of a go.mod to be
// shown; the file itself has all.
const maxLines = 5000

func newMetadata(in *inspected) metadata {
	f := in.file
	md := metadata{Packages: in.packages, Commands: in.commands, ZipSum: in.zipSum, ModSum: in.modSum}
	if f.Go != nil {
		md.Go = f.Go.Version
	}
	if f.Toolchain != nil {
		md.Toolchain = f.Toolchain.Name
	}
	md.Deprecated = oneLine(f.Module.Deprecated)
	for _, line := range f.Require[:min(len(f.Require), maxLines)] {
		md.Require = append(md.Require, requirement{line.Mod.Path, line.Mod.Version, line.Indirect})
	}
	for _, line := range f.Exclude[:min(len(f.Exclude), maxLines)] {
		md.Exclude = append(md.Exclude, requirement{Path: line.Mod.Path, Version: line.Mod.Version})
	}
	for _, line := range f.Retract[:min(len(f.Retract), maxLines)] {
		md.Retract = append(md.Retract, retraction{line.Low, line.High, oneLine(line.Rationale)})
	}
	return md
}

func oneLine(text string) string {
	return strings.Join(strings.Fields(protocols.CleanText(text)), " ")
}

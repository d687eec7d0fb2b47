package maven

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"slices"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// documentType is the media type of documents.
const documentType = "text/xml"

// document is a maven-metadata.xml, read or written. Lists are pointers so
// that there is nothing at all of one that is missing.
type document struct {
	XMLName      xml.Name    `xml:"metadata"`
	ModelVersion string      `xml:"modelVersion,attr,omitempty"`
	GroupID      string      `xml:"groupId,omitempty"`
	ArtifactID   string      `xml:"artifactId,omitempty"`
	Version      string      `xml:"version,omitempty"`
	Versioning   *versioning `xml:"versioning"`
	Plugins      *[]plugin   `xml:"plugins>plugin"`
}

// versioning are the versions of an artifact, or the files of a snapshot.
type versioning struct {
	Snapshot         *snapshot          `xml:"snapshot"`
	Latest           string             `xml:"latest,omitempty"`
	Release          string             `xml:"release,omitempty"`
	Versions         *[]string          `xml:"versions>version"`
	LastUpdated      string             `xml:"lastUpdated,omitempty"`
	SnapshotVersions *[]snapshotVersion `xml:"snapshotVersions>snapshotVersion"`
}

// snapshot is the newest build.
type snapshot struct {
	Timestamp   string `xml:"timestamp"`
	BuildNumber int    `xml:"buildNumber"`
}

// snapshotVersion names the newest build that has a file with the classifier
// and the extension.
type snapshotVersion struct {
	Classifier string `xml:"classifier,omitempty"`
	Extension  string `xml:"extension"`
	Value      string `xml:"value"`
	Updated    string `xml:"updated"`
}

// plugin is the short name of a Maven plugin.
type plugin struct {
	Name       string `xml:"name"`
	Prefix     string `xml:"prefix"`
	ArtifactID string `xml:"artifactId"`
}

// timeLayout is the way of documents to write an instant, in UTC.
const timeLayout = "20060102150405"

// parseDocument reads a document that a client has sent. Error: Invalid.
func parseDocument(raw []byte) (*document, error) {
	var d document
	if err := decodeXML(raw, &d); err != nil {
		return nil, registry.FieldErrorf("metadata", "the body is not a %s: %v", documentName, err)
	}
	return &d, nil
}

func (d *document) writeTo(w io.Writer) error {
	body, err := xml.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, body)
	return err
}

// serveArtifactDocument answers with the list of an artifact's versions. When
// the same path is that of a group with Maven plugins, their short names are
// in the document as well, or are all of it.
func serveArtifactDocument(w http.ResponseWriter, r *protocols.Request, l location) error {
	plugins, err := pluginsOf(r, l.wholeGroup)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), l.name(), access.Read)
	if err != nil && len(plugins) > 0 {
		return servePlugins(w, r, plugins, l.algorithm)
	}
	if err != nil {
		return err
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%q", plugins)
	key := registry.DocumentKey{Package: p, Name: fmt.Sprintf("maven artifact %x", h.Sum64())}
	return serveDocument(w, r, key, l.algorithm, func(ctx context.Context, w io.Writer) error {
		versions, err := r.Space.VersionStates(ctx, p)
		if err != nil {
			return err
		}
		d := artifactVersions(l, versions, p.UpdatedAt)
		if len(plugins) > 0 {
			d.Plugins = &plugins
		}
		return d.writeTo(w)
	})
}

// artifactVersions lists versions in the order of their first files. The
// coordinates are those of the path: a POM may say others, or be missing.
func artifactVersions(l location, versions []registry.VersionFragment, updated time.Time) *document {
	v := &versioning{LastUpdated: updated.UTC().Format(timeLayout)}
	names := make([]string, 0, len(versions))
	for _, version := range versions {
		names = append(names, version.Version)
		v.Latest = version.Version
		if !isSnapshot(version.Version) {
			v.Release = version.Version
		}
	}
	v.Versions = &names
	return &document{GroupID: l.group, ArtifactID: l.artifact, Versioning: v}
}

// serveSnapshotDocument answers with the list of the newest files of a
// snapshot. Without any that belong to a build, what the client has sent is
// all there is to say.
func serveSnapshotDocument(w http.ResponseWriter, r *protocols.Request, l location) error {
	p, err := r.Space.Package(r.Context(), l.name(), access.Read)
	if err != nil {
		return err
	}
	key := registry.DocumentKey{Package: p, Name: "maven snapshot " + l.version}
	return serveDocument(w, r, key, l.algorithm, func(ctx context.Context, w io.Writer) error {
		files, err := r.Space.FileStates(ctx, p, l.version)
		if err != nil {
			return err
		}
		if d := snapshotFiles(l, files); d != nil {
			return d.writeTo(w)
		}
		return copyUploaded(ctx, w, r, p, l)
	})
}

// copyUploaded writes the document that a client has sent, or is NotFound.
func copyUploaded(ctx context.Context, w io.Writer, r *protocols.Request, p *ent.Pkg, l location) error {
	f, err := r.Space.File(ctx, p, l.version, documentName, "")
	if err != nil {
		return err
	}
	body, err := r.Registry.OpenBlob(ctx, f.Edges.Blob)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(w, body)
	return err
}

// snapshotFiles lists the newest build's file for each classifier and
// extension, or returns nil when no file belongs to a build. A build that
// lacks a file, because its upload was cut or is still going on, so leaves the
// one of the build before.
func snapshotFiles(l location, files []registry.FileState) *document {
	known := knownSuffixes(files)
	newest := map[[2]string]build{}
	var last build
	updated := ""
	for _, f := range files {
		b, ok := parseBuild(l.artifact, l.version, f.Name)
		if !ok {
			continue
		}
		classifier, extension := splitSuffix(b.suffix, known)
		if key := [2]string{classifier, extension}; newest[key] == (build{}) || b.newer(newest[key]) {
			newest[key] = b
		}
		if last == (build{}) || b.newer(last) {
			last = b
		}
		updated = max(updated, b.updated())
	}
	if len(newest) == 0 {
		return nil
	}
	list := make([]snapshotVersion, 0, len(newest))
	for key, b := range newest {
		list = append(list, snapshotVersion{key[0], key[1], b.value(l.version), b.updated()})
	}
	slices.SortFunc(list, func(a, b snapshotVersion) int {
		return cmp.Or(cmp.Compare(a.Classifier, b.Classifier), cmp.Compare(a.Extension, b.Extension))
	})
	v := &versioning{Snapshot: &snapshot{last.timestamp, last.number}, LastUpdated: updated, SnapshotVersions: &list}
	return &document{ModelVersion: "1.1.0", GroupID: l.group, ArtifactID: l.artifact, Version: l.version, Versioning: v}
}

// serveDocument answers with a document, or with a checksum of the very bytes
// that are the answer at this moment.
func serveDocument(w http.ResponseWriter, r *protocols.Request, key registry.DocumentKey, algorithm string, compose registry.Compose) error {
	if algorithm == "" {
		return protocols.ServeDocument(w, r, key, documentType, compose)
	}
	d, err := r.Registry.Document(r.Context(), key, compose)
	if err != nil {
		return err
	}
	body, err := d.Plain()
	if err != nil {
		return err
	}
	h := protocols.NewChecksum(algorithm)
	if _, err := io.Copy(h, body); err != nil {
		return err
	}
	protocols.ServeChecksum(w, r, hex.EncodeToString(h.Sum(nil)))
	return nil
}

// servePlugins answers with the document of a group that is no artifact. It is
// composed of several packages, so its entity tag is that of its bytes.
func servePlugins(w http.ResponseWriter, r *protocols.Request, plugins []plugin, algorithm string) error {
	var body bytes.Buffer
	if err := (&document{Plugins: &plugins}).writeTo(&body); err != nil {
		return err
	}
	h := protocols.NewChecksum(cmp.Or(algorithm, "sha1"))
	h.Write(body.Bytes())
	sum := hex.EncodeToString(h.Sum(nil))
	if algorithm != "" {
		protocols.ServeChecksum(w, r, sum)
		return nil
	}
	w.Header().Set("Content-Type", documentType)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", `"`+sum+`"`)
	http.ServeContent(w, r.Request, "", time.Time{}, bytes.NewReader(body.Bytes()))
	return nil
}

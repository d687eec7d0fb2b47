package swift

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/Masterminds/semver/v3"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// archiveType is the type of source archives, which the client checks.
const archiveType = "application/zip"

// showRelease tells of a release (section 4.2 of the specification), or, below
// the same path with .zip, sends its source archive.
func showRelease(w http.ResponseWriter, r *protocols.Request) error {
	version := r.Params["version"]
	if archived, ok := strings.CutSuffix(version, zipSuffix); ok {
		return download(w, r, archived)
	}
	p, f, err := findRelease(r, strings.TrimSuffix(version, jsonSuffix))
	if err != nil {
		return err
	}
	version = f.Edges.Version.NormalizedVersion
	root := r.Root()
	link, err := releaseLinks(r, p, version)
	if err != nil {
		return err
	}
	w.Header().Set("Link", link)
	key := registry.DocumentKey{Package: p, Name: fmt.Sprint("swift release ", version, " ", f.ID, " ", root)}
	return protocols.ServeDocument(w, r, key, "application/json", func(_ context.Context, w io.Writer) error {
		return writeRelease(w, p, f)
	})
}

// writeRelease writes the document of a release.
func writeRelease(w io.Writer, p *ent.Pkg, f *ent.PackageFile) error {
	rec, err := recordOf(f)
	if err != nil {
		return err
	}
	type signing struct {
		Signature []byte `json:"signatureBase64Encoded"`
		Format    string `json:"signatureFormat"`
	}
	type resource struct {
		Name     string   `json:"name"`
		Type     string   `json:"type"`
		Checksum string   `json:"checksum"`
		Signing  *signing `json:"signing,omitempty"`
	}
	archive := resource{Name: "source-archive", Type: archiveType, Checksum: f.Edges.Blob.Sha256}
	if rec.Signature != nil {
		archive.Signing = &signing{rec.Signature, signatureFormat}
	}
	return json.NewEncoder(w).Encode(struct {
		ID          string          `json:"id"`
		Version     string          `json:"version"`
		Resources   []resource      `json:"resources"`
		Metadata    json.RawMessage `json:"metadata"`
		PublishedAt string          `json:"publishedAt"`
	}{p.Name, f.Edges.Version.NormalizedVersion, []resource{archive}, rec.Metadata, f.CreatedAt.UTC().Format(timeFormat)})
}

// releaseLinks is the Link header of a release: the latest, and those next to
// this one.
func releaseLinks(r *protocols.Request, p *ent.Pkg, version string) (string, error) {
	root := r.Root()
	key := registry.DocumentKey{Package: p, Name: fmt.Sprint("swift release links ", version, " ", root)}
	d, err := r.Registry.Document(r.Context(), key, func(ctx context.Context, w io.Writer) error {
		v, err := semver.StrictNewVersion(version)
		if err != nil {
			return err
		}
		latest, err := r.Space.Latest(ctx, p)
		if err != nil {
			return err
		}
		before, after, err := r.Space.Neighbours(ctx, p, registry.SemVerKey(v))
		if err != nil {
			return err
		}
		id := split(p.Name)
		var l links
		l.add(releaseURL(root, id, latest.Version), "latest-version")
		if after != "" {
			l.add(releaseURL(root, id, after), "successor-version")
		}
		if before != "" {
			l.add(releaseURL(root, id, before), "predecessor-version")
		}
		_, err = io.WriteString(w, l.String())
		return err
	})
	if err != nil {
		return "", err
	}
	plain, err := d.Plain()
	if err != nil {
		return "", err
	}
	header, err := io.ReadAll(plain)
	return string(header), err
}

// download sends a source archive (section 4.4 of the specification). It is
// never sent from elsewhere: the client would take its credential there.
func download(w http.ResponseWriter, r *protocols.Request, version string) error {
	_, f, err := findRelease(r, version)
	if err != nil {
		return err
	}
	rec, err := recordOf(f)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Del("Content-Version")
	if sum, err := hex.DecodeString(f.Edges.Blob.Sha256); err == nil {
		h.Set("Digest", "sha-256="+base64.StdEncoding.EncodeToString(sum))
	}
	if rec.Signature != nil {
		h.Set("X-Swift-Package-Signature-Format", signatureFormat)
		h.Set("X-Swift-Package-Signature", base64.StdEncoding.EncodeToString(rec.Signature))
	}
	return protocols.ServeFile(w, r, f, protocols.FileOptions{ContentType: archiveType, Immutable: true})
}

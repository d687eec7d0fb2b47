package maven

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"entrepot/protocols"
	"entrepot/registry"
	"entrepot/storage"
)

// received is what is remembered of the documents that clients have sent for
// one snapshot. It is the fragment of the last one.
type received struct {
	// Sums are those of the last documents, newest first: deploys that run at
	// the same time each send a document and then its checksums, and must not
	// get the other's held against their own.
	Sums []storage.Sums `json:"sums"`
	// Extensions are those of the files, by what follows the version in their
	// names.
	Extensions map[string]string `json:"extensions,omitempty"`
}

const (
	// maxSums is how many deploys of one snapshot may run at once.
	maxSums = 64
	// maxExtensions bounds what is learned of file names.
	maxExtensions = 1000
)

func decodeReceived(fragment []byte) (received, error) {
	var rec received
	if len(fragment) == 0 {
		return rec, nil
	}
	if err := json.Unmarshal(fragment, &rec); err != nil {
		return rec, fmt.Errorf("decode what is known of documents: %w", err)
	}
	return rec, nil
}

// add notes one more document.
func (rec *received) add(d *document, sums storage.Sums) {
	rec.Sums = slices.DeleteFunc(rec.Sums, func(s storage.Sums) bool { return s.SHA256 == sums.SHA256 })
	rec.Sums = slices.Insert(rec.Sums, 0, sums)
	rec.Sums = rec.Sums[:min(len(rec.Sums), maxSums)]
	if d.Versioning == nil || d.Versioning.SnapshotVersions == nil {
		return
	}
	if rec.Extensions == nil {
		rec.Extensions = map[string]string{}
	}
	for _, v := range *d.Versioning.SnapshotVersions {
		suffix := "." + v.Extension
		if v.Classifier != "" {
			suffix = "-" + v.Classifier + suffix
		}
		if len(rec.Extensions) < maxExtensions && len(suffix) <= maxPart && v.Extension != "" {
			rec.Extensions[suffix] = v.Extension
		}
	}
}

// has tells whether one of the documents has the checksum.
func (rec *received) has(algorithm, sum string) bool {
	return slices.ContainsFunc(rec.Sums, func(s storage.Sums) bool {
		return sum == map[string]string{"md5": s.MD5, "sha1": s.SHA1, "sha256": s.SHA256, "sha512": s.SHA512}[algorithm]
	})
}

// knownSuffixes are the extensions that documents have told of the files.
func knownSuffixes(files []registry.FileState) map[string]string {
	for _, f := range files {
		if f.Name == documentName {
			// What cannot be read is as good as unknown: names are guessed then.
			rec, err := decodeReceived(f.Fragment)
			if err == nil {
				return rec.Extensions
			}
		}
	}
	return nil
}

// receiveSnapshotDocument keeps the document a client sends at the end of a
// deploy, for what it tells of the files and for its checksums, which follow.
func receiveSnapshotDocument(w http.ResponseWriter, r *protocols.Request, l location) error {
	if err := checkVersionPolicy(r.Space.Owner.Settings, l.version); err != nil {
		return err
	}
	raw, err := readXML(r.Body, r.ContentLength)
	if err != nil {
		return err
	}
	d, err := parseDocument(raw)
	if err != nil {
		return err
	}
	content, err := r.Registry.Store(r.Context(), bytes.NewReader(raw), int64(len(raw)), protocols.Checksums)
	if err != nil {
		return err
	}
	l.file = documentName
	pub := publication(l, registry.OverwriteAlways)
	pub.Files[0].Content = content
	pub.Check = func(ctx context.Context, h registry.Holdings) error {
		fragment, err := h.Fragment(ctx, l.version, documentName)
		if err != nil {
			return err
		}
		rec, err := decodeReceived(fragment)
		if err != nil {
			return err
		}
		rec.add(d, content.Sums)
		pub.Files[0].Fragment, err = json.Marshal(rec)
		return err
	}
	if _, err := r.Space.Publish(r.Context(), pub); err != nil {
		return err
	}
	return done(w, http.StatusCreated)
}

// compareSnapshotDocument holds an uploaded checksum against the documents
// that were sent, not against the one that is served.
func compareSnapshotDocument(w http.ResponseWriter, r *protocols.Request, l location) error {
	sum, err := protocols.ReadChecksum(r.Body, l.algorithm)
	if err != nil {
		return err
	}
	l.file = documentName
	f, err := find(r, l)
	if err != nil {
		return err
	}
	if f == nil {
		return registry.Errorf(registry.NotFound, "there is no %s to compare the checksum with", documentName)
	}
	rec, err := decodeReceived(f.Fragment)
	if err != nil {
		return err
	}
	if !rec.has(l.algorithm, sum) {
		return registry.Errorf(registry.Invalid, "the %s of the %s that was sent is not %s", l.algorithm, documentName, sum)
	}
	return done(w, http.StatusOK)
}

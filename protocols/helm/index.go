package helm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"

	"entrepot/protocols"
	"entrepot/registry"
)

const (
	indexFile = "index.yaml"
	// yamlType is the media type of RFC 9512.
	yamlType = "application/yaml"
	// stream is the one text of the one index of an owner.
	stream = "entries"
)

// placeFile lists charts by name, and the versions of one from the newest to
// the oldest; those that differ in build metadata alone, by when they came.
func placeFile(f registry.IndexedFile) ([]registry.Placement, error) {
	if !f.File.Lead {
		return nil, nil // a signature
	}
	return []registry.Placement{{
		Stream: stream, Name: f.Package.Name, Rank: f.Version.SortKey,
		Sort: fmt.Sprintf("%s\x01%s%016x", f.Package.Name, descending(f.Version.SortKey), math.MaxInt64-f.Version.ID),
	}}, nil
}

// descending turns the order of hexadecimal texts around: the digits, and
// what is shorter comes after.
func descending(key string) string {
	const digits = "0123456789abcdef"
	b := make([]byte, 0, len(key)+1)
	for i := range len(key) {
		n := strings.IndexByte(digits, key[i])
		b = append(b, digits[len(digits)-1-max(n, 0)])
	}
	return string(append(b, '~'))
}

// renderEntry is a line of the list under a chart's name.
func renderEntry(f registry.IndexedFile, _ registry.Placement, _ string) ([]byte, error) {
	line, err := dated(f.File.Fragment, f.Version.CreatedAt)
	if err != nil {
		return nil, err
	}
	return append(append([]byte(linePrefix), line...), '\n'), nil
}

const (
	linePrefix = "  - "
	namePrefix = `  "`
	nameSuffix = "\":\n"
)

// heading is the name of a chart above its versions.
func heading(before, after *string) string {
	if after == nil || before != nil && *before == *after {
		return ""
	}
	return namePrefix + *after + nameSuffix
}

// The index around its entries. What changes stands behind them, so that only
// what is new has to be hashed. helm knows no other members; serverInfo is
// what cm-push looks for.
const (
	indexHead = "apiVersion: v1\nentries:"
	indexTail = "generated: \"%s\"\nserverInfo: {contextPath: \"%c\"}\n"
)

func tail(at time.Time) string {
	return fmt.Sprintf(indexTail, at.UTC().Format(time.RFC3339), pathMark)
}

func emptyIndex(at time.Time) string { return indexHead + " {}\n" + tail(at) }

// compose writes index.yaml.
func compose(ctx context.Context, b *registry.IndexBuild) error {
	text := b.Text(stream)
	if text.Entries == 0 {
		_, err := b.AddBytes(ctx, indexFile, yamlType, []byte(emptyIndex(b.Modified)))
		return err
	}
	_, err := b.Add(ctx, indexFile, yamlType, text.Wrap(indexHead+"\n", tail(b.Modified)).Plain())
	return err
}

// index serves the index. That of an owner without a chart is empty: helm
// adds only repositories that have one.
func index(w http.ResponseWriter, r *protocols.Request) error {
	t, err := present(r)
	if err != nil {
		return err
	}
	return protocols.ServeFilled(w, r, protocols.Filled{
		Sha256: t.sha256, ContentType: yamlType, Modified: t.modified, Generation: t.generation, Marks: marks(r),
		Write: func(w io.Writer) error {
			_, err := io.Copy(w, t.open())
			return err
		},
	})
}

// indexText is an index.yaml with its marks.
type indexText struct {
	sha256     string
	modified   time.Time
	generation int64
	open       func() io.Reader
}

// present is the index as it is now.
func present(r *protocols.Request) (*indexText, error) {
	snapshot, err := r.Snapshot(registry.IndexName{}, protocols.IndexEntry)
	if registry.CodeOf(err) == registry.NotFound {
		since := r.Space.Owner.CreatedAt.Truncate(time.Second)
		text := emptyIndex(since)
		sum := sha256.Sum256([]byte(text))
		return &indexText{hex.EncodeToString(sum[:]), since, 0, func() io.Reader { return strings.NewReader(text) }}, nil
	}
	if err != nil {
		return nil, err
	}
	o, err := snapshot.Object(indexFile)
	if err != nil {
		return nil, err
	}
	return &indexText{o.Sha256, o.Modified, o.Generation, func() io.Reader { return o.Open(r.Context()) }}, nil
}

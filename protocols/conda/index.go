package conda

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"entrepot/registry"
)

// The documents of a subdir, and the endings of their compressed forms.
const (
	repodataFile   = "repodata.json"
	currentFile    = "current_repodata.json"
	runExportsFile = "run_exports.json"

	zstdEnding  = ".zst"
	bzip2Ending = ".bz2"

	jsonType  = "application/json"
	zstdType  = "application/zstd"
	bzip2Type = "application/x-bzip2"
)

// The texts of a subdir: records by the container of their files, and the
// names of those that were withdrawn; and run exports, likewise.
const (
	tarStream          = "packages"
	condaStream        = "packages.conda"
	removedStream      = "removed"
	tarExportsStream   = "exports"
	condaExportsStream = "exports.conda"
)

// placeFile lists a file in its subdir. One that is withdrawn is named there,
// and is in neither of the maps: one that is in both is installed all the same.
func placeFile(f registry.IndexedFile) ([]registry.Placement, error) {
	channel, name := splitPackage(f.Package.NormalizedName)
	file, err := parseFile(f.File.Name)
	if err != nil {
		return nil, err
	}
	if file.name != name {
		return nil, registry.FieldErrorf("package", "%s is a file of the package %s and can be of no other; the channel may be another", f.File.Name, file.name)
	}
	var e struct {
		Yanked bool `json:"yanked"`
	}
	if err := json.Unmarshal(f.File.Fragment, &e); err != nil {
		return nil, fmt.Errorf("decode record: %w", err)
	}
	streams := []string{condaStream, condaExportsStream}
	switch {
	case f.Version.Yanked || e.Yanked:
		streams = []string{removedStream}
	case file.ending == tarEnding:
		streams = []string{tarStream, tarExportsStream}
	}
	var places []registry.Placement
	for _, stream := range streams {
		places = append(places, registry.Placement{Family: channel, Member: f.File.CompositeKey, Stream: stream, Sort: f.File.Name})
	}
	return places, nil
}

// render is a file's part of a text.
func render(f registry.IndexedFile, p registry.Placement, _ string) ([]byte, error) {
	line, err := encode(f.File.Name)
	if err != nil || p.Stream == removedStream {
		return line, err
	}
	e, err := decodeEntry(f.File.Fragment)
	if err != nil {
		return nil, err
	}
	var value []byte
	switch p.Stream {
	case tarExportsStream, condaExportsStream:
		value, err = encode(struct {
			RunExports json.RawMessage `json:"run_exports"`
		}{e.RunExports})
	default:
		value, err = dated(e.Record, f.File.CreatedAt)
	}
	if err != nil {
		return nil, err
	}
	return append(append(line, ':'), value...), nil
}

// dated is a record with the instant of publishing (CEP 47).
func dated(record json.RawMessage, at time.Time) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(record, &fields); err != nil {
		return nil, fmt.Errorf("decode record: %w", err)
	}
	stamp, err := encode(at.UnixMilli())
	if err != nil {
		return nil, err
	}
	fields["indexed_timestamp"] = stamp
	return encode(fields)
}

// comma stands between two entries.
func comma(before, _ *string) string {
	if before == nil {
		return ""
	}
	return ","
}

// compose writes the documents of a subdir: repodata.json (CEP 36) and
// run_exports.json (CEP 12).
func compose(ctx context.Context, b *registry.IndexBuild) error {
	head, middle, removed, tail := frame(b.Name.Member)
	repodata := b.Text(tarStream).Wrap(head, middle).Plain().
		Join(b.Text(condaStream).Wrap("", removed).Plain()).
		Join(b.Text(removedStream).Wrap("", tail).Plain())
	if _, err := b.Add(ctx, repodataFile, jsonType, repodata); err != nil {
		return err
	}
	exports := b.Text(tarExportsStream).Wrap(head, middle).Plain().
		Join(b.Text(condaExportsStream).Wrap("", "}}\n").Plain())
	_, err := b.Add(ctx, runExportsFile, jsonType, exports)
	return err
}

// frame is what stands around the texts of a subdir. The list of what was
// removed is a list: a solver that reads it takes no object for one.
func frame(subdir string) (head, middle, removed, tail string) {
	return `{"info":{"subdir":"` + subdir + `"},"packages":{`, `},"packages.conda":{`, `},"removed":[`, "],\"repodata_version\":1}\n"
}

// emptyDocument is a document of a subdir without files.
func emptyDocument(document, subdir string) []byte {
	var b bytes.Buffer
	head, middle, removed, tail := frame(subdir)
	b.WriteString(head)
	b.WriteString(middle)
	if document == runExportsFile {
		b.WriteString("}}\n")
	} else {
		b.WriteString(removed)
		b.WriteString(tail)
	}
	return b.Bytes()
}

// document tells which object of a subdir's index a file name asks for, and in
// which form.
func document(file string) (path string, form registry.Packing, ok bool) {
	path, form = file, registry.Unpacked
	if plain, is := strings.CutSuffix(file, zstdEnding); is {
		path, form = plain, registry.Zstandard
	} else if plain, is := strings.CutSuffix(file, bzip2Ending); is {
		path, form = plain, registry.Bzip2
	}
	switch path {
	case repodataFile:
		return path, form, true
	case currentFile:
		// The classic solver of conda asks for this one first, and goes by the
		// whole when what it holds does not do. That it is the whole already
		// spares the second question.
		return repodataFile, form, true
	case runExportsFile:
		return path, form, form != registry.Bzip2
	}
	return "", "", false
}

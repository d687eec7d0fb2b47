package composer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// entry is what a document says of a version. It is the fragment of the
// version's file: a line of JSON with what is looked at when the document is
// composed, and then the version's object, to which the server adds.
type entry struct {
	entryHead
	object []byte
}

type entryHead struct {
	// File is the archive's name; Dist is its kind as composer calls it.
	File string `json:"file"`
	Dist string `json:"dist"`
	// Reference tells the states of a development version apart.
	Reference string `json:"reference"`
	SHA1      string `json:"sha1"`
	// Dev tells that the version is one of development.
	Dev bool `json:"dev,omitempty"`
	// Abandoned is what the composer.json itself says of that.
	Abandoned json.RawMessage `json:"abandoned,omitempty"`
}

// dropped are the members of a composer.json that count for the root package
// alone, and those that the server knows better.
var dropped = []string{
	"repositories", "config", "minimum-stability", "prefer-stable", "_comment",
	"name", "version", "version_normalized", "type", "time", "dist", "source", "abandoned",
}

// newEntry makes the entry of a version that is published at an instant.
func newEntry(m manifest, v version, head entryHead, at time.Time) entry {
	head.Dev = v.dev
	if raw, ok := m.member("abandoned"); ok {
		if text, isText := m.text("abandoned"); string(raw) == "true" || isText && validName(text) {
			head.Abandoned = raw
		}
	}
	object := manifest{}
	for key, value := range m {
		if !slices.Contains(dropped, key) && !strings.HasPrefix(key, "scripts") {
			object[key] = value
		}
	}
	set := func(key string, value any) {
		object[key] = encode(value)
	}
	set("name", m.name())
	set("version", v.pretty)
	set("version_normalized", v.normal)
	set("type", m.kind())
	set("time", at.UTC().Format(time.RFC3339))
	if source := m.object("source"); source.isSource() {
		object["source"] = m["source"]
	}
	var b bytes.Buffer
	separator := byte('{')
	for _, key := range slices.Sorted(maps.Keys(object)) {
		b.WriteByte(separator)
		separator = ','
		b.Write(encode(key))
		b.WriteByte(':')
		b.Write(compact(object[key]))
	}
	b.WriteByte('}')
	return entry{head, b.Bytes()}
}

var (
	sourceKind    = regexp.MustCompile(`^(git|hg|svn)$`)
	sourceAddress = regexp.MustCompile(`^(https?|ssh|git|svn)(\+ssh)?://[^\s]+$`)
)

// isSource tells whether all is known of where the source is kept. What
// begins with a dash clients would take for an option.
func (m manifest) isSource() bool {
	kind, _ := m.text("type")
	address, _ := m.text("url")
	reference, _ := m.text("reference")
	return sourceKind.MatchString(kind) && sourceAddress.MatchString(address) && validReference(reference)
}

// encode is a value as JSON without the escapes that are for HTML.
func encode(value any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(value) // texts and maps of texts can all be encoded
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// compact takes the blanks out of JSON that has been read before.
func compact(raw json.RawMessage) []byte {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

func (e entry) encode() []byte { return slices.Concat(encode(e.entryHead), []byte("\n"), e.object) }

func decodeEntry(fragment []byte) (e entry, err error) {
	head, object, found := bytes.Cut(fragment, []byte("\n"))
	if !found || len(object) < len(`{"a":1}`) {
		return e, fmt.Errorf("decode fragment: it is cut off")
	}
	if err := json.Unmarshal(head, &e.entryHead); err != nil {
		return e, fmt.Errorf("decode fragment: %w", err)
	}
	e.object = object
	return e, nil
}

// open is the object without its end, so that members can be added.
func (e entry) open() []byte { return e.object[:len(e.object)-1] }

package vagrant

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

const (
	maxLine        = 255
	maxDescription = 64 << 10
	maxAuthors     = 20
)

// checkMetadata holds the metadata.json of a box against its path. Without one
// it is a box of version 1, which the client takes for VirtualBox's. Error:
// Invalid.
func checkMetadata(raw []byte, c coordinates) error {
	if raw == nil {
		return nil
	}
	var said struct {
		Provider     string
		Architecture string
	}
	var object map[string]json.RawMessage
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if json.Unmarshal(raw, &object) != nil || object == nil {
		return badBox("its metadata.json is no JSON object")
	}
	// By the exact keys: the decoder would take them in any case.
	for key, to := range map[string]*string{"provider": &said.Provider, "architecture": &said.Architecture} {
		if value, ok := object[key]; ok && string(value) != "null" && json.Unmarshal(value, to) != nil {
			return badBox("the %s in its metadata.json is no text", key)
		}
	}
	if said.Provider != c.provider {
		return registry.FieldErrorf("provider", "the box's metadata.json has the provider %.200q, its path %q: the client would refuse it", said.Provider, c.provider)
	}
	if a := said.Architecture; a != "" && c.architecture != "" && a != c.architecture {
		return registry.FieldErrorf("architecture", "the box's metadata.json has the architecture %.200q, its path %q", a, c.architecture)
	}
	return nil
}

// readInfo makes facts of an info.json, in which people write what they like.
// What is not understood is left out.
func readInfo(raw []byte) registry.Facts {
	var object map[string]any
	if json.Unmarshal(bytes.TrimPrefix(raw, []byte("\ufeff")), &object) != nil {
		return registry.Facts{}
	}
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys) // of keys that differ in case alone, always the same counts
	first := func(names ...string) []string {
		for _, name := range names {
			for _, key := range keys {
				if strings.EqualFold(key, name) {
					if found := texts(object[key]); len(found) > 0 {
						return found
					}
				}
			}
		}
		return nil
	}
	link := func(names ...string) string {
		for _, name := range names {
			for _, text := range first(name) {
				if url := protocols.WebURL(text); url != "" {
					return url
				}
			}
		}
		return ""
	}
	facts := registry.Facts{Homepage: link("website", "homepage", "url"), RepositoryURL: link("repository", "source")}
	description := strings.Join(first("description", "short_description"), "\n")
	facts.Readme = protocols.CutText(description, maxDescription)
	head, _, _ := strings.Cut(description, "\n")
	facts.Summary = line(head)
	for _, author := range first("author", "authors") {
		if author = line(author); len(facts.Authors) < maxAuthors {
			facts.Authors = append(facts.Authors, author)
		}
	}
	return facts
}

// texts are the texts of a value: itself, or the members of a list.
func texts(value any) []string {
	var all []string
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	for _, member := range list {
		if text, ok := member.(string); ok {
			if text = strings.TrimSpace(protocols.CleanText(text)); text != "" {
				all = append(all, text)
			}
		}
	}
	return all
}

// line is the text on one line, cut.
func line(text string) string { return protocols.CutText(protocols.OneLine(text), maxLine) }

package helm

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"entrepot/protocols"
)

// The most that is shown of values and their schema.
const (
	maxRows  = 300
	maxValue = 200
	// maxText is the longest of the other texts.
	maxText = 2000
)

// tableOfValues lists the defaults of a values.yaml, one row a setting: its
// path, its value, and what the comment above says that begins with "--", as
// helm-docs has it. A file that cannot be read gives none: charts are not
// refused for it.
func tableOfValues(raw []byte) [][]string {
	root, err := parseMapping(bytes.TrimPrefix(raw, bom))
	if err != nil {
		return nil
	}
	var rows [][]string
	var list func(prefix string, n *yaml.Node)
	list = func(prefix string, n *yaml.Node) {
		for i := 0; i+1 < len(n.Content) && len(rows) < maxRows; i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			name := prefix + key.Value
			if value.Kind == yaml.MappingNode && len(value.Content) > 0 {
				list(name+".", value)
				continue
			}
			rows = append(rows, row(name, defaultOf(value), described(key.HeadComment)))
		}
	}
	list("", root)
	return rows
}

func row(cells ...string) []string {
	for i, c := range cells {
		cells[i] = protocols.CutText(protocols.CleanText(c), maxValue)
	}
	return cells
}

// defaultOf is a value on one line.
func defaultOf(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return protocols.OneLine(n.Value)
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return ""
	}
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(text)
}

func described(comment string) string {
	_, text, ok := strings.Cut(comment, "# -- ")
	if !ok {
		return ""
	}
	return protocols.OneLine(strings.ReplaceAll(text, "\n#", "\n"))
}

// schemaNode is what is shown of a JSON schema.
type schemaNode struct {
	Type        any                    `json:"type"`
	Description string                 `json:"description"`
	Required    []string               `json:"required"`
	Properties  map[string]*schemaNode `json:"properties"`
}

// maxSchemaDepth is how deep a schema is looked into.
const maxSchemaDepth = 6

// tableOfSchema lists what a values.schema.json says of settings: path, type,
// and description. One that cannot be read gives none.
func tableOfSchema(raw []byte) [][]string {
	var root schemaNode
	if err := json.Unmarshal(bytes.TrimPrefix(raw, bom), &root); err != nil {
		return nil
	}
	var rows [][]string
	var list func(prefix string, n *schemaNode, depth int)
	list = func(prefix string, n *schemaNode, depth int) {
		for _, name := range slices.Sorted(maps.Keys(n.Properties)) {
			p := n.Properties[name]
			if p == nil || len(rows) == maxRows {
				continue
			}
			kind := ""
			if text, err := json.Marshal(p.Type); err == nil && p.Type != nil {
				kind = strings.ReplaceAll(strings.Trim(string(text), `"[]`), `","`, " or ")
			}
			if slices.Contains(n.Required, name) {
				kind = strings.TrimSpace(kind + ", required")
			}
			rows = append(rows, row(prefix+name, kind, protocols.OneLine(p.Description)))
			if depth < maxSchemaDepth {
				list(prefix+name+".", p, depth+1)
			}
		}
	}
	list("", &root, 0)
	return rows
}

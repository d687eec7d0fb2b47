package helm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
	sigsyaml "sigs.k8s.io/yaml"
)

const (
	// maxDepth bounds the nesting of a YAML file.
	maxDepth = 64
	// maxExpanded bounds its nodes and the bytes of their texts, with what
	// aliases repeat.
	maxExpanded = 4 << 20
)

// parseMapping reads a YAML file that is one document, a mapping, and bounded
// when written out.
func parseMapping(raw []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	var document, rest yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, errors.New("it is empty")
	} else if err != nil {
		return nil, withoutPrefix(err)
	}
	if err := decoder.Decode(&rest); !errors.Is(err, io.EOF) {
		return nil, errors.New("it has more than one document")
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("it is not a mapping of keys to values")
	}
	budget := maxExpanded
	if err := checkExpanded(document.Content[0], &budget, 0); err != nil {
		return nil, err
	}
	return document.Content[0], nil
}

// checkExpanded walks a node as a reader does that follows aliases.
func checkExpanded(n *yaml.Node, budget *int, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("line %d: it is nested deeper than %d levels", n.Line, maxDepth)
	}
	if *budget -= 1 + len(n.Value); *budget < 0 {
		return errors.New("it is too large with what its aliases repeat")
	}
	if n.Kind == yaml.AliasNode {
		return checkExpanded(n.Alias, budget, depth+1)
	}
	for _, c := range n.Content {
		if err := checkExpanded(c, budget, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// decodeMapping reads a YAML file into target by helm's own rules: YAML is
// made JSON, with numbers made texts where texts are wanted. Errors name the
// line of the key that has the wrong type.
func decodeMapping(raw []byte, target any) (*yaml.Node, error) {
	node, err := parseMapping(raw)
	if err != nil {
		return nil, err
	}
	if err := sigsyaml.Unmarshal(raw, target); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return nil, fmt.Errorf("line %d: %s cannot be a %s", lineOf(node, wrong.Field), wrong.Field, wrong.Value)
		}
		return nil, withoutPrefix(err)
	}
	return node, nil
}

// lineOf is the line of a member of a mapping, by a path with dots.
func lineOf(n *yaml.Node, field string) int {
	key, _, _ := strings.Cut(field, ".")
	for i := 0; i+1 < len(n.Content); i += 2 {
		if strings.EqualFold(n.Content[i].Value, key) {
			return n.Content[i].Line
		}
	}
	return n.Line
}

// withoutPrefix is the error without what its libraries say of themselves.
func withoutPrefix(err error) error {
	text := err.Error()
	for _, prefix := range []string{"error converting YAML to JSON: ", "error unmarshaling JSON: ", "while decoding JSON: ", "yaml: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return errors.New(text)
}

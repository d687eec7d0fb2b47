package pub

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxDepth bounds the nesting of a pubspec.
const maxDepth = 64

// yamlObject is a YAML mapping with its order, as JSON has it.
type yamlObject struct {
	keys   []string
	values map[string]any
}

// MarshalJSON writes the object in its order.
func (o *yamlObject) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, key := range o.keys {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(o.values[key])
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}'), nil
}

// parseYAML reads a document whose root is a mapping, by the core schema of
// YAML 1.2.2, section 10.3, as the client does: the parser below knows older
// rules, by which dates are dates and "on" is true. What JSON has no form for
// is refused, and so is what the client does not take: anchors and aliases,
// keys that are no strings or are there twice.
func parseYAML(raw []byte) (*yamlObject, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	var document, rest yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, errors.New("it is empty")
	} else if err != nil {
		return nil, err
	}
	if err := decoder.Decode(&rest); !errors.Is(err, io.EOF) {
		return nil, errors.New("it is more than one document")
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 {
		return nil, errors.New("it is empty")
	}
	value, err := convert(document.Content[0], 0)
	if err != nil {
		return nil, err
	}
	object, ok := value.(*yamlObject)
	if !ok {
		return nil, errors.New("it is not a mapping")
	}
	return object, nil
}

// convert makes a value of a node: nil, bool, int64, float64, string, []any or
// *yamlObject.
func convert(n *yaml.Node, depth int) (any, error) {
	if depth > maxDepth {
		return nil, at(n, "it is nested deeper than %d levels", maxDepth)
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return nil, at(n, "anchors and aliases are not allowed")
	}
	switch n.Kind {
	case yaml.ScalarNode:
		return convertScalar(n)
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			value, err := convert(item, depth+1)
			if err != nil {
				return nil, err
			}
			list[i] = value
		}
		return list, nil
	case yaml.MappingNode:
		return convertMapping(n, depth)
	}
	return nil, at(n, "there is something unknown")
}

func convertMapping(n *yaml.Node, depth int) (any, error) {
	o := &yamlObject{values: make(map[string]any, len(n.Content)/2)}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, err := convert(n.Content[i], depth+1)
		if err != nil {
			return nil, err
		}
		key, ok := name.(string)
		if !ok {
			return nil, at(n.Content[i], "a key is not a string")
		}
		if _, twice := o.values[key]; twice {
			return nil, at(n.Content[i], "the key %.100q is there twice", key)
		}
		value, err := convert(n.Content[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		o.keys = append(o.keys, key)
		o.values[key] = value
	}
	return o, nil
}

var (
	yamlInt   = regexp.MustCompile(`^[-+]?[0-9]+$`)
	yamlOctal = regexp.MustCompile(`^0o[0-7]+$`)
	yamlHex   = regexp.MustCompile(`^0x[0-9a-fA-F]+$`)
	yamlFloat = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	yamlNone  = regexp.MustCompile(`^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
)

// convertScalar applies the core schema to a scalar without quotes.
func convertScalar(n *yaml.Node) (any, error) {
	text := n.Value
	if n.Style&yaml.TaggedStyle != 0 {
		if n.ShortTag() != "!!str" {
			return nil, at(n, "the tag %.100q is not allowed", n.Tag)
		}
		return text, nil
	}
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return text, nil
	}
	switch text {
	case "", "~", "null", "Null", "NULL":
		return nil, nil
	case "true", "True", "TRUE":
		return true, nil
	case "false", "False", "FALSE":
		return false, nil
	}
	base := 0
	switch {
	case yamlInt.MatchString(text):
		base = 10
	case yamlOctal.MatchString(text):
		base, text = 8, text[2:]
	case yamlHex.MatchString(text):
		base, text = 16, text[2:]
	case yamlFloat.MatchString(text):
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(f, 0) {
			return nil, at(n, "the number %.100q is too large", text)
		}
		return f, nil
	case yamlNone.MatchString(text):
		return nil, at(n, "%s is no number that JSON has", text)
	default:
		return text, nil
	}
	i, err := strconv.ParseInt(strings.TrimPrefix(text, "+"), base, 64)
	if err != nil {
		return nil, at(n, "the number %.100q is too large", n.Value)
	}
	return i, nil
}

// at tells where in the file something is wrong.
func at(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("line %d: %s", n.Line, fmt.Sprintf(format, args...))
}

package scalar

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/99designs/gqlgen/graphql"

	"entrepot/registry"
)

// MarshalJSON writes a JSON document without spaces: databases disagree on
// them.
func MarshalJSON(doc json.RawMessage) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		var out bytes.Buffer
		if len(doc) == 0 || json.Compact(&out, doc) != nil {
			out.Reset()
			out.WriteString("null")
		}
		w.Write(out.Bytes())
	})
}

// UnmarshalJSON turns a value of an argument back into a document.
func UnmarshalJSON(v any) (json.RawMessage, error) {
	doc, err := json.Marshal(v)
	if err != nil {
		return nil, registry.Errorf(registry.Invalid, "not a JSON value: %v", err)
	}
	return doc, nil
}

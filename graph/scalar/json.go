package scalar

import (
	"encoding/json"
	"io"

	"github.com/99designs/gqlgen/graphql"

	"entrepot/registry"
)

// MarshalJSON writes a JSON document as it is.
func MarshalJSON(doc json.RawMessage) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		if len(doc) == 0 {
			doc = json.RawMessage("null")
		}
		w.Write(doc)
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

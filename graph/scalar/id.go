// Package scalar holds the custom scalars of the GraphQL API: how values look
// on the wire. It imports registry for the errors that clients are told.
package scalar

import (
	"encoding/base64"
	"encoding/binary"
	"io"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"entrepot/registry"
)

// MarshalID writes a row's number as an opaque string: URL-safe, and in no
// form that invites to count on it.
func MarshalID(id int64) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		io.WriteString(w, strconv.Quote(FormatID(id)))
	})
}

// UnmarshalID reads what MarshalID wrote.
func UnmarshalID(v any) (int64, error) {
	text, ok := v.(string)
	if !ok {
		return 0, registry.Errorf(registry.Invalid, "an ID is a string")
	}
	return ParseID(text)
}

// FormatID is the string form of a row's number.
func FormatID(id int64) string {
	return base64.RawURLEncoding.EncodeToString(binary.AppendUvarint(nil, uint64(id)))
}

// ParseID reads what FormatID wrote, and nothing else. The error has the code
// Invalid.
func ParseID(text string) (int64, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		id, n := binary.Uvarint(b)
		// Of several spellings of a number only ours is an ID.
		if n > 0 && n == len(b) && FormatID(int64(id)) == text {
			return int64(id), nil
		}
	}
	return 0, registry.Errorf(registry.Invalid, "%.40q is not an ID", text)
}

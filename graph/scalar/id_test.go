package scalar

import (
	"bytes"
	"math"
	"testing"

	"entrepot/registry"
)

func TestID(t *testing.T) {
	for _, id := range []int64{0, 1, 127, 128, 1 << 32, 34359738371, math.MaxInt64} {
		var b bytes.Buffer
		MarshalID(id).MarshalGQL(&b)
		got, err := UnmarshalID(b.String()[1 : b.Len()-1])
		if err != nil || got != id {
			t.Errorf("%d is written as %s and read as %d, %v", id, &b, got, err)
		}
	}
	// "gAA" is a longer spelling of 0.
	for _, bad := range []any{"", "0", "1", "=", "AA==", "gAA", "AAAA", "////////////", 7, nil} {
		if id, err := UnmarshalID(bad); registry.CodeOf(err) != registry.Invalid {
			t.Errorf("%v is read as %d, %v", bad, id, err)
		}
	}
}

// FuzzID looks for a text that is read as an ID it is not the form of.
func FuzzID(f *testing.F) {
	f.Add("AQ")
	f.Add("gICAgIAC")
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := ParseID(text); err == nil && FormatID(id) != text {
			t.Errorf("%q is read as %d, whose form is %q", text, id, FormatID(id))
		}
	})
}

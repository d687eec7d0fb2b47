package servertest

import (
	"encoding/json"
	"testing"
)

// Object is a JSON object.
type Object = map[string]any

// Encode writes a value as JSON.
func Encode(tb testing.TB, v any) string {
	tb.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return string(raw)
}

// Decode reads a JSON object.
func Decode(tb testing.TB, text string) Object {
	tb.Helper()
	var o Object
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		tb.Fatalf("%v in %.500s", err, text)
	}
	return o
}

// At follows keys into nested objects; nil where they lead nowhere.
func At(v any, keys ...string) any {
	for _, key := range keys {
		o, _ := v.(Object)
		v = o[key]
	}
	return v
}

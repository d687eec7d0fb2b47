package graph

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

var update = flag.Bool("update", false, "write the golden files anew")

const golden = "schema.golden.graphqls"

// The schema is a contract with everybody's scripts. This file is the whole of
// it: a change shows in its difference, and one that takes something away or
// makes something required breaks scripts.
func TestSchema(t *testing.T) {
	f := newFixture(t)
	var got bytes.Buffer
	formatter.NewFormatter(&got, formatter.WithIndent("  ")).FormatSchema(f.schema.Schema())
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got.Bytes(), want) {
		return
	}
	gotLines, wantLines := strings.Split(got.String(), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			t.Fatalf("the schema differs from %s at line %d: %q, want %q; go test ./graph -update", golden, i+1, gotLines[i], wantLines[i])
		}
	}
	t.Fatalf("the schema has %d lines, %s has %d; go test ./graph -update", len(gotLines), golden, len(wantLines))
}

// Nothing of what only the server knows has a name in the schema.
func TestSchemaHidesSecrets(t *testing.T) {
	f := newFixture(t)
	for _, def := range f.schema.Schema().Types {
		for _, word := range []string{"password", "hash", "secret", "storage", "remote", "session", "internal", "fragment", "unreferenced"} {
			for _, field := range def.Fields {
				allowed := def.Kind == ast.InputObject && strings.Contains(strings.ToLower(field.Name), "password") ||
					def.Name == "CreateTokenPayload" && field.Name == "secret" ||
					def.Name == "Mutation" && field.Name == "setPassword" ||
					field.Name == "secretPlaceholder"
				if !allowed && strings.Contains(strings.ToLower(field.Name), word) {
					t.Errorf("%s.%s", def.Name, field.Name)
				}
			}
		}
	}
}

// People read the schema in GraphiQL: whatever is written by hand says what it
// is, unless its name and type say it all.
func TestSchemaIsDescribed(t *testing.T) {
	f := newFixture(t)
	for _, def := range f.schema.Schema().Types {
		if def.BuiltIn || strings.HasSuffix(def.Name, "Payload") || strings.HasSuffix(def.Name, "Input") || def.Position == nil ||
			strings.HasSuffix(def.Position.Src.Name, "ent.graphqls") {
			continue
		}
		if def.Description == "" && def.Name != "Query" {
			t.Errorf("type %s has no description", def.Name)
		}
	}
}

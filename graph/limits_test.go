package graph

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"entrepot/access"
)

// Every connection of the schema wants a page, and no page is too long.
func TestConnectionsNeedAPage(t *testing.T) {
	f := newFixture(t)
	schema := f.schema.Schema()
	found := 0
	for _, def := range schema.Types {
		for _, field := range def.Fields {
			if def.Kind != ast.Object || !strings.HasSuffix(field.Type.Name(), "Connection") {
				continue
			}
			found++
			for _, tt := range []struct {
				name string
				args map[string]any
				fits bool
			}{
				{"no page", nil, false},
				{"first is null", map[string]any{"first": nil}, false},
				{"too much", map[string]any{"first": int64(maxPage + 1)}, false},
				{"negative", map[string]any{"last": int64(-1)}, false},
				{"a page", map[string]any{"first": int64(maxPage)}, true},
				{"from the end", map[string]any{"last": int64(1)}, true},
			} {
				n, ok := f.schema.Complexity(t.Context(), def.Name, field.Name, 3, tt.args)
				if !ok || (n <= maxComplexity) != tt.fits {
					t.Errorf("%s.%s with %s: complexity %d", def.Name, field.Name, tt.name, n)
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("found only %d connections", found)
	}
	// A weight of a field that is not there would weigh nothing.
	for name := range weights {
		typ, field, _ := strings.Cut(name, ".")
		if def := schema.Types[typ]; def == nil || def.Fields.ForName(field) == nil {
			t.Errorf("there is no field %s", name)
		}
	}
}

// Requests made to be expensive are refused before they cost anything.
func TestBombs(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Public)
	f.publish("acme", "plain", "app", "1.0", nil)
	doubling := func(leaf string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "fragment f%d on Package{...f%d ...f%d} ", i, i+1, i+1)
		}
		fmt.Fprintf(&b, "fragment f%d on Package{%s}", n, leaf)
		return `{packages(first:1){edges{node{...f0}}}} ` + b.String()
	}
	wide := func(n int, field string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "a%d:%s ", i, field)
		}
		return b.String()
	}
	deep := func(n int) string {
		return `{package(owner:"acme",type:"plain",name:"app"){` + strings.Repeat("latest{package{", n) + "name" + strings.Repeat("}}", n) + "}}"
	}
	ids := make([]string, 101)
	for i := range ids {
		ids[i] = "AQ"
	}
	for _, tt := range []struct {
		name, query string
		vars        vars
		code        string
	}{
		{"no page", `{packages{totalCount}}`, nil, "COMPLEXITY_LIMIT_EXCEEDED"},
		{"a page of a thousand", `{packages(first:1000){totalCount}}`, nil, "COMPLEXITY_LIMIT_EXCEEDED"},
		{"a page by variable", `query($n:Int){packages(first:$n){totalCount}}`, vars{"n": 1000}, "COMPLEXITY_LIMIT_EXCEEDED"},
		{"a page by no variable", `query($n:Int){packages(first:$n){totalCount}}`, nil, "COMPLEXITY_LIMIT_EXCEEDED"},
		{"pages in pages", `{packages(first:100){edges{node{versions(first:100){edges{node{files(first:100){edges{node{name}}}}}}}}}}`, nil, "COMPLEXITY_LIMIT_EXCEEDED"},
		{"many pages", `{` + wide(50, `packages(first:100){edges{node{name}}}`) + `}`, nil, "COMPLEXITY_LIMIT_EXCEEDED"},
		{"many nodes", `query($ids:[ID!]!){nodes(ids:$ids){id}}`, vars{"ids": ids}, "COMPLEXITY_LIMIT_EXCEEDED"},
		{"many readmes", `{packageVersions(first:100){edges{node{` + wide(10, `readme{html}`) + `}}}}`, nil, "COMPLEXITY_LIMIT_EXCEEDED"},
		{"searches of everybody", `{` + wide(20, `search(text:"a"){owners(first:100){owner{packageTypes{count}}}}`) + `}`, nil, "COMPLEXITY_LIMIT_EXCEEDED"},
		{"doubling fragments", doubling("name", 60), nil, "COMPLEXITY_LIMIT_EXCEEDED"},
		{"fragments that double fields", doubling("versions(first:1){totalCount}", 60), nil, "COMPLEXITY_LIMIT_EXCEEDED"},
		{"depth", deep(15), nil, "COMPLEXITY_LIMIT_EXCEEDED"},
		{"length", `{` + wide(3000, "__typename") + `}`, nil, "GRAPHQL_PARSE_FAILED"},
		{"deep introspection", `{__schema{types{fields{type{fields{type{fields{type{fields{name}}}}}}}}}}`, nil, "GRAPHQL_VALIDATION_FAILED"},
		{"a fragment that uses itself", `{...f} fragment f on Query{...f}`, nil, "GRAPHQL_VALIDATION_FAILED"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reads, _ := f.reg.Database().Statements()
			start := time.Now()
			data, errs := f.do("", tt.query, tt.vars)
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
			if len(errs) == 0 || errs[0].Extensions["code"] != tt.code {
				t.Errorf("got %s, errors %v, want %s", data, errs, tt.code)
			}
			if after, _ := f.reg.Database().Statements(); after != reads {
				t.Errorf("%d statements were run", after-reads)
			}
		})
	}
	// What people do ask fits.
	for _, query := range []string{
		`{packages(first:100){edges{node{name summary downloads owner{name} latest{version createdAt}}}}}`,
		`{package(owner:"acme",type:"plain",name:"app"){name versions(first:100){edges{node{version createdAt size downloads tags(first:5){edges{node{name}}}}}}}}`,
		`{package(owner:"acme",type:"plain",name:"app"){latest{readme{html} dependencies{name package{name owner{name} latest{version}}} files(first:100){edges{node{name url blob{size sha256 sha512 md5}}}}}}}`,
		introspection,
	} {
		f.ask("", query, nil)
	}
}

// introspection is the query by which tools learn the schema.
const introspection = `query IntrospectionQuery{__schema{queryType{name}mutationType{name}subscriptionType{name}types{...FullType}
directives{name description locations args{...InputValue}}}}
fragment FullType on __Type{kind name description fields(includeDeprecated:true){name description args{...InputValue}type{...TypeRef}isDeprecated deprecationReason}
inputFields{...InputValue}interfaces{...TypeRef}enumValues(includeDeprecated:true){name description isDeprecated deprecationReason}possibleTypes{...TypeRef}}
fragment InputValue on __InputValue{name description type{...TypeRef}defaultValue}
fragment TypeRef on __Type{kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name}}}}}}}}`

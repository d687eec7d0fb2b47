package graph

import (
	"context"
	"errors"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/registry"
)

// What goes wrong inside is logged, and called an internal error; the rest of
// the answer is there.
func TestInternalErrors(t *testing.T) {
	for _, tt := range []struct {
		name  string
		facts func(*ent.PackageVersion) ([]registry.Fact, error)
	}{
		{"an error", func(*ent.PackageVersion) ([]registry.Fact, error) { return nil, errors.New("the secret reason") }},
		{"an error that would be told in a mutation", func(*ent.PackageVersion) ([]registry.Fact, error) {
			return nil, registry.Errorf(registry.Invalid, "the secret reason")
		}},
		{"a panic", func(*ent.PackageVersion) ([]registry.Fact, error) { panic("the secret reason") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.org("acme", access.Public)
			f.publish("acme", "plain", "app", "1.0", nil)
			plainFactsOf = tt.facts
			defer func() { plainFactsOf = plainFacts }()
			data, errs := f.do("ann", `{package(owner:"acme",type:"plain",name:"app"){name version(version:"1.0"){facts{name}}}}`, nil)
			if len(errs) != 1 || errs[0].Message != "internal error" || errs[0].Extensions["code"] != "INTERNAL" ||
				errs[0].Path.String() != "package.version.facts" || strings.Contains(errs[0].Error(), "secret") {
				t.Errorf("errors %v %v", errs, errs[0].Extensions)
			}
			if data != `{"package":{"name":"app","version":null}}` {
				t.Errorf("data %s", data)
			}
			if log := f.logged.String(); !strings.Contains(log, "the secret reason") || strings.Count(log, "level=ERROR") != 1 {
				t.Errorf("logged %q", log)
			}
		})
	}
}

func TestArgumentErrors(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct{ name, query, want string }{
		{"a cursor", `{packages(first:1,after:"%"){totalCount}}`, ""},
		{"a time", `{packages(first:1,where:{createdAtGT:"yesterday"}){totalCount}}`, ""},
		{"an id", `{node(id:"?"){id}}`, "is not an ID"},
		{"first and last within", `{owners(first:1){edges{node{packages(first:1,last:1){totalCount}}}}}`, ""},
		{"first and last", `{packages(first:1,last:1){totalCount}}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, errs := f.do("", tt.query, nil)
			if len(errs) != 1 || errs[0].Extensions["code"] != "INVALID" || !strings.Contains(errs[0].Message, tt.want) {
				t.Errorf("errors %v", errs)
			}
		})
	}
	if log := f.logged.String(); log != "" {
		t.Errorf("logged %s", log)
	}
}

// Who hangs up is no failure of ours.
func TestHangUp(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(f.as("ann"))
	cancel()
	err := f.Client().MakeRequest(ctx, request(`{viewer{login}}`), answer())
	if err == nil {
		t.Error("no error")
	}
	if log := f.logged.String(); log != "" {
		t.Errorf("logged %s", log)
	}
}

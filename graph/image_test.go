package graph

import (
	"fmt"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent/membership"
	"entrepot/registry"
)

// edges lists a text for each edge of a connection.
func edges(t *testing.T, data, path string, text func(edge string) string) string {
	t.Helper()
	var all []string
	for i := range pick(t, data, path+".edges").([]any) {
		all = append(all, text(fmt.Sprintf("%s.edges.%d", path, i)))
	}
	return strings.Join(all, " ")
}

func TestReferrers(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Public)
	about := func(version, subject, kind string, tags ...string) {
		f.publish("acme", "tagged", "app", version, func(p *registry.Publication) {
			p.Properties = []registry.Property{{Name: "about", Value: subject}, {Name: "kind", Value: kind}}
			p.Metadata, p.Tags = kind, tags
		})
	}
	f.publish("acme", "tagged", "app", "1.0", nil)
	f.publish("acme", "tagged", "app", "2.0", nil)
	f.publish("acme", "tagged", "other", "1.0", nil)
	about("1.1", "1.0", "spdx")
	about("1.2", "1.0", "cyclonedx")
	about("1.3", "missing", "spdx")
	f.publish("acme", "tagged", "app", "1.4", func(p *registry.Publication) { p.Tags = []string{"1.0.sig"} })
	about("1.5", "1.0", "spdx", "1.0.sig.old")
	f.publish("acme", "tagged", "other", "9.0", func(p *registry.Publication) {
		p.Properties = []registry.Property{{Name: "about", Value: "1.0"}}
	})
	const query = `query($v:String!,$type:String,$first:Int!,$after:Cursor){package(owner:"acme",type:"tagged",name:"app"){version(version:$v){
		referrers(artifactType:$type,first:$first,after:$after){totalCount pageInfo{hasNextPage hasPreviousPage endCursor} edges{kind artifactType cursor node{version package{name}}}}}}}`
	const path = "package.version.referrers"
	list := func(v vars) (string, string) {
		t.Helper()
		data := f.ask("", query, v)
		return edges(t, data, path, func(e string) string {
			if name := pick(t, data, e+".node.package.name"); name != "app" {
				t.Errorf("a version of %v", name)
			}
			return fmt.Sprintf("%v/%v/%v", pick(t, data, e+".node.version"), pick(t, data, e+".kind"), pick(t, data, e+".artifactType"))
		}), data
	}
	const all = `1.1/SBOM/"spdx" 1.2/SBOM/"cyclonedx" 1.4/SIGNATURE/1.0.sig 1.5/SBOM/"spdx"`
	for _, tt := range []struct {
		name, want string
		total      float64
		vars       vars
	}{
		{"all", all, 4, vars{"v": "1.0", "first": 10}},
		{"of a type", `1.1/SBOM/"spdx" 1.5/SBOM/"spdx"`, 2, vars{"v": "1.0", "first": 10, "type": "spdx"}},
		{"of a type that none has", "", 0, vars{"v": "1.0", "first": 10, "type": "x"}},
		{"none", "", 0, vars{"v": "2.0", "first": 10}},
		{"how many", "", 4, vars{"v": "1.0", "first": 0}},
	} {
		got, data := list(tt.vars)
		if got != tt.want || pick(t, data, path+".totalCount") != tt.total {
			t.Errorf("%s: %s of %v, want %s of %v", tt.name, got, pick(t, data, path+".totalCount"), tt.want, tt.total)
		}
	}
	var pages []string
	v := vars{"v": "1.0", "first": 3}
	for len(pages) < 5 {
		got, data := list(v)
		pages = append(pages, got)
		if pick(t, data, path+".pageInfo.hasNextPage") == false {
			break
		}
		v["after"] = pick(t, data, path+".pageInfo.endCursor")
	}
	if len(pages) != 2 || strings.Join(pages, " ") != all {
		t.Errorf("pages %q, want %s in two", pages, all)
	}
	f.publish("acme", "plain", "app", "1.0", nil)
	f.want("", `{package(owner:"acme",type:"plain",name:"app"){latest{referrers(first:1){totalCount edges{kind}}}}}`, nil,
		`{"package":{"latest":{"referrers":{"totalCount":0,"edges":[]}}}}`)
}

func TestTagHistory(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Public)
	f.member("acme", "bob", membership.RoleWriter)
	f.publish("acme", "tagged", "app", "1.0", func(p *registry.Publication) { p.Tags = []string{"latest", "edge"} })
	f.publish("acme", "tagged", "app", "2.0", func(p *registry.Publication) { p.Tags = []string{"latest"} })
	f.ask("bob", `mutation($v:ID!){setTag(input:{version:$v,tag:"edge"}){version{id}}}`, vars{"v": f.versionID("acme", "tagged", "app", "2.0")})
	f.ask("bob", `mutation($p:ID!){removeTag(input:{package:$p,tag:"edge"}){package{id}}}`, vars{"p": f.packageID("acme", "tagged", "app")})
	const query = `query($tag:String,$first:Int!,$after:Cursor){package(owner:"acme",type:"tagged",name:"app"){
		tagHistory(tag:$tag,first:$first,after:$after){totalCount pageInfo{hasNextPage hasPreviousPage startCursor endCursor} edges{cursor node{tag from to at actor{login}}}}}}`
	const path = "package.tagHistory"
	list := func(who string, v vars) (string, string) {
		t.Helper()
		data := f.ask(who, query, v)
		return edges(t, data, path, func(e string) string {
			if pick(t, data, e+".node.at") == nil {
				t.Error("a move without a time")
			}
			actor := pick(t, data, e+".node.actor")
			if actor != nil {
				actor = pick(t, data, e+".node.actor.login")
			}
			return fmt.Sprintf("%v:%v>%v/%v", pick(t, data, e+".node.tag"), pick(t, data, e+".node.from"), pick(t, data, e+".node.to"), actor)
		}), data
	}
	const (
		edge = "edge:2.0><nil>/bob edge:1.0>2.0/bob edge:<nil>>1.0/root"
		all  = "edge:2.0><nil>/bob edge:1.0>2.0/bob latest:1.0>2.0/root edge:<nil>>1.0/root latest:<nil>>1.0/root"
	)
	for _, tt := range []struct {
		name, who, want string
		total           float64
		vars            vars
	}{
		{"all", "", all, 5, vars{"first": 10}},
		{"of a tag that is gone", "ann", edge, 3, vars{"first": 10, "tag": "edge"}},
		{"a page", "", "edge:2.0><nil>/bob", 3, vars{"first": 1, "tag": "edge"}},
		{"how many", "", "", 3, vars{"first": 0, "tag": "edge"}},
		{"of no tag", "", "", 0, vars{"first": 10, "tag": "other"}},
		{"of the empty tag", "", "", 0, vars{"first": 10, "tag": ""}},
		{"by a token that may not see users", "ann/read:package", edge, 3, vars{"first": 10, "tag": "edge"}},
	} {
		got, data := list(tt.who, tt.vars)
		if got != tt.want || pick(t, data, path+".totalCount") != tt.total {
			t.Errorf("%s: %s of %v, want %s of %v", tt.name, got, pick(t, data, path+".totalCount"), tt.want, tt.total)
		}
	}
	var pages []string
	v := vars{"first": 2}
	for len(pages) < 5 {
		got, data := list("", v)
		pages = append(pages, got)
		if back := pick(t, data, path+".pageInfo.hasPreviousPage"); back != (len(pages) > 1) {
			t.Errorf("page %d: hasPreviousPage %v", len(pages), back)
		}
		if pick(t, data, path+".pageInfo.hasNextPage") == false {
			break
		}
		v["after"] = pick(t, data, path+".pageInfo.endCursor")
	}
	if len(pages) != 3 || strings.Join(pages, " ") != all {
		t.Errorf("pages %q, want %s in three", pages, all)
	}
}

func TestCopyVersion(t *testing.T) {
	f := newFixture(t)
	for name, vis := range map[string]access.Visibility{"dev": access.Private, "prod": access.Public, "secret": access.Private} {
		f.org(name, vis)
	}
	f.member("dev", "bob", membership.RoleReader)
	f.member("prod", "bob", membership.RoleWriter)
	f.member("dev", "eve", membership.RoleReader)
	f.publish("dev", "tagged", "App", "1.0", nil)
	f.publish("dev", "tagged", "App", "1.1", func(p *registry.Publication) {
		p.Properties = []registry.Property{{Name: "about", Value: "1.0"}}
	})
	f.publish("dev", "plain", "app", "1.0", nil)
	v := f.versionID("dev", "tagged", "App", "1.0")
	plain := f.versionID("dev", "plain", "app", "1.0")
	const mutation = `mutation($in:CopyVersionInput!){copyVersion(input:$in){version{version tags(first:9){edges{node{name}}}} package{name versionCount owner{name}}}}`
	f.want("bob", mutation, vars{"in": vars{"version": v, "owner": "PROD", "tags": []string{"1", "stable"}}},
		`{"copyVersion":{"version":{"version":"1.0","tags":{"edges":[{"node":{"name":"1"}},{"node":{"name":"stable"}}]}},"package":{"name":"App","versionCount":2,"owner":{"name":"prod"}}}}`)
	f.want("bob", mutation, vars{"in": vars{"version": v, "owner": "prod", "package": "alone", "referrers": false}},
		`{"copyVersion":{"version":{"version":"1.0","tags":{"edges":[{"node":{"name":"latest"}}]}},"package":{"name":"alone","versionCount":1,"owner":{"name":"prod"}}}}`)
	for _, tt := range []struct {
		name, who string
		in        vars
		code      string
		field     string
	}{
		{"nobody", "", vars{"version": v, "owner": "prod"}, "UNAUTHENTICATED", ""},
		{"who may not write there", "eve", vars{"version": v, "owner": "prod"}, "FORBIDDEN", "owner"},
		{"who may not know the target", "bob", vars{"version": v, "owner": "secret"}, "NOT_FOUND", "owner"},
		{"no such target", "bob", vars{"version": v, "owner": "missing"}, "NOT_FOUND", "owner"},
		{"who may only read the source", "bob", vars{"version": v, "owner": "dev"}, "FORBIDDEN", "owner"},
		{"a token that may not read", "bob/write:package", vars{"version": v, "owner": "prod"}, "NOT_FOUND", ""},
		{"a token that may not write", "bob/read:package", vars{"version": v, "owner": "prod"}, "FORBIDDEN", "owner"},
		{"a bad name", "bob", vars{"version": v, "owner": "prod", "package": "a b"}, "INVALID", "package"},
		{"a bad tag", "bob", vars{"version": v, "owner": "prod", "tags": []string{"a b"}}, "INVALID", "tags"},
		{"a type without copies", "bob", vars{"version": plain, "owner": "prod"}, "INVALID", "version"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.wantError(tt.who, mutation, vars{"in": tt.in}, tt.code, tt.field)
		})
	}
	f.want("", `{packageTypes{name copies}}`, nil, `{"packageTypes":[{"name":"plain","copies":false},{"name":"tagged","copies":true}]}`)
}

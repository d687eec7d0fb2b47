package graph

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"entrepot/access"
	"entrepot/ent/membership"
	"entrepot/graph/scalar"
	"entrepot/registry"
)

// hall is a registry with a package in every kind of place: one per owner
// visibility and package visibility, named for both, as "limited-private".
func hall(t *testing.T) (*fixture, []string) {
	f := newFixture(t)
	f.user("reader")
	f.user("writer")
	var names []string
	for _, owner := range []access.Visibility{access.Public, access.Limited, access.Private} {
		org := strings.ToLower(string(owner))
		f.org(org, owner)
		f.member(org, "reader", membership.RoleReader)
		f.member(org, "writer", membership.RoleWriter)
		for _, vis := range []access.Visibility{access.Inherit, access.Public, access.Limited, access.Private} {
			name := org + "-" + strings.ToLower(string(vis))
			names = append(names, name)
			f.publish(org, "tagged", name, "1.0", func(p *registry.Publication) {
				p.Facts = registry.Facts{Summary: "about " + name, Readme: "read " + name, License: "L-" + name}
				p.Files = []registry.File{f.file(name+".txt", "bytes of "+name)}
			})
			f.setVisibility(org, "tagged", name, vis)
		}
	}
	return f, names
}

// visibleTo is the rule, written down a second time: what each viewer of the
// table may see of the hall.
func visibleTo(who, name string) bool {
	owner, pkg, _ := strings.Cut(name, "-")
	login, scopes, token := strings.Cut(who, "/")
	if token && !strings.Contains(scopes, "read:package") {
		return false
	}
	switch login {
	case "root", "ann", "reader", "writer":
		return true
	case "":
		return owner == "public" && (pkg == "inherit" || pkg == "public")
	}
	return owner != "private" && pkg != "private"
}

var viewers = []string{"", "eve", "reader", "writer", "ann", "root",
	"ann/", "ann/write:package,delete:package", "root/", "reader/read:package", "eve/read:package", "root/read:package"}

// Every way to come upon a package shows it to who may see it, and to nobody
// else; hidden and missing look the same.
func TestVisibility(t *testing.T) {
	f, names := hall(t)
	type thing struct{ pkg, version, file, tag, blob, owner string }
	ids := map[string]thing{}
	for _, name := range names {
		org, _, _ := strings.Cut(name, "-")
		data := f.ask("root", fmt.Sprintf(`{package(owner:%q,type:"tagged",name:%q){id owner{id} tags(first:1){edges{node{id}}}
			latest{id files(first:1){edges{node{id blob{id}}}}}}}`, org, name), nil)
		get := func(path string) string { return pick(t, data, path).(string) }
		ids[name] = thing{
			get("package.id"), get("package.latest.id"), get("package.latest.files.edges.0.node.id"),
			get("package.tags.edges.0.node.id"), get("package.latest.files.edges.0.node.blob.id"), get("package.owner.id"),
		}
	}
	for _, who := range viewers {
		t.Run("as "+who, func(t *testing.T) {
			var want []string
			for _, name := range names {
				if visibleTo(who, name) {
					want = append(want, name)
				}
			}
			lists := map[string]string{
				`{packages(first:50,orderBy:[{field:NAME}]){totalCount edges{node{name}}}}`:                       "packages",
				`{search{packages(first:50,orderBy:[{field:NAME}]){totalCount edges{node{name}}}}}`:               "search.packages",
				`{search(text:"about"){packages(first:50,orderBy:[{field:NAME}]){totalCount edges{node{name}}}}}`: "search.packages",
			}
			for query, path := range lists {
				data := f.ask(who, query, nil)
				var got []string
				for _, e := range pick(t, data, path+".edges").([]any) {
					got = append(got, e.(map[string]any)["node"].(map[string]any)["name"].(string))
				}
				slices.Sort(got)
				if sorted := slices.Sorted(slices.Values(want)); !slices.Equal(got, sorted) {
					t.Errorf("%s: got %v, want %v", query, got, sorted)
				}
				if n := pick(t, data, path+".totalCount"); int(n.(float64)) != len(want) {
					t.Errorf("%s: totalCount %v, want %d", query, n, len(want))
				}
			}
			data := f.ask(who, `{packageVersions(first:50){totalCount} search{types{count}}}`, nil)
			if n := pick(t, data, "packageVersions.totalCount"); int(n.(float64)) != len(want) {
				t.Errorf("packageVersions: %v, want %d", n, len(want))
			}
			for _, name := range names {
				f.checkThing(t, who, name, ids[name], visibleTo(who, name))
			}
		})
	}
}

func (f *fixture) checkThing(t *testing.T, who, name string, ids struct{ pkg, version, file, tag, blob, owner string }, visible bool) {
	t.Helper()
	org, _, _ := strings.Cut(name, "-")
	all := []string{ids.pkg, ids.version, ids.file, ids.tag, ids.blob}
	var query strings.Builder
	for i, id := range all {
		fmt.Fprintf(&query, "n%d:node(id:%q){id} ", i, id)
	}
	fields := []string{
		fmt.Sprintf(`package(owner:%q,type:"tagged",name:%q){summary tagHistory(first:9){totalCount edges{node{tag to}}} latest{referrers(first:9){totalCount edges{node{version} artifactType}} license readme{html} files(first:9){edges{node{name url blob{sha256}}}}} tags(first:9){edges{node{name version{version}}}} owner{name} instructions{title} viewerCan{read}}`, org, name),
		fmt.Sprintf(`packages(first:9,where:{nameEqualFold:%q}){edges{node{name}}}`, name),
		fmt.Sprintf(`packageVersions(first:9,where:{license:%q}){edges{node{license package{name}}}}`, "L-"+name),
		fmt.Sprintf(`packageVersions(first:9,where:{hasPackageWith:[{name:%q}]}){edges{node{license}}}`, name),
		fmt.Sprintf(`packageVersions(first:9,where:{hasFilesWith:[{name:%q}]}){edges{node{license}}}`, name+".txt"),
	}
	for i, field := range fields {
		fmt.Fprintf(&query, "f%d:%s ", i, field)
	}
	data := f.ask(who, `query($ids:[ID!]!){nodes(ids:$ids){id} owner(name:"`+org+`"){packages(first:50){edges{node{name}}}} `+query.String()+`}`, vars{"ids": all})
	for i, id := range all {
		if got := pick(t, data, fmt.Sprintf("nodes.%d", i)); visible != (got != nil) {
			t.Errorf("nodes: %s of %s: got %v, want visible %v", id, name, got, visible)
		}
		if got := pick(t, data, fmt.Sprintf("n%d", i)); visible != (got != nil) {
			t.Errorf("node: %s of %s: got %v, want visible %v", id, name, got, visible)
		}
	}
	for i, field := range fields {
		if got := fmt.Sprint(pick(t, data, fmt.Sprintf("f%d", i))); visible != strings.Contains(got, name) {
			t.Errorf("%s: got %s, want visible %v", field, got, visible)
		}
	}
	if got := fmt.Sprint(pick(t, data, "owner")); visible != strings.Contains(got, "name:"+name+"]") {
		t.Errorf("the packages of %s: got %s, want visible %v", org, got, visible)
	}
}

// Owners show to whom they are visible; a token without read:package sees its
// own user's alone.
func TestOwnerVisibility(t *testing.T) {
	f, _ := hall(t)
	want := map[string]string{
		"":                  "ann bob eve public reader root writer",
		"eve":               "ann bob eve limited public reader root writer",
		"reader":            "ann bob eve limited private public reader root writer",
		"root":              "ann bob eve limited private public reader root writer",
		"ann/":              "ann",
		"root/":             "root",
		"eve/read:package":  "ann bob eve limited public reader root writer",
		"ann/write:package": "ann",
	}
	for who, want := range want {
		data := f.ask(who, `{owners(first:50,orderBy:{field:NAME}){totalCount edges{node{name}}}}`, nil)
		var got []string
		for _, e := range pick(t, data, "owners.edges").([]any) {
			got = append(got, e.(map[string]any)["node"].(map[string]any)["name"].(string))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("as %q: owners %v, want %s", who, got, want)
		}
		for _, name := range []string{"public", "limited", "private"} {
			found := pick(t, f.ask(who, `query($n:String!){owner(name:$n){id}}`, vars{"n": name}), "owner") != nil
			if found != slices.Contains(got, name) {
				t.Errorf("as %q: owner(%s) found %v", who, name, found)
			}
		}
	}
	f.want("eve", `{owner(name:"public"){memberships(first:9){totalCount edges{node{login}}}}}`, nil, `{"owner":{"memberships":{"totalCount":0,"edges":[]}}}`)
	f.want("reader", `{owner(name:"public"){memberships(first:9){totalCount}}}`, nil, `{"owner":{"memberships":{"totalCount":3}}}`)
}

// Mutations on what is hidden fail in the words they have for what is not
// there, so that ids cannot be probed.
func TestHiddenIsMissing(t *testing.T) {
	f, _ := hall(t)
	for _, name := range []string{"public-private", "private-inherit"} {
		org, _, _ := strings.Cut(name, "-")
		ids := map[string]string{
			"package": f.packageID(org, "tagged", name),
			"version": f.versionID(org, "tagged", name, "1.0"),
			"file":    f.fileID(org, "tagged", name, "1.0"),
		}
		for _, tt := range []struct{ kind, mutation string }{
			{"package", `deletePackage(input:{id:$id}){id}`},
			{"package", `setPackageVisibility(input:{id:$id,visibility:PUBLIC}){package{id}}`},
			{"package", `removeTag(input:{package:$id,tag:"latest"}){package{id}}`},
			{"version", `deleteVersion(input:{id:$id}){id}`},
			{"version", `setTag(input:{version:$id,tag:"x"}){version{id}}`},
			{"version", `copyVersion(input:{version:$id,owner:"eve"}){version{id}}`},
			{"version", `deprecateVersion(input:{id:$id}){version{id}}`},
			{"version", `undeprecateVersion(input:{id:$id}){version{id}}`},
			{"version", `yankVersion(input:{id:$id}){version{id}}`},
			{"version", `unyankVersion(input:{id:$id}){version{id}}`},
			{"package", `setPackageState(input:{id:$id,state:"archived"}){package{id}}`},
			{"file", `deleteFile(input:{id:$id}){id}`},
		} {
			query := "mutation($id:ID!){" + tt.mutation + "}"
			id, err := scalar.ParseID(ids[tt.kind])
			if err != nil {
				t.Fatal(err)
			}
			for _, who := range []string{"", "eve", "eve/read:package,write:package,delete:package"} {
				_, hidden := f.do(who, query, vars{"id": ids[tt.kind]})
				_, missing := f.do(who, query, vars{"id": scalar.FormatID(id + 1000)})
				if len(hidden) != 1 || len(missing) != 1 || hidden[0].Error() != missing[0].Error() ||
					fmt.Sprint(hidden[0].Extensions) != fmt.Sprint(missing[0].Extensions) {
					t.Errorf("as %q %s on %s: hidden %v %v, missing %v", who, tt.mutation, name, hidden, hidden[0].Extensions, missing)
				}
			}
		}
	}
}

// A filter over an edge is not narrowed by what the viewer may
// see. Whatever filter the schema has, over whatever path of edges, must give
// an outsider the same answer whether the private packages exist or not.
func TestFiltersTellNothing(t *testing.T) {
	f := newFixture(t)
	f.org("open", access.Public)
	f.org("closed", access.Private)
	f.publish("open", "tagged", "shown", "1.0", nil)
	paths := f.filterPaths()
	if len(paths) < 20 {
		t.Fatalf("only %d filters found: the walk over the schema is broken", len(paths))
	}
	before := f.askAll("eve", paths)
	// The same content as the open package's, and content of its own.
	f.publish("closed", "tagged", "secret", "6.6.6", func(p *registry.Publication) {
		p.Facts = registry.Facts{Summary: "secret", License: "secret", Homepage: "secret"}
		p.Files = []registry.File{f.file("f.txt", "content of shown 1.0"), f.file("secret.txt", "secret")}
		p.Tags = []string{"secret"}
	})
	f.publish("open", "tagged", "hidden", "6.6.6", nil)
	f.setVisibility("open", "tagged", "hidden", access.Private)
	told := 0
	after, members := f.askAll("eve", paths), f.askAll("ann", paths)
	for i, path := range paths {
		if after[i] != before[i] {
			t.Errorf("%s\n before %v\n after  %v", path, before[i], after[i])
		}
		if members[i] != before[i] {
			told++
		}
	}
	if told == 0 {
		t.Error("no filter at all notices the private packages: the test cannot fail")
	}
}

// askAll asks for the totalCount of many connections, many at once.
func (f *fixture) askAll(who string, fields []string) []any {
	f.t.Helper()
	var counts []any
	for batch := range slices.Chunk(fields, 50) {
		var query strings.Builder
		for i, field := range batch {
			fmt.Fprintf(&query, "f%d:%s ", i, field)
		}
		data := f.ask(who, "{"+query.String()+"}", nil)
		for i := range batch {
			counts = append(counts, pick(f.t, data, fmt.Sprintf("f%d.totalCount", i)))
		}
	}
	return counts
}

// filterPaths are fields that count what each filter lets through: every
// scalar of every filter input, reached over every path of up to three edges,
// plain and negated.
func (f *fixture) filterPaths() []string {
	schema := f.schema.Schema()
	values := map[string]string{
		"String": `"secret"`, "ID": `"` + scalar.FormatID(1) + `"`, "Int64": "6", "Int": "6", "Boolean": "true",
		"Time": `"2001-01-01T00:00:00Z"`,
	}
	var queries []string
	var walk func(root string, def *ast.Definition, open, shut string, edges int)
	walk = func(root string, def *ast.Definition, open, shut string, edges int) {
		for _, field := range def.Fields {
			name, kind := field.Name, schema.Types[field.Type.Name()]
			switch {
			case name == "not" || name == "and" || name == "or":
			case kind.Kind == ast.InputObject:
				if edges < 3 {
					walk(root, kind, open+name+":[{", "}]"+shut, edges+1)
				}
			default:
				value := values[kind.Name]
				if kind.Kind == ast.Enum {
					value = kind.EnumValues[0].Name
				}
				if field.Type.Elem != nil {
					value = "[" + value + "]"
				}
				filter := open + name + ":" + value + shut
				queries = append(queries,
					fmt.Sprintf(`%s(first:1,where:{%s}){totalCount}`, root, filter),
					fmt.Sprintf(`%s(first:1,where:{not:{%s}}){totalCount}`, root, filter))
			}
		}
	}
	for _, field := range schema.Query.Fields {
		if where := field.Arguments.ForName("where"); where != nil {
			walk(field.Name, schema.Types[where.Type.Name()], "", "", 0)
		}
	}
	return queries
}

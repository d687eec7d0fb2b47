package graph

import (
	"fmt"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent/membership"
	"entrepot/registry"
)

func TestViewer(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Public)
	f.member("acme", "bob", membership.RoleReader)
	const query = `{viewer{login email admin scopes user{login fullName} tokens(first:10){totalCount}
		owners(first:10){edges{node{name viewerRole}}} write:owners(first:10,writable:true){edges{node{name}}}}}`
	f.want("", query, nil, `{"viewer":null}`)
	f.want("bob", query, nil, `{"viewer":{"login":"bob","email":"bob@example.com","admin":false,"scopes":null,`+
		`"user":{"login":"bob","fullName":"BOB"},"tokens":{"totalCount":0},`+
		`"owners":{"edges":[{"node":{"name":"acme","viewerRole":"READER"}},{"node":{"name":"bob","viewerRole":"OWNER"}}]},`+
		`"write":{"edges":[{"node":{"name":"bob"}}]}}}`)
	f.want("ann/read:package", `{viewer{scopes write:owners(first:10,writable:true){totalCount}}}`, nil,
		`{"viewer":{"scopes":["read:package"],"write":{"totalCount":0}}}`)
}

func TestOwner(t *testing.T) {
	f := newFixture(t)
	f.org("Acme", access.Public)
	f.member("Acme", "bob", membership.RoleWriter)
	f.publish("Acme", "plain", "app", "1.0", nil)
	f.publish("Acme", "tagged", "lib", "1.0", nil)
	const query = `{owner(name:"aCME"){name kind visibility viewerRole viewerCan{read write delete manage administer}
		packageTypes{type title count} memberships(first:10){edges{node{role login fullName user{login}}}} genericOverwrite{pattern mode}}}`
	const types = `"packageTypes":[{"type":"plain","title":"Plain","count":1},{"type":"tagged","title":"Tagged","count":1}]`
	const members = `"memberships":{"edges":[{"node":{"role":"OWNER","login":"ann","fullName":"ANN","user":{"login":"ann"}}},` +
		`{"node":{"role":"WRITER","login":"bob","fullName":"BOB","user":{"login":"bob"}}}]}`
	f.want("bob", query, nil, `{"owner":{"name":"Acme","kind":"ORGANIZATION","visibility":"PUBLIC","viewerRole":"WRITER",`+
		`"viewerCan":{"read":true,"write":true,"delete":true,"manage":true,"administer":false},`+types+`,`+members+`,"genericOverwrite":null}}`)
	f.want("", query, nil, `{"owner":{"name":"Acme","kind":"ORGANIZATION","visibility":"PUBLIC","viewerRole":null,`+
		`"viewerCan":{"read":true,"write":false,"delete":false,"manage":false,"administer":false},`+types+`,"memberships":{"edges":[]},"genericOverwrite":null}}`)
	f.want("ann", `{owner(name:"acme"){genericOverwrite{pattern} viewerCan{administer}}}`, nil,
		`{"owner":{"genericOverwrite":[],"viewerCan":{"administer":true}}}`)
	f.want("ann", `{owner(name:"nobody"){name}}`, nil, `{"owner":null}`)
}

// A member whose own namespace is private is still named to fellow members.
func TestPrivateMember(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Private)
	f.member("acme", "bob", membership.RoleReader)
	private := access.Private
	if _, err := f.reg.UpdateOwner(f.as("bob"), "bob", registry.OwnerChange{Visibility: &private}); err != nil {
		t.Fatal(err)
	}
	f.want("ann", `{owner(name:"acme"){memberships(first:9){edges{node{login user{login}}}}}}`, nil,
		`{"owner":{"memberships":{"edges":[{"node":{"login":"ann","user":{"login":"ann"}}},{"node":{"login":"bob","user":null}}]}}}`)
}

func TestUserSecrets(t *testing.T) {
	f := newFixture(t)
	const query = `{owner(name:"ann"){user{login email admin disabled}}}`
	const shown = `{"owner":{"user":{"login":"ann","email":"ann@example.com","admin":false,"disabled":false}}}`
	const hidden = `{"owner":{"user":{"login":"ann","email":null,"admin":null,"disabled":null}}}`
	f.want("ann", query, nil, shown)
	f.want("root", query, nil, shown)
	f.want("root/read:package", query, nil, hidden)
	f.want("bob", query, nil, hidden)
	f.want("", query, nil, hidden)
}

func TestPackage(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Public)
	f.publish("acme", "plain", "Lib", "0.9", nil)
	f.publish("acme", "plain", "App", "1.0", func(p *registry.Publication) {
		p.Facts = registry.Facts{
			Summary: "An app", Readme: "# Hello", License: "MIT", Authors: []string{"Ann"}, Keywords: []string{"go"},
			Dependencies: []registry.Dependency{
				{Group: "runtime", Name: "lib", Requirement: "^0.9"}, {Group: "test", Name: "other", Requirement: "*", Optional: true},
			},
		}
		p.Metadata = map[string]any{"n": 1}
		// The same content twice: counted once.
		p.Files = []registry.File{f.file("a.txt", "12345"), f.file("b.txt", "12345"), f.file("c.txt", "123")}
	})
	f.publish("acme", "plain", "App", "2.0-rc1", nil)
	f.want("bob", `{package(owner:"ACME",type:"plain",name:"app"){name type normalizedName summary versionCount visibility effectiveVisibility size
		owner{name} viewerCan{read write} packageType{name title tags singleFiles} latest{version}
		versions(first:5,orderBy:[{field:VERSION,direction:DESC}]){totalCount edges{node{version prerelease isLatest size fileCount}}}}}`, nil,
		`{"package":{"name":"App","type":"plain","normalizedName":"app","summary":"An app","versionCount":2,"visibility":"INHERIT","effectiveVisibility":"PUBLIC","size":30,`+
			`"owner":{"name":"acme"},"viewerCan":{"read":true,"write":false},"packageType":{"name":"plain","title":"Plain","tags":false,"singleFiles":true},"latest":{"version":"1.0"},`+
			`"versions":{"totalCount":2,"edges":[{"node":{"version":"2.0-rc1","prerelease":true,"isLatest":false,"size":22,"fileCount":1}},`+
			`{"node":{"version":"1.0","prerelease":false,"isLatest":true,"size":8,"fileCount":3}}]}}}`)
	f.want("", `{package(owner:"acme",type:"plain",name:"App"){version(version:"1.0"){license authors keywords readme{raw html format} metadata
		dependencies{group name requirement optional package{name owner{name} latest{version}}} facts{name title value columns rows}
		creator{login} package{name}}}}`, nil,
		`{"package":{"version":{"license":"MIT","authors":["Ann"],"keywords":["go"],"readme":{"raw":"# Hello","html":"<h1 id=\"readme-hello\">Hello</h1>\n","format":"MARKDOWN"},"metadata":{"n":1},`+
			`"dependencies":[{"group":"runtime","name":"lib","requirement":"^0.9","optional":false,"package":{"name":"Lib","owner":{"name":"acme"},"latest":{"version":"0.9"}}},`+
			`{"group":"test","name":"other","requirement":"*","optional":true,"package":null}],`+
			`"facts":[{"name":"license","title":"License","value":"MIT","columns":[],"rows":[]},{"name":"authors","title":"Authors","value":"","columns":["Name"],"rows":[["Ann"]]}],`+
			`"creator":{"login":"root"},"package":{"name":"App"}}}}`)
	f.want("", `{package(owner:"acme",type:"plain",name:"none"){name}}`, nil, `{"package":null}`)
	f.want("", `{package(owner:"acme",type:"plain",name:"app"){version(version:"7"){id}}}`, nil, `{"package":{"version":null}}`)
}

func TestFilesAndInstructions(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Private)
	f.publish("acme", "plain", "app", "1.0", func(p *registry.Publication) {
		p.Files = []registry.File{f.file("b c.txt", "hello"), f.file("a.txt", "hi")}
	})
	data := f.ask("ann", `{package(owner:"acme",type:"plain",name:"app"){instructions{title client steps{kind language path body secretPlaceholder}}
		version(version:"1.0"){instructions{steps{body}} files(first:9,orderBy:{field:NAME}){edges{node{id name url lead downloads blob{size sha256 md5}}}}}}}`, nil)
	for path, want := range map[string]string{
		"package.instructions.0.title":                     "Install",
		"package.instructions.0.client":                    "plain",
		"package.instructions.0.steps.0.kind":              "SHELL",
		"package.instructions.0.steps.0.secretPlaceholder": "TOKEN",
		"package.instructions.0.steps.0.body":              "get https://packages.test/acme/app a.txt=8f434346 b c.txt=2cf24dba",
		"package.version.instructions.0.steps.0.body":      "get https://packages.test/acme/app@1.0 a.txt=8f434346 b c.txt=2cf24dba",
		"package.version.files.edges.0.node.name":          "a.txt",
		"package.version.files.edges.1.node.blob.sha256":   "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
		"package.version.files.edges.1.node.url":           "https://packages.test/-/files/" + f.fileIDs(t, "b c.txt") + "/b%20c.txt",
	} {
		if got := pick(t, data, path); got != want {
			t.Errorf("%s = %v, want %v", path, got, want)
		}
	}
	f.want("ann", `{packageTypes{name title instructions(owner:"acme"){steps{body}}}}`, nil,
		`{"packageTypes":[{"name":"plain","title":"Plain","instructions":[{"steps":[{"body":"publish to https://packages.test/acme"}]}]},{"name":"tagged","title":"Tagged","instructions":[]}]}`)
	f.want("eve", `{packageTypes{instructions(owner:"acme"){client}}}`, nil, `{"packageTypes":[{"instructions":[]},{"instructions":[]}]}`)
}

func (f *fixture) fileIDs(t *testing.T, name string) string {
	t.Helper()
	data := f.ask("root", `{packageVersions(first:9,where:{hasFilesWith:[{name:"`+name+`"}]}){edges{node{files(first:9,where:{name:"`+name+`"}){edges{node{id}}}}}}}`, nil)
	return pick(t, data, "packageVersions.edges.0.node.files.edges.0.node.id").(string)
}

func TestVersionByTag(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Public)
	f.publish("acme", "tagged", "lib", "1.0", nil)
	f.publish("acme", "tagged", "lib", "2.0", func(p *registry.Publication) { p.Tags = []string{"next", "1.0"} })
	const query = `query($v:String!){package(owner:"acme",type:"tagged",name:"lib"){version(version:$v){version tags(first:9){edges{node{name}}}}}}`
	f.want("", query, vars{"v": "next"}, `{"package":{"version":{"version":"2.0","tags":{"edges":[{"node":{"name":"next"}},{"node":{"name":"1.0"}}]}}}}`)
	// A version's own name wins over a tag of that name.
	f.want("", query, vars{"v": "1.0"}, `{"package":{"version":{"version":"1.0","tags":{"edges":[{"node":{"name":"latest"}}]}}}}`)
	f.want("", `{package(owner:"acme",type:"tagged",name:"lib"){tags(first:9,orderBy:{field:NAME}){edges{node{name version{version}}}}}}`, nil,
		`{"package":{"tags":{"edges":[{"node":{"name":"1.0","version":{"version":"2.0"}}},{"node":{"name":"latest","version":{"version":"1.0"}}},{"node":{"name":"next","version":{"version":"2.0"}}}]}}}`)
}

func TestSearch(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Public)
	f.org("umbrella", access.Private)
	for _, p := range []struct{ owner, typ, name, summary string }{
		{"acme", "plain", "Red-Button", "A button"},
		{"acme", "tagged", "blue-button", "100% blue_ button"},
		{"acme", "plain", "slider", "Slides"},
		{"bob", "plain", "button", "Bob's"},
		{"umbrella", "plain", "secret-button", "Hidden"},
	} {
		f.publish(p.owner, p.typ, p.name, "1.0", func(pub *registry.Publication) {
			pub.Facts = registry.Facts{Summary: p.summary, Keywords: []string{"UI"}}
		})
	}
	const query = `query($text:String!,$types:[String!],$owners:[String!]){search(text:$text,types:$types,owners:$owners){
		packages(first:10,orderBy:[{field:NAME}]){totalCount edges{node{name}}} types{type count} owners{owner{name} count}}}`
	for _, tt := range []struct {
		name, who string
		vars      vars
		found     string
		facets    string
	}{
		{"a word in any case", "", vars{"text": "BUTTON"}, "Red-Button blue-button button", "plain:2 tagged:1 acme:2 bob:1"},
		{"every word must match", "", vars{"text": "button blue"}, "blue-button", "tagged:1 acme:1"},
		{"keywords", "", vars{"text": "ui sli"}, "slider", "plain:1 acme:1"},
		{"wildcards are letters", "", vars{"text": "0% b"}, "blue-button", "tagged:1 acme:1"},
		{"an underscore is one", "", vars{"text": "e_"}, "blue-button", "tagged:1 acme:1"},
		{"a type, whose facet stays", "", vars{"text": "button", "types": []string{"plain"}}, "Red-Button button", "plain:2 tagged:1 bob:1 acme:1"},
		{"an owner, whose facet stays", "", vars{"text": "button", "owners": []string{"BOB"}}, "button", "plain:1 acme:2 bob:1"},
		{"no type at all", "", vars{"text": "button", "types": []string{}}, "", "plain:2 tagged:1"},
		{"nothing", "", vars{"text": "xyzzy"}, "", ""},
		{"members find more", "ann", vars{"text": "button"}, "Red-Button blue-button button secret-button", "plain:3 tagged:1 acme:2 bob:1 umbrella:1"},
		{"everything", "", vars{"text": ""}, "Red-Button blue-button button slider", "plain:3 tagged:1 acme:3 bob:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := f.ask(tt.who, query, tt.vars)
			var names, facets []string
			for _, e := range pick(t, data, "search.packages.edges").([]any) {
				names = append(names, e.(map[string]any)["node"].(map[string]any)["name"].(string))
			}
			for _, c := range pick(t, data, "search.types").([]any) {
				facets = append(facets, fmt.Sprintf("%v:%v", c.(map[string]any)["type"], c.(map[string]any)["count"]))
			}
			for _, c := range pick(t, data, "search.owners").([]any) {
				m := c.(map[string]any)
				facets = append(facets, fmt.Sprintf("%v:%v", m["owner"].(map[string]any)["name"], m["count"]))
			}
			if got := strings.Join(names, " "); got != tt.found {
				t.Errorf("found %q, want %q", got, tt.found)
			}
			if got := strings.Join(facets, " "); got != tt.facets {
				t.Errorf("facets %q, want %q", got, tt.facets)
			}
			if n := pick(t, data, "search.packages.totalCount"); int(n.(float64)) != len(names) {
				t.Errorf("totalCount = %v, want %d", n, len(names))
			}
		})
	}
	f.wantError("", query, vars{"text": strings.Repeat("x", 201)}, "INVALID", "text")
	f.wantError("", query, vars{"text": strings.Repeat("x ", 11)}, "INVALID", "text")
	f.wantError("", query, vars{"text": "a\x00b"}, "INVALID", "")
}

// Pages follow each other without gaps, also when rows change their place.
func TestPaging(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Public)
	want := ""
	for i := range 7 {
		name := fmt.Sprintf("p%d", i)
		f.publish("acme", "plain", name, "1.0", nil)
		want += name
	}
	got, after := "", any(nil)
	for range 4 {
		data := f.ask("", `query($after:Cursor){search{packages(first:3,after:$after,orderBy:[{field:NAME}]){edges{node{name}} pageInfo{hasNextPage endCursor}}}}`, vars{"after": after})
		for _, e := range pick(t, data, "search.packages.edges").([]any) {
			got += e.(map[string]any)["node"].(map[string]any)["name"].(string)
		}
		if after = pick(t, data, "search.packages.pageInfo.endCursor"); pick(t, data, "search.packages.pageInfo.hasNextPage") == false {
			break
		}
	}
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	f.wantError("", `{packages(first:1,after:"no cursor"){totalCount}}`, nil, "INVALID", "")
}

func TestNodes(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Public)
	done := f.publish("acme", "plain", "app", "1.0", nil)
	id := f.packageID("acme", "plain", "app")
	version := f.versionID("acme", "plain", "app", "1.0")
	f.want("", `query($ids:[ID!]!){nodes(ids:$ids){__typename id ...on Package{name} ...on PackageVersion{version package{name}}}}`,
		vars{"ids": []string{id, version}},
		fmt.Sprintf(`{"nodes":[{"__typename":"Package","id":%q,"name":"app"},{"__typename":"PackageVersion","id":%q,"version":"1.0","package":{"name":"app"}}]}`, id, version))
	for _, bad := range []string{"", "1", fmt.Sprint(done.Package.ID), id + "=", "!"} {
		f.wantError("", `query($id:ID!){node(id:$id){id}}`, vars{"id": bad}, "INVALID", "")
	}
}

// The size of what names its parts, as an image does, is theirs; parts that
// are shared count once.
func TestSizeOfParts(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Public)
	f.publish("acme", "tagged", "image", ":blobs", func(p *registry.Publication) {
		p.Internal = true
		p.Files = []registry.File{f.file("base", strings.Repeat("x", 1000)), f.file("amd", strings.Repeat("y", 100)), f.file("arm", strings.Repeat("z", 10)), f.file("unused", "unused")}
	})
	part := func(version, own string, parts ...string) {
		f.publish("acme", "tagged", "image", version, func(p *registry.Publication) {
			p.Files = []registry.File{f.file("manifest", own)}
			for _, name := range parts {
				p.Properties = append(p.Properties, registry.Property{Name: "part", Value: name})
			}
			p.Properties = append(p.Properties, registry.Property{Name: "other", Value: "unused"})
		})
	}
	part("1-amd", "a", "base", "amd")
	part("1-arm", "bb", "base", "arm")
	part("1", "ccc", "1-amd", "1-arm")
	// The same names in another package are none of its parts.
	f.publish("acme", "tagged", "other", "base", nil)
	f.want("", `{package(owner:"acme",type:"tagged",name:"image"){size versions(first:9,orderBy:[{field:CREATED_AT}]){edges{node{version size fileCount}}}}}`, nil,
		`{"package":{"size":1122,"versions":{"edges":[{"node":{"version":"1-amd","size":1101,"fileCount":1}},{"node":{"version":"1-arm","size":1012,"fileCount":1}},{"node":{"version":"1","size":1116,"fileCount":1}}]}}}`)
}

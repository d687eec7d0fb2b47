package graph

import (
	"fmt"
	"testing"

	"entrepot/access"
	"entrepot/ent/membership"
	"entrepot/registry"
)

// The number of SQL statements follows the shape of a request, never the
// length of its lists.
func TestStatements(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Public)
	fill := func(from, to int) {
		for i := from; i < to; i++ {
			login := fmt.Sprintf("user%d", i)
			f.user(login)
			f.member("acme", login, membership.RoleReader)
			f.publish(login, "plain", "own", "1.0", nil)
			f.publish("acme", "plain", fmt.Sprintf("app%d", i), "1.0", f.rich(i))
			f.publish("acme", "plain", "app", fmt.Sprintf("1.%d", i), f.rich(i))
			f.publish("acme", "tagged", "image", fmt.Sprintf("1.%d", i), func(p *registry.Publication) {
				p.Tags = []string{"edge"}
				p.Properties = []registry.Property{{Name: "about", Value: "1.0"}}
			})
		}
	}
	queries := map[string]string{
		"search page": `{search{packages(first:100){totalCount edges{node{name summary downloads effectiveVisibility viewerCan{write} size
			packageType{title} owner{name viewerRole} latest{version isLatest createdAt size creator{login}}}}} types{title count} owners(first:50){owner{name visibility} count}}}`,
		"owners": `{owners(first:100){totalCount edges{node{name viewerRole viewerCan{write} packageTypes{type count} user{login email}
			packages(first:2){totalCount edges{node{name latest{version}}}} memberships(first:2){edges{node{login user{login}}}}}}}}`,
		"members": `{owner(name:"acme"){memberships(first:100){totalCount edges{node{role login fullName user{login namespace{name visibility}}}}}}}`,
		"versions": `{package(owner:"acme",type:"plain",name:"app"){versions(first:100,orderBy:[{field:VERSION,direction:DESC}]){totalCount edges{node{
			version isLatest size fileCount creator{login} tags(first:5){edges{node{name}}} files(first:3){totalCount edges{node{name url blob{size sha256}}}}
			facts{value} package{name}}}}}}`,
		"dependencies": `{package(owner:"acme",type:"plain",name:"app"){versions(first:40){edges{node{
			dependencies{name package{name owner{name} latest{version} viewerCan{write} size}}}}}}}`,
		"referrers": `{package(owner:"acme",type:"tagged",name:"image"){version(version:"1.0"){referrers(first:100){totalCount pageInfo{hasNextPage}
			edges{kind artifactType node{version size isLatest creator{login} tags(first:3){edges{node{name}}} files(first:3){edges{node{name url}}}}}}}}}`,
		"tag history":  `{package(owner:"acme",type:"tagged",name:"image"){tagHistory(tag:"edge",first:100){totalCount edges{node{tag from to at actor{login namespace{name}}}}}}}`,
		"instructions": `{packages(first:100){edges{node{instructions{steps{body}} latest{instructions{steps{body}} readme{html}}}}}}`,
	}
	count := func(query string) int64 {
		before, writes := f.reg.Database().Statements()
		f.ask("ann", query, nil)
		after, wrote := f.reg.Database().Statements()
		if wrote != writes {
			t.Errorf("%s wrote to the database", query)
		}
		return after - before
	}
	fill(0, 2)
	few := map[string]int64{}
	for name, query := range queries {
		few[name] = count(query)
	}
	fill(2, 30)
	for name, query := range queries {
		many := count(query)
		t.Logf("%s: %d statements", name, many)
		if many != few[name] {
			t.Errorf("%s: %d statements for 2 elements, %d for 30", name, few[name], many)
		}
	}
}

// rich completes a publication with one of everything.
func (f *fixture) rich(i int) func(*registry.Publication) {
	return func(p *registry.Publication) {
		p.Facts = registry.Facts{
			Summary: "s", Readme: fmt.Sprintf("# Number %d", i), License: "MIT",
			Dependencies: []registry.Dependency{{Name: "app"}, {Name: fmt.Sprintf("app%d", i)}, {Name: "elsewhere"}},
		}
		p.Files = []registry.File{f.file("a.txt", fmt.Sprint("a", i)), f.file("b.txt", fmt.Sprint("b", i))}
		p.Tags = []string{fmt.Sprintf("t%d", i)}
	}
}

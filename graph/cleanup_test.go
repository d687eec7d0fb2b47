package graph

import (
	"testing"
)

// TestCleanup writes a rule, asks what it would do, lets it, and reads what it
// has done.
func TestCleanup(t *testing.T) {
	f := newFixture(t)
	f.want("ann", `mutation{createOrganization(input:{name:"acme"}){owner{cleanupRules{name} cleanupUntaggedDays}}}`, nil,
		`{"createOrganization":{"owner":{"cleanupRules":[],"cleanupUntaggedDays":7}}}`)
	const create = `mutation($input:CreateCleanupRuleInput!){createCleanupRule(input:$input){rule{name enabled schedule spec{
		select{types} keep{newest versions} remove{everything olderThan}}}}}`
	rule := vars{"name": "two", "spec": vars{"select": vars{"types": []string{"plain"}}, "keep": vars{"newest": 2, "versions": []string{"lts-*"}}, "remove": vars{"everything": true}}}
	f.want("ann", create, vars{"input": vars{"owner": "acme", "rule": rule}},
		`{"createCleanupRule":{"rule":{"name":"two","enabled":true,"schedule":"","spec":{"select":{"types":["plain"]},"keep":{"newest":2,"versions":["lts-*"]},"remove":{"everything":true,"olderThan":0}}}}}`)
	f.wantError("ann", create, vars{"input": vars{"owner": "acme", "rule": rule}}, "CONFLICT", "name")
	f.wantError("bob", create, vars{"input": vars{"owner": "acme", "rule": rule}}, "FORBIDDEN", "")
	f.wantError("ann", create, vars{"input": vars{"owner": "acme", "rule": vars{"name": "x", "spec": vars{"remove": vars{"versions": []string{"re:("}}}}}}, "INVALID", "spec.remove.versions")
	f.wantError("ann", `{cleanupPreview(owner:"acme",limit:1001){removed}}`, nil, "COMPLEXITY_LIMIT_EXCEEDED", "")
	f.want("ann", `{cleanupPreview(owner:"acme"){removed held bytes items{version reasons package{name}}}}`, nil,
		`{"cleanupPreview":{"removed":0,"held":0,"bytes":0,"items":[]}}`)
	f.wantError("bob", `{cleanupPreview(owner:"acme"){removed}}`, nil, "FORBIDDEN", "")
	f.want("ann", `mutation{runCleanup(input:{owner:"acme"}){run{rules removed bytes error}}}`, nil,
		`{"runCleanup":{"run":{"rules":["two"],"removed":0,"bytes":0,"error":""}}}`)
	f.want("bob", `{owner(name:"acme"){cleanupRules{name} cleanupRuns{removed} cleanupUntaggedDays}}`, nil,
		`{"owner":{"cleanupRules":null,"cleanupRuns":null,"cleanupUntaggedDays":null}}`)
	f.want("ann", `{owner(name:"acme"){cleanupRuns{rules removed}}}`, nil, `{"owner":{"cleanupRuns":[{"rules":["two"],"removed":0}]}}`)
	f.want("ann", `mutation{updateOwner(input:{name:"acme",cleanupUntaggedDays:0}){owner{cleanupUntaggedDays}}}`, nil,
		`{"updateOwner":{"owner":{"cleanupUntaggedDays":0}}}`)
	f.wantError("ann", `mutation{updateOwner(input:{name:"acme",cleanupUntaggedDays:-1}){owner{id}}}`, nil, "INVALID", "cleanupUntaggedDays")
	f.want("ann", `{cleanupSpecOfForgejo(rule:{type:"plain",keepCount:5,removePattern:"rc-.+"}){select{types} keep{newestPublished} remove{everything versions} takesLastVersion action}}`, nil,
		`{"cleanupSpecOfForgejo":{"select":{"types":["plain"]},"keep":{"newestPublished":5},"remove":{"everything":false,"versions":["re:rc-.+"]},"takesLastVersion":true,"action":"delete"}}`)
}

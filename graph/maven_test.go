package graph

import "testing"

// What owners say of their Maven packages.
func TestMavenSettings(t *testing.T) {
	f := newFixture(t)
	const shown = `owner{mavenRedeploy{pattern mode} mavenVersions mavenKeepBuilds mavenKeepDays}`
	f.want("ann", `mutation{createOrganization(input:{name:"acme"}){`+shown+`}}`, nil,
		`{"createOrganization":{"owner":{"mavenRedeploy":[],"mavenVersions":"ALL","mavenKeepBuilds":0,"mavenKeepDays":0}}}`)
	const update = `mutation($input:UpdateOwnerInput!){updateOwner(input:$input){` + shown + `}}`
	f.want("ann", update, vars{"input": vars{"name": "acme", "mavenRedeploy": []vars{{"pattern": "com.acme:*", "mode": "ALWAYS"}}, "mavenVersions": "RELEASES", "mavenKeepBuilds": 3}},
		`{"updateOwner":{"owner":{"mavenRedeploy":[{"pattern":"com.acme:*","mode":"ALWAYS"}],"mavenVersions":"RELEASES","mavenKeepBuilds":3,"mavenKeepDays":0}}}`)
	// What is left out stays.
	f.want("ann", update, vars{"input": vars{"name": "acme", "mavenKeepDays": 30, "mavenVersions": "ALL"}},
		`{"updateOwner":{"owner":{"mavenRedeploy":[{"pattern":"com.acme:*","mode":"ALWAYS"}],"mavenVersions":"ALL","mavenKeepBuilds":3,"mavenKeepDays":30}}}`)
	f.wantError("ann", update, vars{"input": vars{"name": "acme", "mavenRedeploy": []vars{{"pattern": "[", "mode": "NEVER"}}}}, "INVALID", "mavenRedeploy")
	f.wantError("ann", update, vars{"input": vars{"name": "acme", "mavenKeepBuilds": -1}}, "INVALID", "mavenKeepBuilds")
	f.wantError("ann", update, vars{"input": vars{"name": "acme", "mavenKeepDays": 100_001}}, "INVALID", "mavenKeepDays")
	f.wantError("bob", update, vars{"input": vars{"name": "acme", "mavenKeepDays": 1}}, "FORBIDDEN", "")
	f.want("bob", `{owner(name:"acme"){mavenRedeploy{mode} mavenVersions mavenKeepBuilds mavenKeepDays}}`, nil,
		`{"owner":{"mavenRedeploy":null,"mavenVersions":null,"mavenKeepBuilds":null,"mavenKeepDays":null}}`)
}

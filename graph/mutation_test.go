package graph

import (
	"fmt"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent/membership"
	"entrepot/registry"
)

func TestAccountMutations(t *testing.T) {
	f := newFixture(t)
	const create = `mutation($input:CreateUserInput!){createUser(input:$input){user{login fullName email admin}}}`
	carl := vars{"login": "Carl", "email": "carl@example.com", "password": "long enough", "fullName": "Carl C"}
	f.want("root", create, vars{"input": carl}, `{"createUser":{"user":{"login":"Carl","fullName":"Carl C","email":"carl@example.com","admin":false}}}`)
	f.wantError("root", create, vars{"input": carl}, "CONFLICT", "login")
	with := func(field string, value any) vars {
		in := vars{"login": "dora", "email": "dora@example.com", "password": "long enough"}
		in[field] = value
		return vars{"input": in}
	}
	f.wantError("root", create, with("login", "a b"), "INVALID", "login")
	f.wantError("root", create, with("login", "graphql"), "INVALID", "login")
	f.wantError("root", create, with("email", "dora"), "INVALID", "email")
	f.wantError("root", create, with("email", "CARL@example.com"), "CONFLICT", "email")
	f.wantError("root", create, with("password", "short"), "INVALID", "password")
	f.wantError("root", create, with("fullName", strings.Repeat("x", 201)), "INVALID", "fullName")
	f.wantError("ann", create, vars{"input": carl}, "FORBIDDEN", "")
	f.wantError("root/read:package", create, vars{"input": carl}, "FORBIDDEN", "")
	f.wantError("", create, vars{"input": carl}, "UNAUTHENTICATED", "")

	const profile = `mutation($input:UpdateProfileInput!){updateProfile(input:$input){user{fullName email}}}`
	f.want("bob", profile, vars{"input": vars{"fullName": "Bob B"}}, `{"updateProfile":{"user":{"fullName":"Bob B","email":"bob@example.com"}}}`)
	f.want("bob", profile, vars{"input": vars{"email": "b@example.com"}}, `{"updateProfile":{"user":{"fullName":"Bob B","email":"b@example.com"}}}`)
	f.wantError("bob", profile, vars{"input": vars{"email": "ann@example.com"}}, "CONFLICT", "email")
	f.wantError("bob", profile, vars{"input": vars{"email": "x"}}, "INVALID", "email")
	f.wantError("bob/admin:owner", profile, vars{"input": vars{"fullName": "B"}}, "FORBIDDEN", "")
	f.wantError("", profile, vars{"input": vars{"fullName": "B"}}, "UNAUTHENTICATED", "")

	const setPassword = `mutation($old:String!,$new:String!){setPassword(input:{oldPassword:$old,password:$new}){user{login}}}`
	f.wantError("bob", setPassword, vars{"old": "wrong", "new": "another one"}, "INVALID", "oldPassword")
	f.wantError("bob", setPassword, vars{"old": password, "new": "short"}, "INVALID", "password")
	f.want("bob", setPassword, vars{"old": password, "new": "another one"}, `{"setPassword":{"user":{"login":"bob"}}}`)
	if _, err := f.auth.CheckPassword(t.Context(), "bob", "another one", "test"); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if _, err := f.auth.CheckPassword(t.Context(), "bob", password, "test"); registry.CodeOf(err) != registry.Unauthenticated {
		t.Errorf("the old password: %v", err)
	}

	const disable = `mutation($d:Boolean!){setUserDisabled(input:{login:"BOB",disabled:$d}){user{login disabled}}}`
	f.want("root", disable, vars{"d": true}, `{"setUserDisabled":{"user":{"login":"bob","disabled":true}}}`)
	if _, err := f.auth.CheckPassword(t.Context(), "bob", "another one", "test"); registry.CodeOf(err) != registry.Unauthenticated {
		t.Errorf("a disabled user's password: %v", err)
	}
	f.want("root", disable, vars{"d": false}, `{"setUserDisabled":{"user":{"login":"bob","disabled":false}}}`)
	f.wantError("ann", disable, vars{"d": true}, "FORBIDDEN", "")
	f.wantError("root", `mutation{setUserDisabled(input:{login:"none",disabled:true}){user{id}}}`, nil, "NOT_FOUND", "login")
}

func TestTokenMutations(t *testing.T) {
	f := newFixture(t)
	const create = `mutation($input:CreateTokenInput!){createToken(input:$input){secret token{id name scopes user{login}}}}`
	data := f.ask("ann", create, vars{"input": vars{"name": "ci", "scopes": []string{"read:package", "write:package"}}})
	secret, _ := pick(t, data, "createToken.secret").(string)
	id, _ := pick(t, data, "createToken.token.id").(string)
	if !strings.HasPrefix(secret, "ent-") || pick(t, data, "createToken.token.scopes.1") != "write:package" {
		t.Errorf("created %s", data)
	}
	f.want("ann", `{viewer{tokens(first:10){edges{node{name scopes lastUsedAt}}}}}`, nil,
		`{"viewer":{"tokens":{"edges":[{"node":{"name":"ci","scopes":["read:package","write:package"],"lastUsedAt":null}}]}}}`)
	if all := f.ask("ann", `{viewer{tokens(first:10){edges{node{id name scopes createdAt expiresAt lastUsedAt}}}}}`, nil); strings.Contains(all, secret) {
		t.Error("the secret can be read again")
	}
	f.want("bob", `query($id:ID!){node(id:$id){id}}`, vars{"id": id}, `{"node":null}`)

	f.wantError("ann", create, vars{"input": vars{"name": "x", "scopes": []string{}}}, "INVALID", "scopes")
	f.wantError("ann", create, vars{"input": vars{"name": "x", "scopes": []string{"root"}}}, "INVALID", "scopes")
	f.wantError("ann", create, vars{"input": vars{"name": "", "scopes": []string{"read:package"}}}, "INVALID", "name")
	f.wantError("ann", create, vars{"input": vars{"name": "x", "scopes": []string{"read:package"}, "expiresAt": "2001-01-01T00:00:00Z"}}, "INVALID", "expiresAt")
	f.wantError("ann", create, vars{"input": vars{"name": "x", "scopes": []string{"read:package"}, "expiresAt": "soon"}}, "INVALID", "")
	f.wantError("ann/read:package", create, vars{"input": vars{"name": "x", "scopes": []string{"write:package"}}}, "FORBIDDEN", "")
	f.wantError("", create, vars{"input": vars{"name": "x", "scopes": []string{"read:package"}}}, "UNAUTHENTICATED", "")

	forBob := vars{"input": vars{"name": "robot", "scopes": []string{"read:package"}, "user": "bob"}}
	f.wantError("ann", create, forBob, "FORBIDDEN", "")
	f.ask("root", create, forBob)
	f.want("bob", `{viewer{tokens(first:10){totalCount}}}`, nil, `{"viewer":{"tokens":{"totalCount":1}}}`)

	const revoke = `mutation($id:ID!){revokeToken(input:{id:$id}){id}}`
	f.wantError("bob", revoke, vars{"id": id}, "NOT_FOUND", "")
	f.wantError("", revoke, vars{"id": id}, "UNAUTHENTICATED", "")
	f.want("ann", revoke, vars{"id": id}, fmt.Sprintf(`{"revokeToken":{"id":%q}}`, id))
	f.wantError("ann", revoke, vars{"id": id}, "NOT_FOUND", "")
}

func TestOwnerMutations(t *testing.T) {
	f := newFixture(t)
	const create = `mutation($input:CreateOrganizationInput!){createOrganization(input:$input){owner{name visibility viewerRole}}}`
	f.want("ann", create, vars{"input": vars{"name": "Acme"}}, `{"createOrganization":{"owner":{"name":"Acme","visibility":"PUBLIC","viewerRole":"OWNER"}}}`)
	f.want("root", create, vars{"input": vars{"name": "umbrella", "visibility": "PRIVATE", "owner": "bob"}},
		`{"createOrganization":{"owner":{"name":"umbrella","visibility":"PRIVATE","viewerRole":null}}}`)
	f.wantError("ann", create, vars{"input": vars{"name": "acme"}}, "CONFLICT", "name")
	f.wantError("ann", create, vars{"input": vars{"name": "a/b"}}, "INVALID", "name")
	f.wantError("ann", create, vars{"input": vars{"name": "other", "owner": "bob"}}, "FORBIDDEN", "")
	f.wantError("", create, vars{"input": vars{"name": "other"}}, "UNAUTHENTICATED", "")

	const update = `mutation($input:UpdateOwnerInput!){updateOwner(input:$input){owner{displayName description visibility genericOverwrite{pattern mode}}}}`
	f.want("ann", update, vars{"input": vars{"name": "acme", "displayName": "Acme Inc.", "visibility": "LIMITED",
		"genericOverwrite": []vars{{"pattern": "nightly-*", "mode": "ALWAYS"}, {"pattern": "*", "mode": "IDENTICAL"}}}},
		`{"updateOwner":{"owner":{"displayName":"Acme Inc.","description":"","visibility":"LIMITED","genericOverwrite":[{"pattern":"nightly-*","mode":"ALWAYS"},{"pattern":"*","mode":"IDENTICAL"}]}}}`)
	// What is left out stays.
	f.want("ann", update, vars{"input": vars{"name": "acme", "description": "Things"}},
		`{"updateOwner":{"owner":{"displayName":"Acme Inc.","description":"Things","visibility":"LIMITED","genericOverwrite":[{"pattern":"nightly-*","mode":"ALWAYS"},{"pattern":"*","mode":"IDENTICAL"}]}}}`)
	f.wantError("ann", update, vars{"input": vars{"name": "acme", "displayName": strings.Repeat("x", 201)}}, "INVALID", "displayName")
	f.wantError("ann", update, vars{"input": vars{"name": "acme", "genericOverwrite": []vars{{"pattern": "[", "mode": "NEVER"}}}}, "INVALID", "genericOverwrite")
	f.want("ann", `mutation{updateOwner(input:{name:"acme",containerImmutableTags:["app:v*"],containerSparseIndex:true}){owner{containerImmutableTags containerSparseIndex genericOverwrite{mode}}}}`, nil,
		`{"updateOwner":{"owner":{"containerImmutableTags":["app:v*"],"containerSparseIndex":true,"genericOverwrite":[{"mode":"ALWAYS"},{"mode":"IDENTICAL"}]}}}`)
	f.want("bob", `{owner(name:"acme"){containerImmutableTags containerSparseIndex}}`, nil, `{"owner":{"containerImmutableTags":null,"containerSparseIndex":null}}`)
	f.wantError("ann", update, vars{"input": vars{"name": "acme", "containerImmutableTags": []string{"v1"}}}, "INVALID", "containerImmutableTags")
	f.wantError("ann", update, vars{"input": vars{"name": "acme", "containerImmutableTags": []string{"[:v1"}}}, "INVALID", "containerImmutableTags")
	f.wantError("bob", update, vars{"input": vars{"name": "acme", "description": "mine"}}, "FORBIDDEN", "")
	f.wantError("ann/write:package", update, vars{"input": vars{"name": "acme", "description": "mine"}}, "NOT_FOUND", "")
	f.wantError("ann/read:package,write:package", update, vars{"input": vars{"name": "acme", "description": "mine"}}, "FORBIDDEN", "")
	f.wantError("eve", update, vars{"input": vars{"name": "umbrella", "description": "mine"}}, "NOT_FOUND", "")

	const set = `mutation($org:String!,$user:String!,$role:MembershipRole!){setMember(input:{organization:$org,user:$user,role:$role}){membership{role login owner{name}}}}`
	f.want("ann", set, vars{"org": "acme", "user": "bob", "role": "WRITER"}, `{"setMember":{"membership":{"role":"WRITER","login":"bob","owner":{"name":"Acme"}}}}`)
	f.want("ann", set, vars{"org": "acme", "user": "bob", "role": "READER"}, `{"setMember":{"membership":{"role":"READER","login":"bob","owner":{"name":"Acme"}}}}`)
	f.wantError("ann", set, vars{"org": "acme", "user": "nobody", "role": "READER"}, "NOT_FOUND", "user")
	f.wantError("ann", set, vars{"org": "acme", "user": "ann", "role": "READER"}, "CONFLICT", "role")
	f.wantError("bob", set, vars{"org": "acme", "user": "bob", "role": "OWNER"}, "FORBIDDEN", "")
	f.wantError("ann", set, vars{"org": "bob", "user": "ann", "role": "OWNER"}, "FORBIDDEN", "")

	const remove = `mutation($org:String!,$user:String!){removeMember(input:{organization:$org,user:$user}){owner{name}}}`
	f.wantError("eve", remove, vars{"org": "acme", "user": "bob"}, "FORBIDDEN", "")
	f.wantError("ann", remove, vars{"org": "acme", "user": "ann"}, "CONFLICT", "role")
	f.want("bob", remove, vars{"org": "acme", "user": "bob"}, `{"removeMember":{"owner":{"name":"Acme"}}}`)
	f.wantError("ann", remove, vars{"org": "acme", "user": "bob"}, "NOT_FOUND", "user")
	// Who leaves a private organization does not see it any more.
	f.member("umbrella", "ann", membership.RoleReader)
	f.want("ann", remove, vars{"org": "umbrella", "user": "ann"}, `{"removeMember":{"owner":null}}`)

	const del = `mutation($name:String!){deleteOrganization(input:{name:$name}){name}}`
	f.publish("acme", "plain", "app", "1", nil)
	f.wantError("bob", del, vars{"name": "acme"}, "FORBIDDEN", "")
	f.wantError("ann", del, vars{"name": "acme"}, "CONFLICT", "")
	f.wantError("ann", del, vars{"name": "ann"}, "INVALID", "organization")
	f.want("bob", del, vars{"name": "umbrella"}, `{"deleteOrganization":{"name":"umbrella"}}`)
	f.want("root", `{owner(name:"umbrella"){id}}`, nil, `{"owner":null}`)
}

func TestPackageMutations(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Public)
	f.member("acme", "bob", membership.RoleReader)
	for _, version := range []string{"1.0", "2.0"} {
		f.publish("acme", "tagged", "lib", version, nil)
	}
	lib, one, two := f.packageID("acme", "tagged", "lib"), f.versionID("acme", "tagged", "lib", "1.0"), f.versionID("acme", "tagged", "lib", "2.0")

	const setTag = `mutation($v:ID!,$t:String!){setTag(input:{version:$v,tag:$t}){version{version tags(first:9){edges{node{name}}} package{latest{version}}}}}`
	f.want("ann", setTag, vars{"v": one, "t": "latest"}, `{"setTag":{"version":{"version":"1.0","tags":{"edges":[{"node":{"name":"latest"}}]},"package":{"latest":{"version":"1.0"}}}}}`)
	f.wantError("ann", setTag, vars{"v": one, "t": "two words"}, "INVALID", "tag")
	f.wantError("bob", setTag, vars{"v": one, "t": "mine"}, "FORBIDDEN", "")
	f.wantError("", setTag, vars{"v": one, "t": "mine"}, "UNAUTHENTICATED", "")
	f.wantError("ann", setTag, vars{"v": lib, "t": "x"}, "NOT_FOUND", "")
	const removeTag = `mutation($p:ID!,$t:String!){removeTag(input:{package:$p,tag:$t}){package{latest{version}}}}`
	f.want("ann", removeTag, vars{"p": lib, "t": "latest"}, `{"removeTag":{"package":{"latest":{"version":"2.0"}}}}`)
	f.wantError("ann", removeTag, vars{"p": lib, "t": "none"}, "NOT_FOUND", "tag")

	const deprecate = `mutation($v:ID!){deprecateVersion(input:{id:$v,reason:"old"}){version{deprecated statusReason isLatest}}}`
	f.want("ann", deprecate, vars{"v": one}, `{"deprecateVersion":{"version":{"deprecated":true,"statusReason":"old","isLatest":false}}}`)
	f.wantError("bob", deprecate, vars{"v": one}, "FORBIDDEN", "")
	f.wantError("ann", `mutation($v:ID!,$r:String!){deprecateVersion(input:{id:$v,reason:$r}){version{id}}}`, vars{"v": one, "r": strings.Repeat("x", 2001)}, "INVALID", "reason")
	f.want("ann", `mutation($v:ID!){undeprecateVersion(input:{id:$v}){version{deprecated statusReason}}}`, vars{"v": one},
		`{"undeprecateVersion":{"version":{"deprecated":false,"statusReason":""}}}`)

	const yank = `mutation($v:ID!){yankVersion(input:{id:$v,reason:"leaks"}){version{yanked statusReason}}}`
	f.want("ann", yank, vars{"v": two}, `{"yankVersion":{"version":{"yanked":true,"statusReason":"leaks"}}}`)
	f.wantError("bob", yank, vars{"v": two}, "FORBIDDEN", "")
	f.publish("acme", "plain", "lib", "1.0", nil)
	f.wantError("ann", yank, vars{"v": f.versionID("acme", "plain", "lib", "1.0")}, "INVALID", "id")
	f.wantError("ann", `mutation($v:ID!,$r:String!){yankVersion(input:{id:$v,reason:$r}){version{id}}}`, vars{"v": two, "r": strings.Repeat("x", 2001)}, "INVALID", "reason")
	f.want("ann", `mutation($v:ID!){unyankVersion(input:{id:$v}){version{yanked statusReason}}}`, vars{"v": two},
		`{"unyankVersion":{"version":{"yanked":false,"statusReason":""}}}`)

	const state = `mutation($p:ID!,$s:String){setPackageState(input:{id:$p,state:$s,reason:"why"}){package{state{state reason}}}}`
	f.want("ann", state, vars{"p": lib, "s": "archived"}, `{"setPackageState":{"package":{"state":{"state":"archived","reason":"why"}}}}`)
	f.wantError("ann", state, vars{"p": lib, "s": "lost"}, "INVALID", "state")
	f.wantError("bob", state, vars{"p": lib, "s": "archived"}, "FORBIDDEN", "")
	f.want("ann", state, vars{"p": lib, "s": nil}, `{"setPackageState":{"package":{"state":null}}}`)

	const visibility = `mutation($p:ID!,$v:PackageVisibility!){setPackageVisibility(input:{id:$p,visibility:$v}){package{visibility effectiveVisibility}}}`
	f.want("ann", visibility, vars{"p": lib, "v": "PRIVATE"}, `{"setPackageVisibility":{"package":{"visibility":"PRIVATE","effectiveVisibility":"PRIVATE"}}}`)
	f.wantError("bob", visibility, vars{"p": lib, "v": "PUBLIC"}, "FORBIDDEN", "")
	f.wantError("eve", visibility, vars{"p": lib, "v": "PUBLIC"}, "NOT_FOUND", "")
	f.want("ann", visibility, vars{"p": lib, "v": "INHERIT"}, `{"setPackageVisibility":{"package":{"visibility":"INHERIT","effectiveVisibility":"PUBLIC"}}}`)

	const deleteVersion = `mutation($v:ID!){deleteVersion(input:{id:$v}){id package{versionCount}}}`
	f.wantError("bob", deleteVersion, vars{"v": two}, "FORBIDDEN", "")
	f.wantError("ann/read:package,write:package", deleteVersion, vars{"v": two}, "FORBIDDEN", "")
	f.want("ann", deleteVersion, vars{"v": two}, fmt.Sprintf(`{"deleteVersion":{"id":%q,"package":{"versionCount":1}}}`, two))
	f.wantError("ann", deleteVersion, vars{"v": two}, "NOT_FOUND", "")
	f.want("ann/delete:package", deleteVersion, vars{"v": one}, fmt.Sprintf(`{"deleteVersion":{"id":%q,"package":null}}`, one))
	f.want("ann", `{package(owner:"acme",type:"tagged",name:"lib"){id}}`, nil, `{"package":null}`)

	f.publish("acme", "plain", "app", "1.0", func(p *registry.Publication) {
		p.Files = []registry.File{f.file("a.txt", "a"), f.file("b.txt", "b")}
	})
	f.publish("acme", "tagged", "lib", "1.0", nil)
	app := f.packageID("acme", "plain", "app")
	const deleteFile = `mutation($f:ID!){deleteFile(input:{id:$f}){id version{version fileCount}}}`
	file := f.fileID("acme", "plain", "app", "1.0")
	f.wantError("bob", deleteFile, vars{"f": file}, "FORBIDDEN", "")
	f.want("ann", deleteFile, vars{"f": file}, fmt.Sprintf(`{"deleteFile":{"id":%q,"version":{"version":"1.0","fileCount":1}}}`, file))
	f.wantError("ann", deleteFile, vars{"f": file}, "NOT_FOUND", "")
	f.wantError("ann", deleteFile, vars{"f": f.fileID("acme", "tagged", "lib", "1.0")}, "INVALID", "type")
	f.wantError("ann", setTag, vars{"v": f.versionID("acme", "plain", "app", "1.0"), "t": "x"}, "INVALID", "tag")

	const deletePackage = `mutation($p:ID!){deletePackage(input:{id:$p}){id owner{name}}}`
	f.wantError("bob", deletePackage, vars{"p": app}, "FORBIDDEN", "")
	f.want("ann", deletePackage, vars{"p": app}, fmt.Sprintf(`{"deletePackage":{"id":%q,"owner":{"name":"acme"}}}`, app))
	f.wantError("ann", deletePackage, vars{"p": app}, "NOT_FOUND", "")
}

// What an operation's first mutation changes, its second one sees.
func TestMutationsInARow(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Public)
	f.publish("acme", "plain", "app", "1.0", nil)
	id := f.packageID("acme", "plain", "app")
	f.want("ann", `mutation($p:ID!){
		a:updateOwner(input:{name:"acme",visibility:LIMITED}){owner{packages(first:1){edges{node{effectiveVisibility}}}}}
		b:setPackageVisibility(input:{id:$p,visibility:PUBLIC}){package{effectiveVisibility}}
		c:updateOwner(input:{name:"acme",visibility:PUBLIC}){owner{packages(first:1){edges{node{effectiveVisibility}}}}}}`, vars{"p": id},
		`{"a":{"owner":{"packages":{"edges":[{"node":{"effectiveVisibility":"LIMITED"}}]}}},"b":{"package":{"effectiveVisibility":"LIMITED"}},`+
			`"c":{"owner":{"packages":{"edges":[{"node":{"effectiveVisibility":"PUBLIC"}}]}}}}`)
}

// Tags that the owner keeps in their place neither move nor go, whichever way.
func TestTagsThatStay(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Public)
	f.publish("acme", "tagged", "lib", "1.0", func(p *registry.Publication) { p.Tags = []string{"stays-here", "moves"} })
	f.publish("acme", "tagged", "lib", "2.0", nil)
	lib, one, two := f.packageID("acme", "tagged", "lib"), f.versionID("acme", "tagged", "lib", "1.0"), f.versionID("acme", "tagged", "lib", "2.0")
	f.wantError("ann", `mutation($v:ID!){setTag(input:{version:$v,tag:"stays-here"}){version{id}}}`, vars{"v": two}, "FORBIDDEN", "")
	f.wantError("ann", `mutation($p:ID!){removeTag(input:{package:$p,tag:"stays-here"}){package{id}}}`, vars{"p": lib}, "FORBIDDEN", "")
	f.wantError("ann", `mutation($v:ID!){deleteVersion(input:{id:$v}){id}}`, vars{"v": one}, "FORBIDDEN", "")
	f.wantError("ann", `mutation($p:ID!){deletePackage(input:{id:$p}){id}}`, vars{"p": lib}, "FORBIDDEN", "")
	f.ask("ann", `mutation($v:ID!){setTag(input:{version:$v,tag:"stays-here"}){version{id}}}`, vars{"v": one})
	f.ask("ann", `mutation($v:ID!){setTag(input:{version:$v,tag:"moves"}){version{id}}}`, vars{"v": two})
	f.ask("ann", `mutation($v:ID!){deleteVersion(input:{id:$v}){id}}`, vars{"v": two})
}

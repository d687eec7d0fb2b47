package access

import "testing"

func TestDecide(t *testing.T) {
	user := Viewer{Kind: User, UserID: 1}
	admin := Viewer{Kind: User, UserID: 2, SiteAdmin: true}
	readToken := Viewer{Kind: User, UserID: 1, Scopes: []Scope{ReadPackage}}
	writeOnly := Viewer{Kind: User, UserID: 1, Scopes: []Scope{WritePackage}}
	public := Target{OwnerVisibility: Public}
	limited := Target{OwnerVisibility: Limited}
	private := Target{OwnerVisibility: Private}
	role := func(t Target, r Role) Target { t.Role = r; return t }
	pkg := func(t Target, v Visibility) Target { t.PackageVisibility = v; return t }

	for _, tt := range []struct {
		name   string
		viewer Viewer
		action Action
		target Target
		want   Decision
	}{
		{"anonymous reads public", Viewer{}, Read, public, Decision{true, true, RulePublic}},
		{"anonymous does not see limited", Viewer{}, Read, limited, Decision{false, false, RuleNotVisible}},
		{"anonymous does not write public", Viewer{}, Write, public, Decision{false, true, RuleNotSignedIn}},
		{"a user reads limited", user, Read, limited, Decision{true, true, RuleLimited}},
		{"a stranger does not see private", user, Read, private, Decision{false, false, RuleNotVisible}},
		{"a stranger does not write private", user, Write, private, Decision{false, false, RuleNotVisible}},
		{"a stranger does not write public", user, Write, public, Decision{false, true, RuleMissingRole}},
		{"a reader reads private", user, Read, role(private, Reader), Decision{true, true, RuleRole}},
		{"a reader does not write", user, Write, role(private, Reader), Decision{false, true, RuleMissingRole}},
		{"a writer writes", user, Write, role(private, Writer), Decision{true, true, RuleRole}},
		{"a writer deletes", user, Delete, role(private, Writer), Decision{true, true, RuleRole}},
		{"a writer does not administer", user, Administer, role(public, Writer), Decision{false, true, RuleMissingRole}},
		{"an owner administers", user, Administer, role(public, Admin), Decision{true, true, RuleRole}},
		{"a site administrator does all", admin, Administer, private, Decision{true, true, RuleSiteAdmin}},
		{"the system does all", SystemViewer(), Delete, private, Decision{true, true, RuleSystem}},
		{"a read token does not write", readToken, Write, role(private, Admin), Decision{false, true, RuleTokenScope}},
		{"a token without read sees nothing", writeOnly, Read, role(public, Admin), Decision{false, false, RuleTokenScope}},
		{"a private package in a public owner", user, Read, pkg(public, Private), Decision{false, false, RuleNotVisible}},
		{"a public package in a private owner stays hidden", user, Read, pkg(private, Public), Decision{false, false, RuleNotVisible}},
		{"a package inherits", user, Read, pkg(limited, Inherit), Decision{true, true, RuleLimited}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Decide(tt.viewer, tt.action, tt.target); got != tt.want {
				t.Errorf("Decide = %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestParseScopes(t *testing.T) {
	got, unknown := ParseScopes([]string{"read:package", "read:package", "write:package"})
	if unknown != "" || len(got) != 2 {
		t.Errorf("ParseScopes = %v, %q; want two scopes", got, unknown)
	}
	if _, unknown := ParseScopes([]string{"read:package", "root"}); unknown != "root" {
		t.Errorf("unknown = %q, want root", unknown)
	}
}

package auth

import (
	"net/url"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/registry"
)

// TestLink makes links and uses them, changed and late.
func TestLink(t *testing.T) {
	s, ann := registryTokens(t)
	ann = withToken(t, s, ann)
	ctx := access.NewContext(t.Context(), ann)
	l, err := s.NewLinker(ctx)
	if err != nil {
		t.Fatal(err)
	}
	query := func(l *Linker, path string) url.Values {
		t.Helper()
		q, err := url.ParseQuery(string(l.AppendQuery(nil, []byte(path))))
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	good := query(l, "/a/b")
	v, linked, err := s.CheckLink(t.Context(), "/a/b", good)
	if err != nil || !linked || v.UserID != ann.UserID || v.CredentialID != ann.CredentialID || v.Has(access.WritePackage) {
		t.Errorf("viewer = %+v, %t, %v; want ann with her token's scopes", v, linked, err)
	}
	if other := query(l, "/a/b"); other.Encode() != good.Encode() {
		t.Error("two links of one path differ")
	}
	past, err := s.linker(ctx, ann.UserID, ann.CredentialID, time.Now().Add(-time.Second).Unix())
	if err != nil {
		t.Fatal(err)
	}
	later := url.Values{"sig": good["sig"], "exp": {"99999999999"}}
	for name, c := range map[string]struct {
		path  string
		query url.Values
	}{
		"another path": {"/a/c", good}, "late": {"/a/b", query(past, "/a/b")}, "longer": {"/a/b", later},
		"no signature": {"/a/b", url.Values{"sig": {"%"}, "exp": good["exp"]}}, "no time": {"/a/b", url.Values{"sig": good["sig"], "exp": {"soon"}}},
	} {
		if v, linked, err := s.CheckLink(t.Context(), c.path, c.query); !linked || registry.CodeOf(err) != registry.Unauthenticated || v.SignedIn() {
			t.Errorf("%s: %+v, %t, %v", name, v, linked, err)
		}
	}
	if v, linked, err := s.CheckLink(t.Context(), "/a/b", url.Values{"page": {"2"}}); linked || err != nil || v.SignedIn() {
		t.Errorf("a query of another kind: %+v, %t, %v", v, linked, err)
	}
	if _, err := s.NewLinker(t.Context()); registry.CodeOf(err) != registry.Unauthenticated {
		t.Errorf("links for nobody: %v", err)
	}
}

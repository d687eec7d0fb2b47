package registry

import (
	"testing"

	"entrepot/access"
)

func TestVersionWith(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	mark := Property{Name: "plain.upload", Value: "one"}
	for _, version := range []string{"1.0", "1.1"} {
		p := f.publication("app", version, version)
		p.Properties = []Property{mark}
		if _, err := s.Publish(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	v, err := s.VersionWith(t.Context(), mark)
	if err != nil || v.Version != "1.1" || v.Edges.Package.Name != "app" {
		t.Fatalf("found %v, %v; want 1.1 of app", v, err)
	}
	root := f.user("root")
	root.SiteAdmin = true
	for _, other := range []struct {
		name  string
		space *Space
		mark  Property
	}{
		{"another value", s, Property{mark.Name, "two"}},
		{"another name", s, Property{"plain.other", mark.Value}},
		{"another account", f.enter(root, "acme", "plain", access.Write), mark},
		{"another type", f.enter(f.ann, "acme", "tagged", access.Write), mark},
		{"another owner", f.enter(f.ann, "ann", "plain", access.Write), mark},
	} {
		t.Run(other.name, func(t *testing.T) {
			_, err := other.space.VersionWith(t.Context(), other.mark)
			wantCode(t, err, NotFound)
		})
	}
}

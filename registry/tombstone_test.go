package registry

import (
	"testing"

	"entrepot/access"
)

// TestTombstones deletes a version in each of the ways there are; it comes
// back with the bytes it had, and with no others.
func TestTombstones(t *testing.T) {
	for _, tt := range []struct {
		name   string
		remove func(*Space, *fixture, *Published) error
	}{
		{"a version", func(s *Space, f *fixture, p *Published) error {
			return s.DeleteVersions(f.as(f.ann), p.Package, []string{"1.0.0"}, nil)
		}},
		{"its file", func(s *Space, f *fixture, p *Published) error {
			return s.DeleteFile(f.as(f.ann), p.Package, p.Files[0])
		}},
		{"the package", func(s *Space, f *fixture, p *Published) error {
			return s.DeletePackage(f.as(f.ann), p.Package)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			ctx := f.as(f.ann)
			s := f.enter(f.ann, "acme", "pinned", access.Write)
			published, err := s.Publish(ctx, f.publication("App", "1.0.0", "first"))
			if err != nil {
				t.Fatal(err)
			}
			buried := func() bool {
				t.Helper()
				b, err := s.Buried(ctx, "app", "1.0.0")
				if err != nil {
					t.Fatal(err)
				}
				return b
			}
			for range 2 { // what came back can go again
				if buried() {
					t.Error("a version that is there is buried")
				}
				if err := tt.remove(s, f, published); err != nil {
					t.Fatal(err)
				}
				if !buried() {
					t.Error("a deleted version is not buried")
				}
				_, err = s.Publish(ctx, f.publication("App", "1.0.0", "other"))
				wantCode(t, err, Conflict)
				if published, err = s.Publish(ctx, f.publication("App", "1.0.0", "first")); err != nil {
					t.Fatal(err)
				}
			}
			if err := tt.remove(s, f, published); err != nil {
				t.Fatal(err)
			}
			// The organization takes what it remembers along.
			if err := f.DeleteOrganization(ctx, "acme"); err != nil {
				t.Fatal(err)
			}
			if n := f.db.Property.Query().CountX(access.SystemContext(ctx)); n != 0 {
				t.Errorf("%d properties are left", n)
			}
		})
	}
}

// TestNoTombstones: types that keep none publish anew what they like.
func TestNoTombstones(t *testing.T) {
	f := newFixture(t)
	ctx := f.as(f.ann)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	published, err := s.Publish(ctx, f.publication("app", "1.0.0", "first"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DeletePackage(ctx, published.Package); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Publish(ctx, f.publication("app", "1.0.0", "other")); err != nil {
		t.Error(err)
	}
}

package registry

import (
	"errors"
	"testing"

	"entrepot/access"
	"entrepot/ent/pkg"
)

// TestEnterFor holds the way in for one file against the way in for anything:
// they must say the same to everybody, whatever is there.
func TestEnterFor(t *testing.T) {
	f := newFixture(t)
	if _, err := f.CreateOrganization(f.as(f.ann), "Secret", access.Private, "ann"); err != nil {
		t.Fatal(err)
	}
	for _, owner := range []string{"acme", "secret"} {
		for _, name := range []string{"app", "hidden"} {
			p := f.publication(name, "1.0", owner+name)
			p.Tags = []string{"stable"}
			if _, err := f.enter(f.ann, owner, "plain", access.Write).Publish(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := f.db.Pkg.Update().Where(pkg.NormalizedName("hidden")).SetVisibility(pkg.VisibilityPrivate).Exec(access.SystemContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	file := f.publication("app", "1.0", "x").Files[0].NormalizedName
	keys := []FilePath{
		{Package: "app", Version: "1.0", Name: file}, {Package: "app", Tag: "stable", Name: file},
		{Package: "hidden", Version: "1.0", Name: file}, {Package: "hidden", Tag: "stable", Name: file},
		{Package: "app", Version: "2.0", Name: file}, {Package: "app", Tag: "none", Name: file},
		{Package: "app", Version: "1.0", Name: "other"}, {Package: "app", Version: "1.0", Name: file, CompositeKey: "other"},
		{Package: "none", Version: "1.0", Name: file},
	}
	for _, v := range []access.Viewer{{}, f.ann, f.bob} {
		for _, owner := range []string{"Acme", "secret", "nobody"} {
			for _, key := range keys {
				ctx := access.NewContext(t.Context(), v)
				download := func(enter func() (*Space, error)) (digest string, err error) {
					s, err := enter()
					if err != nil {
						return "", err
					}
					p, err := s.Package(ctx, key.Package, access.Read)
					if err != nil {
						return "", err
					}
					look, version := s.File, key.Version
					if key.Tag != "" {
						look, version = s.TaggedFile, key.Tag
					}
					found, err := look(ctx, p, version, key.Name, key.CompositeKey)
					if err != nil {
						return "", err
					}
					return found.Edges.Blob.Sha256 + p.Name + s.Owner.Name, nil
				}
				ordinary, wantErr := download(func() (*Space, error) { return f.Enter(ctx, owner, "plain", access.Read) })
				before, _ := f.db.Statements()
				ahead, err := download(func() (*Space, error) { return f.EnterFor(ctx, owner, "plain", access.Read, key) })
				after, _ := f.db.Statements()
				var code, wantedCode Code
				if wantErr != nil {
					code, wantedCode = CodeOf(err), CodeOf(wantErr)
				}
				if ahead != ordinary || code != wantedCode || (err == nil) != (wantErr == nil) {
					t.Errorf("%s reads %+v of %s: %q, %v; by the ordinary way %q, %v", v.Login, key, owner, ahead, err, ordinary, wantErr)
				}
				if !v.SignedIn() && err == nil && after-before != 1 {
					t.Errorf("%+v of %s took %d statements", key, owner, after-before)
				}
			}
		}
	}
}

// TestAheadIsOneFile reads another file than the one that was announced.
func TestAheadIsOneFile(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	for _, version := range []string{"1.0", "2.0"} {
		if _, err := s.Publish(t.Context(), f.publication("app", version, version)); err != nil {
			t.Fatal(err)
		}
	}
	file := f.publication("app", "1.0", "x").Files[0].NormalizedName
	s, err := f.EnterFor(f.as(f.ann), "acme", "plain", access.Read, FilePath{Package: "app", Version: "1.0", Name: file})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.AnyPackage(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	one, err1 := s.File(t.Context(), p, "1.0", file, "")
	two, err2 := s.File(t.Context(), p, "2.0", file, "")
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if one.Edges.Blob.Sha256 == two.Edges.Blob.Sha256 || one.Edges.Version.NormalizedVersion != "1.0" || two.Edges.Version.NormalizedVersion != "2.0" {
		t.Errorf("1.0 has %s, 2.0 has %s", one.Edges.Blob.Sha256, two.Edges.Blob.Sha256)
	}
}

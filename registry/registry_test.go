package registry

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/membership"
	"entrepot/ent/owner"
	"entrepot/ent/packageblob"
	"entrepot/ent/schema"
	"entrepot/registry/database"
	"entrepot/storage"
)

// fixture is a registry over an empty database and store, with the users ann
// and bob and ann's organization acme.
type fixture struct {
	*Registry
	t        testing.TB
	ann, bob access.Viewer
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	return newFixtureOn(t, "sqlite:"+t.TempDir()+"/test.db", Options{})
}

// newFixtureOn is newFixture on a database of the test's choice. Options that
// are not set are filled in.
func newFixtureOn(t testing.TB, databaseURL string, opts Options) *fixture {
	t.Helper()
	db, err := database.Open(t.Context(), databaseURL, database.Options{Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	if opts.Store == nil {
		if opts.Store, err = storage.Open(t.Context(), t.TempDir(), storage.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	opts.Database = db
	opts.Types = []Type{
		{Name: "plain", Title: "Plain"}, {Name: "tagged", Title: "Tagged", KeepsLatestTag: true},
		{Name: "pinned", Title: "Pinned", KeepsTombstones: true},
		{Name: "worded", Title: "Worded", SearchWords: func(metadata []byte) []string { return []string{string(metadata)} }},
		layeredType(), listedType(),
	}
	r, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(r.Close(context.Background()), opts.Store.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	f := &fixture{Registry: r, t: t}
	f.ann, f.bob = f.user("ann"), f.user("bob")
	if _, err := r.CreateOrganization(f.as(f.ann), "Acme", access.Public, "ann"); err != nil {
		t.Fatal(err)
	}
	return f
}

// layeredType has versions that need others and refer to others.
func layeredType() Type {
	return Type{
		Name: "layered", Title: "Layered", References: []string{"layered.needs"}, OrderedByTime: true, Counts: CountTags,
		CopyName: func(_, name string) (string, error) {
			if name != strings.ToLower(name) {
				return "", errors.New("names are in lower case")
			}
			return name, nil
		},
		CheckTag: func(name string) error {
			if strings.Contains(name, " ") {
				return errors.New("a tag is one word")
			}
			return nil
		},
		TagStays: func(schema.OwnerSettings) func(string, string) bool {
			return func(_, tag string) bool { return tag == "stays" }
		},
		Referrals: &Referrals{
			Property: "layered.subject", TypeProperty: "layered.kind",
			Tags: func(version string) []string { return []string{version + ".sig"} },
			Subject: func(tag string) string {
				version, signs := strings.CutSuffix(tag, ".sig")
				if !signs {
					return ""
				}
				return version
			},
			Describe: func(v *ent.PackageVersion, tags []string) Referral {
				return Referral{Signature, strings.Join(tags, ",")}
			},
		},
	}
}

func (f *fixture) user(login string) access.Viewer {
	f.t.Helper()
	ctx := access.SystemContext(f.t.Context())
	o := f.db.Owner.Create().SetName(login).SetNormalizedName(login).SetKind(owner.KindUser).SaveX(ctx)
	u := f.db.User.Create().SetOwnerID(o.ID).SetLogin(login).SetNormalizedLogin(login).
		SetEmail(login + "@example.com").SetNormalizedEmail(login + "@example.com").SetPasswordHash("-").SaveX(ctx)
	return access.Viewer{Kind: access.User, UserID: u.ID, Login: login}
}

func (f *fixture) as(v access.Viewer) context.Context { return access.NewContext(f.t.Context(), v) }

func (f *fixture) enter(v access.Viewer, owner, typ string, a access.Action) *Space {
	f.t.Helper()
	s, err := f.Enter(f.as(v), owner, typ, a)
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

func (f *fixture) stored(content string) *Stored {
	f.t.Helper()
	c, err := f.Store(f.t.Context(), strings.NewReader(content), int64(len(content)), storage.SHA256)
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// publication is one version with one file of that content.
func (f *fixture) publication(name, version, content string) Publication {
	key, pre := NaturalKey(version)
	return Publication{
		Name: name, NormalizedName: strings.ToLower(name), Version: version, NormalizedVersion: version,
		SortKey: key, Prerelease: pre, Facts: Facts{Summary: "summary of " + version},
		Files: []File{{Name: "f.txt", NormalizedName: "f.txt", Lead: true, Content: f.stored(content)}},
	}
}

func wantCode(t *testing.T, err error, want Code) {
	t.Helper()
	if CodeOf(err) != want {
		t.Errorf("error = %v (code %q), want code %q", err, CodeOf(err), want)
	}
}

func TestPublishAndRead(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	done, err := s.Publish(t.Context(), f.publication("App", "1.0", "hello"))
	if err != nil {
		t.Fatal(err)
	}
	if !done.NewVersion || done.Package.VersionCount != 1 || done.Package.Summary != "summary of 1.0" {
		t.Errorf("published %+v", done.Package)
	}
	reader := f.enter(access.Viewer{}, "ACME", "plain", access.Read)
	p, err := reader.Package(t.Context(), "app", access.Read)
	if err != nil {
		t.Fatal(err)
	}
	file, err := reader.File(t.Context(), p, "1.0", "f.txt", "")
	if err != nil {
		t.Fatal(err)
	}
	body, err := f.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if got, _ := io.ReadAll(body); string(got) != "hello" {
		t.Errorf("body = %q", got)
	}
}

func TestPublishPolicies(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	publish := func(p Publication) error { _, err := s.Publish(t.Context(), p); return err }

	p := f.publication("app", "1.0", "a")
	p.Policy = AddToExisting
	wantCode(t, publish(p), NotFound)
	if err := publish(f.publication("app", "1.0", "a")); err != nil {
		t.Fatal(err)
	}
	wantCode(t, publish(f.publication("app", "1.0", "a")), Conflict)

	p = f.publication("app", "1.0", "a")
	p.Policy = CreateOrAdd
	wantCode(t, publish(p), Conflict)
	p = f.publication("app", "1.0", "a")
	p.Policy, p.Overwrite = CreateOrAdd, OverwriteIdentical
	if err := publish(p); err != nil {
		t.Errorf("identical bytes: %v", err)
	}
	p = f.publication("app", "1.0", "b")
	p.Policy, p.Overwrite = CreateOrAdd, OverwriteIdentical
	wantCode(t, publish(p), Conflict)
	p = f.publication("app", "1.0", "b")
	p.Policy, p.Overwrite = CreateOrAdd, OverwriteAlways
	if err := publish(p); err != nil {
		t.Errorf("overwrite: %v", err)
	}
	p = f.publication("app", "1.0", "c")
	p.Files[0].NormalizedName, p.Policy = "g.txt", AddToExisting
	if err := publish(p); err != nil {
		t.Errorf("add: %v", err)
	}
	// The replaced content and those of refused publishes are gone or in
	// their grace time: two live ones are left.
	ctx := access.SystemContext(t.Context())
	if n := f.db.PackageBlob.Query().Where(packageblob.UnreferencedAtIsNil()).CountX(ctx); n != 2 {
		t.Errorf("%d referenced blobs, want 2", n)
	}
}

func TestSameContentIsKeptOnce(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	for _, v := range []string{"1", "2", "3"} {
		if _, err := s.Publish(t.Context(), f.publication("app", v, "same")); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.db.PackageBlob.Query().CountX(access.SystemContext(t.Context())); n != 1 {
		t.Errorf("%d blobs, want 1", n)
	}
	objects := 0
	for _, err := range f.store.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		objects++
	}
	if objects != 1 {
		t.Errorf("%d objects in the store, want 1", objects)
	}
}

func TestLatest(t *testing.T) {
	f := newFixture(t)
	for _, typ := range []string{"plain", "tagged"} {
		t.Run(typ, func(t *testing.T) {
			s := f.enter(f.ann, "acme", typ, access.Write)
			latest := func() string {
				t.Helper()
				p, err := s.AnyPackage(t.Context(), "app")
				if err != nil || p.LatestID == nil {
					t.Fatalf("package %v, error %v", p, err)
				}
				return f.db.PackageVersion.GetX(access.SystemContext(t.Context()), *p.LatestID).Version
			}
			for _, v := range []string{"1.0.0", "2.0.0-beta.1", "1.10.0", "1.9.0"} {
				p := f.publication("app", v, v)
				if typ == "tagged" {
					p.Tags = []string{map[bool]string{true: "beta", false: Latest}[p.Prerelease]}
				}
				if _, err := s.Publish(t.Context(), p); err != nil {
					t.Fatal(err)
				}
			}
			want := map[string]string{"plain": "1.10.0", "tagged": "1.9.0"}[typ]
			if got := latest(); got != want {
				t.Errorf("latest = %s, want %s", got, want)
			}
			p, _ := s.AnyPackage(t.Context(), "app")
			if err := s.DeleteVersions(t.Context(), p, []string{want}, nil); err != nil {
				t.Fatal(err)
			}
			if got, next := latest(), map[string]string{"plain": "1.9.0", "tagged": "1.10.0"}[typ]; got != next {
				t.Errorf("after deletion latest = %s, want %s", got, next)
			}
			if _, err := s.Tagged(t.Context(), p, Latest); (err == nil) != (typ == "tagged") {
				t.Errorf("tag latest: %v", err)
			}
		})
	}
}

func TestDeleteLastFileRemovesPackage(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Delete)
	done, err := s.Publish(t.Context(), f.publication("app", "1.0", "x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteFile(t.Context(), done.Package, done.Files[0]); err != nil {
		t.Fatal(err)
	}
	if p, err := s.AnyPackage(t.Context(), "app"); p != nil || err != nil {
		t.Errorf("package %v, error %v; want none", p, err)
	}
	wantCode(t, s.DeleteFile(t.Context(), done.Package, done.Files[0]), NotFound)
	b := f.db.PackageBlob.Query().OnlyX(access.SystemContext(t.Context()))
	if b.UnreferencedAt == nil {
		t.Error("the blob's grace time has not begun")
	}
}

// TestFilesFollowTheirLead deletes lead files of a version with others beside
// them, one group of files by its composite key after the other.
func TestFilesFollowTheirLead(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Delete)
	s.Type.FollowsLead = true
	var done *Published
	leads := map[string]*ent.PackageFile{}
	for _, file := range []struct {
		name, key string
		lead      bool
	}{{"one", "a", true}, {"two", "a", true}, {"notes", "a", false}, {"one", "b", true}, {"notes", "b", false}} {
		pub := f.publication("app", "1.0", file.name+file.key)
		pub.Policy = CreateOrAdd
		pub.Files[0].Name, pub.Files[0].NormalizedName, pub.Files[0].CompositeKey, pub.Files[0].Lead = file.name, file.name, file.key, file.lead
		var err error
		if done, err = s.Publish(t.Context(), pub); err != nil {
			t.Fatal(err)
		}
		leads[file.name+file.key] = done.Files[0]
	}
	for _, step := range []struct{ remove, left string }{
		{"onea", "two/a notes/a one/b notes/b"}, {"twoa", "one/b notes/b"}, {"oneb", ""},
	} {
		if err := s.DeleteFile(t.Context(), done.Package, leads[step.remove]); err != nil {
			t.Fatal(err)
		}
		keys, err := s.Holdings(done.Package).FileKeys(t.Context(), "1.0")
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, k := range keys {
			left = append(left, k.Name+"/"+k.CompositeKey)
		}
		if got := strings.Join(left, " "); got != step.left {
			t.Errorf("without %s there is %s, want %s", step.remove, got, step.left)
		}
	}
	if p, err := s.AnyPackage(t.Context(), "app"); p != nil || err != nil {
		t.Errorf("package %v, error %v; want none", p, err)
	}
}

func TestEnterTellsNoSecrets(t *testing.T) {
	f := newFixture(t)
	private := access.Private
	if _, err := f.UpdateOwner(f.as(f.ann), "acme", OwnerChange{Visibility: &private}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		viewer access.Viewer
		action access.Action
		want   Code
	}{
		{"anonymous read", access.Viewer{}, access.Read, Unauthenticated},
		{"anonymous write", access.Viewer{}, access.Write, Unauthenticated},
		{"stranger read", f.bob, access.Read, NotFound},
		{"stranger write", f.bob, access.Write, NotFound},
		{"owner", f.ann, access.Write, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, hidden := f.Enter(f.as(tt.viewer), "acme", "plain", tt.action)
			wantCode(t, hidden, tt.want)
			if tt.want == "" {
				return
			}
			_, missing := f.Enter(f.as(tt.viewer), "nobody", "plain", tt.action)
			if hidden.Error() != missing.Error() {
				t.Errorf("hidden owner answers %q, missing one %q", hidden, missing)
			}
		})
	}
}

func TestMembers(t *testing.T) {
	f := newFixture(t)
	if _, err := f.SetMember(f.as(f.ann), "acme", "bob", membership.RoleReader); err != nil {
		t.Fatal(err)
	}
	_, err := f.Enter(f.as(f.bob), "acme", "plain", access.Write)
	wantCode(t, err, Forbidden)
	_, err = f.SetMember(f.as(f.bob), "acme", "bob", membership.RoleOwner)
	wantCode(t, err, Forbidden)
	wantCode(t, f.RemoveMember(f.as(f.ann), "acme", "ann"), Conflict)
	_, err = f.SetMember(f.as(f.ann), "acme", "ann", membership.RoleReader)
	wantCode(t, err, Conflict)
	if err := f.RemoveMember(f.as(f.bob), "acme", "bob"); err != nil {
		t.Errorf("a member leaves: %v", err)
	}
}

func TestVisibilityFilterAgreesWithAccess(t *testing.T) {
	f := newFixture(t)
	carol := f.user("carol")
	root := access.Viewer{Kind: access.User, UserID: carol.UserID, Login: "carol", SiteAdmin: true}
	writeOnly := f.ann
	writeOnly.Scopes = []access.Scope{access.WritePackage}
	for _, vis := range []access.Visibility{access.Public, access.Limited, access.Private} {
		name := "org-" + strings.ToLower(string(vis))
		if _, err := f.CreateOrganization(f.as(f.ann), name, vis, "ann"); err != nil {
			t.Fatal(err)
		}
		if _, err := f.SetMember(f.as(f.ann), name, "bob", membership.RoleReader); err != nil {
			t.Fatal(err)
		}
		s := f.enter(f.ann, name, "plain", access.Write)
		for _, own := range []access.Visibility{access.Inherit, access.Public, access.Limited, access.Private} {
			done, err := s.Publish(t.Context(), f.publication("p-"+strings.ToLower(string(own)), "1", name+string(own)))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.SetVisibility(t.Context(), done.Package, own); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := f.db.Pkg.Query().WithOwner().AllX(access.SystemContext(t.Context()))
	if len(all) != 12 {
		t.Fatalf("%d packages, want 12", len(all))
	}
	for name, v := range map[string]access.Viewer{
		"anonymous": {}, "owner": f.ann, "reader": f.bob, "stranger": carol, "admin": root, "write-only token": writeOnly,
	} {
		t.Run(name, func(t *testing.T) {
			ctx := f.as(v)
			for _, p := range all {
				role, err := f.role(ctx, v, p.Edges.Owner)
				if err != nil {
					t.Fatal(err)
				}
				want := access.Can(v, access.Read, access.Target{
					OwnerVisibility: access.Visibility(p.Edges.Owner.Visibility), PackageVisibility: access.Visibility(p.Visibility), Role: role,
				})
				_, err = f.db.Pkg.Get(ctx, p.ID)
				if got := !ent.IsNotFound(err); got != want {
					t.Errorf("%s/%s (%s): seen %v, access says %v", p.Edges.Owner.Name, p.Name, p.Visibility, got, want)
				}
				versions, err := f.db.PackageVersion.Query().All(ctx)
				if err != nil {
					t.Fatal(err)
				}
				files := f.db.PackageFile.Query().CountX(ctx)
				if len(versions) != f.db.Pkg.Query().CountX(ctx) || files != len(versions) {
					t.Errorf("versions %d and files %d differ from packages", len(versions), files)
				}
			}
		})
	}
}

func TestDownloadCounts(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	done, err := s.Publish(t.Context(), f.publication("app", "1.0", "x"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := s.File(t.Context(), done.Package, "1.0", "f.txt", "")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		f.CountDownload(file)
	}
	if err := f.FlushDownloads(t.Context()); err != nil {
		t.Fatal(err)
	}
	p, _ := s.AnyPackage(t.Context(), "app")
	v, _ := s.Version(t.Context(), p, "1.0")
	if p.Downloads != 3 || v.Downloads != 3 {
		t.Errorf("package %d, version %d downloads; want 3", p.Downloads, v.Downloads)
	}
	if p.Generation != done.Package.Generation {
		t.Error("counting a download raised the generation")
	}
}

package registry

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/indexdata"
	"entrepot/ent/indexobject"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/storage"
)

// listedType has an index of every kind the engine knows: the composite key of
// a file is family/member, and the stream's name says how it is kept.
func listedType() Type {
	return Type{Name: "listed", Title: "Listed", Index: &Index{
		Format: 1,
		Key:    OpenPGPKey,
		Place: func(f IndexedFile) ([]Placement, error) {
			if f.Version.Yanked {
				return nil, nil
			}
			family, member, _ := strings.Cut(f.File.CompositeKey, "/")
			name := f.Package.NormalizedName
			return []Placement{
				{Family: family, Member: member, Stream: "all"},
				{Family: family, Member: member, Stream: "newest", Name: name, Rank: f.Version.SortKey},
				{Family: family, Member: member, Stream: "sorted", Name: name, Sort: name + " " + f.Version.SortKey},
			}, nil
		},
		Render: func(f IndexedFile, p Placement, member string) ([]byte, error) {
			if string(f.File.Fragment) == "broken" {
				return nil, errors.New("nobody can read it")
			}
			return fmt.Appendf(nil, "%s %s in %s: %s\n", f.Package.Name, f.Version.Version, member, f.File.Fragment), nil
		},
		Stream: func(name string) StreamForm {
			form := StreamForm{Chunk: 400, Newest: name == "newest"}
			if name == "sorted" {
				form.Join = func(before, after *string) string {
					if before != nil && *before == *after {
						return ""
					}
					return "[" + *after + "]\n"
				}
			}
			return form
		},
		Compose: func(ctx context.Context, b *IndexBuild) error {
			var list strings.Builder
			for _, t := range b.Texts() {
				text := t.Wrap("<", ">")
				plain, err := b.Add(ctx, t.Stream, "text/plain", text.Plain())
				if err != nil {
					return err
				}
				if _, err := b.Add(ctx, t.Stream+".gz", "application/gzip", text.Gzip()); err != nil {
					return err
				}
				if b.Name.Family == "packed" {
					packed, err := b.Encode(ctx, text.Plain(), XZ)
					if err != nil {
						return err
					}
					if _, err := b.Add(ctx, t.Stream+".xz", "application/x-xz", packed); err != nil {
						return err
					}
				}
				fmt.Fprintf(&list, "%s %s %d\n", t.Stream, plain.Sha256, t.Entries)
			}
			fmt.Fprintf(&list, "%s %s\n", b.Settings["label"], b.Modified.Format(time.RFC3339))
			signed, err := b.ClearSign([]byte(list.String()))
			if err != nil {
				return err
			}
			if _, err := b.AddBytes(ctx, "signed", "text/plain", signed); err != nil {
				return err
			}
			_, err = b.AddBytes(ctx, "top", "text/plain", []byte(list.String()))
			return err
		},
		FansOut: true,
		Freeze: func(o *ent.Owner, family, _ string) map[string]string {
			return map[string]string{"label": o.Name + " " + family}
		},
	}}
}

// indexes is a fixture with a space whose files are listed. Its key is one
// that takes no time to make.
type indexes struct {
	*fixture
	space *Space
}

func newIndexes(t *testing.T) *indexes {
	t.Helper()
	return indexesOn(t, newFixture(t))
}

func indexesOn(t *testing.T, f *fixture) *indexes {
	t.Helper()
	x := &indexes{f, f.enter(f.ann, "acme", "listed", access.Delete)}
	if _, err := x.space.ReplaceKey(f.as(f.ann), KeyChange{Algorithm: Ed25519}); err != nil {
		t.Fatal(err)
	}
	return x
}

// release is a publication of one file.
func (x *indexes) release(name, version, at, fragment string) Publication {
	x.t.Helper()
	c, err := x.Store(x.t.Context(), strings.NewReader(name+version+at), -1, storage.SHA256)
	if err != nil {
		x.t.Fatal(err)
	}
	return Publication{
		Name: name, NormalizedName: name, Version: version, NormalizedVersion: version, SortKey: byteKey(version),
		Policy: CreateOrAdd, Files: []File{{Name: "f", NormalizedName: "f", CompositeKey: at, Lead: true, Fragment: []byte(fragment), Content: c}},
	}
}

func (x *indexes) publish(name, version, at string) *Published {
	x.t.Helper()
	done, err := x.space.Publish(x.t.Context(), x.release(name, version, at, "text of "+name))
	if err != nil {
		x.t.Fatal(err)
	}
	return done
}

// read reads an object as a viewer sees it.
func (x *indexes) read(s *Space, at, path string) string {
	x.t.Helper()
	family, member, _ := strings.Cut(at, "/")
	snapshot, err := s.Index(x.t.Context(), IndexName{family, member})
	if err != nil {
		x.t.Fatal(err)
	}
	return x.object(snapshot, path)
}

func (x *indexes) object(s *Snapshot, path string) string {
	x.t.Helper()
	o, err := s.Object(path)
	if err != nil {
		x.t.Fatal(err)
	}
	body, err := io.ReadAll(o.Open(x.t.Context()))
	if err != nil {
		x.t.Fatal(err)
	}
	return string(body)
}

func (x *indexes) wantText(at, path, want string) {
	x.t.Helper()
	if got := x.read(x.space, at, path); got != want {
		x.t.Errorf("%s of %s is\n%swant\n%s", path, at, got, want)
	}
}

// wantSound verifies every index, and that each plain object is what its
// compressed form holds and its digest says.
func (x *indexes) wantSound() {
	x.t.Helper()
	problems, err := x.VerifyIndexes(x.t.Context(), "listed", "")
	if err != nil {
		x.t.Fatal(err)
	}
	for _, p := range problems {
		x.t.Errorf("verify: %s", p)
	}
	for _, root := range x.db.IndexRoot.Query().AllX(access.SystemContext(x.t.Context())) {
		snapshot, err := x.snapshot(x.t.Context(), *root.SnapshotID)
		if err != nil {
			x.t.Fatal(err)
		}
		for path, o := range snapshot.objects {
			sum, _, err := o.recipe.Sum(func(id int64) ([]byte, error) { return x.indexData(x.t.Context(), id) }, Recipe{}, nil)
			if err != nil || sum != o.Sha256 {
				x.t.Errorf("%s has the digest %s and says %s: %v", path, sum, o.Sha256, err)
			}
			if strings.HasSuffix(path, ".gz") {
				z, err := gzip.NewReader(strings.NewReader(x.object(snapshot, path)))
				if err != nil {
					x.t.Fatal(err)
				}
				if plain, err := io.ReadAll(z); err != nil || string(plain) != x.object(snapshot, strings.TrimSuffix(path, ".gz")) {
					x.t.Errorf("%s holds something else than the plain form: %v", path, err)
				}
			}
		}
	}
}

func TestIndexFollowsPublishesAndDeletions(t *testing.T) {
	x := newIndexes(t)
	if _, err := x.space.Index(t.Context(), IndexName{"stable", ""}); !isNotFound(err) {
		t.Errorf("an index of nothing: %v", err)
	}
	one := x.publish("app", "1", "stable/")
	x.publish("lib", "2", "stable/")
	x.publish("app", "3", "stable/")
	x.publish("app", "2", "stable/")
	x.wantText("stable/", "all", "<app 1 in : text of app\nlib 2 in : text of lib\napp 3 in : text of app\napp 2 in : text of app\n>")
	x.wantText("stable/", "newest", "<lib 2 in : text of lib\napp 3 in : text of app\n>")
	x.wantText("stable/", "sorted", "<[app]\napp 1 in : text of app\napp 2 in : text of app\napp 3 in : text of app\n[lib]\nlib 2 in : text of lib\n>")
	x.wantSound()
	if err := x.space.DeleteVersions(t.Context(), one.Package, []string{"3"}, nil); err != nil {
		t.Fatal(err)
	}
	x.wantText("stable/", "newest", "<lib 2 in : text of lib\napp 2 in : text of app\n>")
	if err := x.space.DeletePackage(t.Context(), one.Package); err != nil {
		t.Fatal(err)
	}
	x.wantText("stable/", "sorted", "<[lib]\nlib 2 in : text of lib\n>")
	x.wantSound()
}

func TestIndexOfYankedAndReplacedFiles(t *testing.T) {
	x := newIndexes(t)
	done := x.publish("app", "1", "stable/")
	x.publish("app", "2", "stable/")
	ctx := x.as(x.ann)
	if err := x.space.SetStatus(ctx, done.Package, map[string]Status{"2": {Yanked: true}}); err != nil {
		t.Fatal(err)
	}
	x.wantText("stable/", "newest", "<app 1 in : text of app\n>")
	p := x.release("app", "1", "stable/", "another text")
	p.Files[0].Content = x.stored("another content")
	p.Overwrite = OverwriteAlways
	if _, err := x.space.Publish(ctx, p); err != nil {
		t.Fatal(err)
	}
	x.wantText("stable/", "all", "<app 1 in : another text\n>")
	if err := x.space.SetStatus(ctx, done.Package, map[string]Status{"2": {}}); err != nil {
		t.Fatal(err)
	}
	x.wantText("stable/", "newest", "<app 2 in : text of app\n>")
	x.wantSound()
}

func TestIndexLeavesOutWhatCannotBeRendered(t *testing.T) {
	x := newIndexes(t)
	x.publish("app", "1", "stable/")
	if _, err := x.space.Publish(t.Context(), x.release("bad", "1", "stable/", "broken")); err != nil {
		t.Fatal(err)
	}
	x.wantText("stable/", "all", "<app 1 in : text of app\n>")
	x.wantSound()
}

// TestIndexKeepsNewest lets an index keep two versions of each package.
func TestIndexKeepsNewest(t *testing.T) {
	x := newIndexes(t)
	ctx := x.as(x.ann)
	keep := func(n string) error {
		return x.space.ConfigureIndex(ctx, IndexName{"stable", ""}, func(now map[string]string, _ bool) (map[string]string, error) {
			now[SettingKeep] = n
			return now, nil
		})
	}
	if err := keep("2"); err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"1", "3", "2", "4"} {
		x.publish("app", v, "stable/")
	}
	x.publish("lib", "1", "stable/")
	x.wantText("stable/", "sorted", "<[app]\napp 3 in : text of app\napp 4 in : text of app\n[lib]\nlib 1 in : text of lib\n>")
	p, err := x.space.Package(ctx, "app", access.Read)
	if err != nil {
		t.Fatal(err)
	}
	if p.VersionCount != 2 {
		t.Errorf("the package counts %d versions, want 2", p.VersionCount)
	}
	x.wantSound()
	outsider := x.enter(x.bob, "acme", "listed", access.Read)
	if err := outsider.ConfigureIndex(x.as(x.bob), IndexName{"stable", ""}, nil); CodeOf(err) != Forbidden {
		t.Errorf("an outsider configures an index: %v", err)
	}
}

func TestIndexOfEveryMember(t *testing.T) {
	x := newIndexes(t)
	x.publish("data", "1", "main/*")
	x.wantText("main/*", "all", "<data 1 in *: text of data\n>")
	x.publish("app", "1", "main/amd64")
	x.wantText("main/amd64", "all", "<data 1 in amd64: text of data\napp 1 in amd64: text of app\n>")
	done := x.publish("data", "2", "main/*")
	x.wantText("main/amd64", "newest", "<app 1 in amd64: text of app\ndata 2 in amd64: text of data\n>")
	x.wantText("main/*", "newest", "<data 2 in *: text of data\n>")
	if err := x.space.DeleteVersions(t.Context(), done.Package, []string{"2"}, nil); err != nil {
		t.Fatal(err)
	}
	x.wantText("main/amd64", "newest", "<app 1 in amd64: text of app\ndata 1 in amd64: text of data\n>")
	// A member to come keeps as many of a name as all do.
	err := x.space.ConfigureIndex(x.as(x.ann), IndexName{"main", EveryMember}, func(now map[string]string, _ bool) (map[string]string, error) {
		now[SettingKeep] = "1"
		return now, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	x.publish("tool", "1", "main/arm64")
	x.publish("tool", "2", "main/arm64")
	x.wantText("main/arm64", "all", "<data 1 in arm64: text of data\ntool 2 in arm64: text of tool\n>")
	x.wantSound()
}

func TestIndexViews(t *testing.T) {
	x := newIndexes(t)
	open, secret := x.publish("open", "1", "stable/"), x.publish("secret", "1", "stable/")
	outsider := x.enter(x.bob, "acme", "listed", access.Read)
	both := "<open 1 in : text of open\nsecret 1 in : text of secret\n>"
	x.wantText("stable/", "all", both)
	ctx := x.as(x.ann)
	if err := x.space.SetVisibility(ctx, secret.Package, access.Private); err != nil {
		t.Fatal(err)
	}
	x.wantText("stable/", "all", "<open 1 in : text of open\nsecret 1 in : text of secret\n>")
	if got, want := x.read(outsider, "stable/", "all"), "<open 1 in : text of open\n>"; got != want {
		t.Errorf("an outsider reads\n%s", got)
	}
	x.publish("secret", "2", "stable/")
	x.publish("open", "2", "stable/")
	x.publish("secret", "1", "later/")
	if got, want := x.read(outsider, "stable/", "all"), "<open 1 in : text of open\nopen 2 in : text of open\n>"; got != want {
		t.Errorf("an outsider reads\n%s", got)
	}
	if got := x.read(outsider, "later/", "top"); strings.Contains(got, "all") {
		t.Errorf("of an index with nothing to show, an outsider reads\n%s", got)
	}
	// Not by the digest either.
	snapshot, err := x.space.Index(ctx, IndexName{"stable", ""})
	if err != nil {
		t.Fatal(err)
	}
	o, err := snapshot.Object("all")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.space.IndexByHash(ctx, IndexName{"stable", ""}, "", strings.ToUpper(o.Sha256)); err != nil {
		t.Errorf("a member, by the digest: %v", err)
	}
	if _, err := outsider.IndexByHash(t.Context(), IndexName{"stable", ""}, "", o.Sha256); !isNotFound(err) {
		t.Errorf("an outsider, by the digest: %v", err)
	}
	x.wantSound()
	// The owner becomes private, then public again: what is narrow changes.
	for _, vis := range []access.Visibility{access.Private, access.Public} {
		if _, err := x.UpdateOwner(ctx, "acme", OwnerChange{Visibility: &vis}); err != nil {
			t.Fatal(err)
		}
		x.wantSound()
	}
	if err := x.space.SetVisibility(ctx, secret.Package, "INHERIT"); err != nil {
		t.Fatal(err)
	}
	if got := x.read(outsider, "stable/", "all"); strings.Count(got, "\n") != 4 {
		t.Errorf("after all is open again, an outsider reads\n%s", got)
	}
	x.wantSound()
	_ = open
}

// TestIndexAgainstModel changes a space at random, and compares all indexes
// with the files each time.
func TestIndexAgainstModel(t *testing.T) { testAgainstModel(newIndexes(t)) }

func testAgainstModel(x *indexes) {
	t := x.t
	random := mathrand.New(mathrand.NewPCG(3, 4))
	ctx := x.as(x.ann)
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	for step := range 150 {
		name := pick("app", "lib", "data", "tool", "core")
		p, err := x.space.AnyPackage(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		switch action := random.IntN(10); {
		case action < 6 || p == nil:
			at := pick("stable/", "stable/", "main/*", "main/amd64", "main/arm64")
			release := x.release(name, fmt.Sprint(random.IntN(20)), at, strings.Repeat(name, 1+random.IntN(40)))
			release.Overwrite = OverwriteAlways
			if _, err := x.space.Publish(ctx, release); err != nil {
				t.Fatal(err)
			}
		case action < 8:
			v := x.db.PackageVersion.Query().Where(packageversion.PackageID(p.ID)).FirstX(access.SystemContext(ctx))
			if err := x.space.DeleteVersions(ctx, p, []string{v.NormalizedVersion}, nil); err != nil {
				t.Fatal(err)
			}
		case action == 8:
			if err := x.space.SetVisibility(ctx, p, access.Visibility(pick("INHERIT", "PRIVATE"))); err != nil {
				t.Fatal(err)
			}
		default:
			v := x.db.PackageVersion.Query().Where(packageversion.PackageID(p.ID)).FirstX(access.SystemContext(ctx))
			if err := x.space.SetStatus(ctx, p, map[string]Status{v.NormalizedVersion: {Yanked: !v.Yanked}}); err != nil {
				t.Fatal(err)
			}
		}
		// A build a second is the most a root has; let the clock not hold us up.
		x.db.IndexRoot.Update().ClearModifiedAt().ExecX(access.SystemContext(ctx))
		if step%5 == 0 {
			if x.wantSound(); t.Failed() {
				t.Fatalf("after step %d", step)
			}
		}
	}
	if err := x.RebuildIndexes(ctx, "listed", "acme"); err != nil {
		t.Fatal(err)
	}
	x.db.IndexRoot.Update().ClearModifiedAt().ExecX(access.SystemContext(ctx))
	x.wantSound()
}

func TestIndexOfRemovedOwner(t *testing.T) {
	x := newIndexes(t)
	ctx := x.as(x.ann)
	done := x.publish("app", "1", "stable/")
	x.read(x.space, "stable/", "all")
	if err := x.space.RemoveIndex(ctx, "stable"); err == nil {
		t.Error("an index that lists a package was removed")
	}
	if err := x.space.DeletePackage(ctx, done.Package); err != nil {
		t.Fatal(err)
	}
	x.wantText("stable/", "all", "<>")
	if err := x.space.RemoveIndex(ctx, "stable"); err != nil {
		t.Error(err)
	}
	if _, err := x.space.Index(ctx, IndexName{"stable", ""}); !isNotFound(err) {
		t.Errorf("a removed index: %v", err)
	}
	x.publish("app", "1", "stable/")
	x.wantText("stable/", "all", "<app 1 in : text of app\n>")
	p := x.db.Pkg.Query().Where(pkg.Name("app")).OnlyX(access.SystemContext(ctx))
	if err := x.space.DeletePackage(ctx, p); err != nil {
		t.Fatal(err)
	}
	if err := x.DeleteOrganization(ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	sys := access.SystemContext(ctx)
	if n := x.db.IndexRoot.Query().CountX(sys) + x.db.IndexObject.Query().Where(indexobject.IDGT(0)).CountX(sys) + x.db.SigningKey.Query().CountX(sys); n != 0 {
		t.Errorf("%d rows of indexes and keys outlive their owner", n)
	}
	x.oldData()
	if _, err := x.Collect(ctx); err != nil {
		t.Fatal(err)
	}
	if n := x.db.IndexData.Query().Where(indexdata.IDGT(0)).CountX(sys); n != 0 {
		t.Errorf("%d data outlive their owner", n)
	}
}

// TestIndexFormatIsRaised renders everything anew.
func TestIndexFormatIsRaised(t *testing.T) {
	x := newIndexes(t)
	x.publish("app", "1", "stable/")
	x.publish("lib", "1", "stable/")
	x.wantText("stable/", "all", "<app 1 in : text of app\nlib 1 in : text of lib\n>")
	typ := x.types["listed"]
	next := *typ.Index
	next.Format++
	next.Render = func(f IndexedFile, _ Placement, _ string) ([]byte, error) { return []byte(f.Package.Name + "!\n"), nil }
	typ.Index = &next
	x.types["listed"] = typ
	if err := x.TendIndexes(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.wantText("stable/", "all", "<app!\nlib!\n>")
	x.wantSound()
}

// TestIndexHealsDamage loses the rows of a chunk.
func TestIndexHealsDamage(t *testing.T) {
	x := newIndexes(t)
	done := x.publish("app", "1", "stable/")
	x.publish("lib", "1", "stable/")
	x.read(x.space, "stable/", "all")
	ctx := access.SystemContext(t.Context())
	x.db.IndexFragment.Update().SetLength(3).ExecX(ctx)
	if err := x.space.DeletePackage(x.as(x.ann), done.Package); err != nil {
		t.Fatal(err)
	}
	x.wantText("stable/", "all", "<lib 1 in : text of lib\n>")
	x.wantSound()
}

func TestSplitIndexOfMany(t *testing.T) {
	x := newIndexes(t)
	for i := range 30 {
		x.publish(fmt.Sprintf("app-%02d", i), "1", "stable/")
	}
	x.read(x.space, "stable/", "all")
	p, err := x.space.AnyPackage(t.Context(), "app-15")
	if err != nil {
		t.Fatal(err)
	}
	if err := x.space.SetVisibility(x.as(x.ann), p, access.Private); err != nil {
		t.Fatal(err)
	}
	got := x.read(x.enter(x.bob, "acme", "listed", access.Read), "stable/", "all")
	if strings.Count(got, "\n") != 29 || strings.Contains(got, "app-15") {
		t.Errorf("an outsider reads\n%s", got)
	}
	x.wantSound()
}

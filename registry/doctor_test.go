package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect/sql"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packageblob"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/property"
	"entrepot/ent/schema"
	"entrepot/storage"
	"entrepot/storage/storagetest"
)

// diagnose runs the doctor and returns the findings in a fixed order.
func (f *fixture) diagnose(opts DiagnoseOptions) []Finding {
	f.t.Helper()
	var all []Finding
	if err := f.Diagnose(f.t.Context(), opts, func(found Finding) { all = append(all, found) }); err != nil {
		f.t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject))
	})
	return all
}

func (f *fixture) wantNoFindings() {
	f.t.Helper()
	if found := f.diagnose(DiagnoseOptions{}); len(found) > 0 {
		f.t.Errorf("findings: %+v", found)
	}
}

// doctorFixture is a fixture whose store is a directory that the test can
// damage.
func doctorFixture(t *testing.T) (f *fixture, path func(key string) string) {
	t.Helper()
	dir := t.TempDir()
	store, err := storage.Open(t.Context(), dir, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f = newFixtureOn(t, "sqlite:"+t.TempDir()+"/test.db", Options{Store: store})
	return f, func(key string) string { return filepath.Join(dir, filepath.FromSlash(key)) }
}

// work is what a healthy registry has been through: publishes, overwrites,
// tags, deletions, a collection.
func (f *fixture) work() {
	f.t.Helper()
	ctx := f.t.Context()
	for _, typ := range []string{"plain", "tagged"} {
		s := f.enter(f.ann, "acme", typ, access.Delete)
		for _, version := range []string{"1.0.0", "1.1.0", "2.0.0-rc.1"} {
			p := f.publication("app", version, typ+version)
			p.Properties = []Property{{"color", "red"}}
			p.Files[0].Properties = []Property{{"color", "blue"}}
			p.Tags = []string{"t" + version}
			if _, err := s.Publish(ctx, p); err != nil {
				f.t.Fatal(err)
			}
		}
		p := f.publication("app", "1.1.0", "overwritten")
		p.Policy, p.Overwrite = AddToExisting, OverwriteAlways
		done, err := s.Publish(ctx, p)
		if err != nil {
			f.t.Fatal(err)
		}
		if err := s.DeleteVersions(ctx, done.Package, []string{"1.0.0"}, nil); err != nil {
			f.t.Fatal(err)
		}
	}
	f.deletePackage(f.publish("short-lived", "1", "gone").Package)
	f.age(f.grace)
	f.collect()
	f.deletePackage(f.publish("short-lived", "1", "in its grace time").Package)
}

func TestDoctorFindsNothingAfterWork(t *testing.T) {
	f := newFixture(t)
	f.wantNoFindings()
	f.work()
	f.wantNoFindings()
}

// TestDoctorLeavesUploadsAlone plants what a running server has in its store
// without a blob's row.
func TestDoctorLeavesUploadsAlone(t *testing.T) {
	f := newFixture(t)
	f.stored("on its way to a publish")
	part := f.stored("part of an upload older than its lease")
	f.db.KeyLease.Delete().ExecX(f.system())
	f.db.BlobUpload.Create().SetSession("s").SetOwnerID(1).SetPackageType("plain").SetPackageName("app").SetUserID(1).
		SetParts([]schema.UploadPart{{Key: part.Key, Size: part.Size}}).SetExpiresAt(now().Add(time.Hour)).ExecX(f.system())
	f.keys.prefix = ""
	stored := f.stored("another")
	found := f.diagnose(DiagnoseOptions{})
	if len(found) != 1 || found[0].Kind != StrayObject || found[0].Subject == part.Key || found[0].Subject == stored.Key {
		t.Errorf("findings %+v, want the one object whose lease is gone", found)
	}
}

// damage is a defect, and what the doctor makes of it.
type damage struct {
	name string
	do   func(f *fixture, path func(string) string, done *Published)
	kind FindingKind
	// subject is a part of the finding's.
	subject string
	// fixed tells that the doctor can put it right.
	fixed bool
}

var damages = []damage{
	{"object missing", func(f *fixture, path func(string) string, done *Published) {
		must(f, os.Remove(path(blobOf(done).StorageKey)))
	}, MissingBytes, "Acme/plain/victim, version 1, file f.txt", false},
	{"object cut short", func(f *fixture, path func(string) string, done *Published) {
		rewrite(f, path(blobOf(done).StorageKey), "vict")
	}, DamagedBytes, "Acme/plain/victim, version 1, file f.txt", false},
	{"bit flipped", func(f *fixture, path func(string) string, done *Published) {
		rewrite(f, path(blobOf(done).StorageKey), "victin")
	}, DamagedBytes, "Acme/plain/victim, version 1, file f.txt", false},
	{"object of unnamed content missing", func(f *fixture, path func(string) string, done *Published) {
		f.deletePackage(done.Package)
		must(f, os.Remove(path(blobOf(done).StorageKey)))
	}, MissingBytes, "sha256:", true},
	{"wrong size", func(f *fixture, _ func(string) string, done *Published) {
		f.db.PackageBlob.UpdateOne(blobOf(done)).Modify(func(u *sql.UpdateBuilder) { u.Set(packageblob.FieldSize, 99) }).ExecX(f.system())
	}, WrongSize, "sha256:", true},
	{"wrong digest", func(f *fixture, _ func(string) string, done *Published) {
		f.db.PackageBlob.UpdateOne(blobOf(done)).SetSha1("00").ExecX(f.system())
	}, WrongDigest, "sha256:", true},
	{"set aside", func(f *fixture, _ func(string) string, done *Published) {
		f.db.PackageBlob.UpdateOne(blobOf(done)).SetState(packageblob.StateDying).ExecX(f.system())
	}, SetAside, "sha256:", true},
	{"object without a row", func(f *fixture, _ func(string) string, _ *Published) {
		_, err := f.store.Put(f.t.Context(), storage.NewKey(), strings.NewReader("stray"), 5)
		must(f, err)
	}, StrayObject, "b/", true},
	{"marked though named", func(f *fixture, _ func(string) string, done *Published) {
		f.db.PackageBlob.UpdateOne(blobOf(done)).SetUnreferencedAt(now()).ExecX(f.system())
	}, WrongMark, "sha256:", true},
	{"named by none and not marked", func(f *fixture, _ func(string) string, done *Published) {
		f.deletePackage(done.Package)
		f.db.PackageBlob.UpdateOne(blobOf(done)).ClearUnreferencedAt().ExecX(f.system())
	}, WrongMark, "sha256:", true},
	{"wrong count", func(f *fixture, _ func(string) string, done *Published) {
		f.db.Pkg.UpdateOne(done.Package).SetVersionCount(7).ExecX(f.system())
	}, WrongCount, "Acme/plain/victim", true},
	{"no latest version", func(f *fixture, _ func(string) string, done *Published) {
		f.db.Pkg.UpdateOne(done.Package).ClearLatestID().ExecX(f.system())
	}, WrongLatest, "Acme/plain/victim", true},
	{"latest version of another package", func(f *fixture, _ func(string) string, done *Published) {
		other := f.db.PackageVersion.Query().Where(packageversion.PackageIDNEQ(done.Package.ID)).FirstIDX(f.system())
		f.db.Pkg.UpdateOne(done.Package).SetLatestID(other).ExecX(f.system())
	}, WrongLatest, "Acme/plain/victim", true},
	{"tag latest missing", func(f *fixture, _ func(string) string, _ *Published) {
		p := f.db.Pkg.Query().Where(pkg.Type("tagged")).OnlyX(f.system())
		f.db.Tag.Delete().Where(func(s *sql.Selector) { s.Where(sql.And(sql.EQ("package_id", p.ID), sql.EQ("name", Latest))) }).ExecX(f.system())
		// The version it named is not the one that would be chosen without it.
		f.db.Pkg.UpdateOne(p).SetLatestID(f.db.PackageVersion.Query().
			Where(packageversion.PackageID(p.ID), packageversion.Version("1.1.0")).OnlyIDX(f.system())).ExecX(f.system())
	}, WrongLatest, "Acme/tagged/app", true},
	{"tag on another package's version", func(f *fixture, _ func(string) string, done *Published) {
		other := f.db.PackageVersion.Query().Where(packageversion.PackageIDNEQ(done.Package.ID)).FirstIDX(f.system())
		f.db.Tag.Create().SetPackageID(done.Package.ID).SetVersionID(other).SetName("x").SetSortKey(byteKey("x")).ExecX(f.system())
	}, StrayTag, "Acme/plain/victim", true},
	{"property of no package", strayProperty(property.RefTypePackage), StrayProperty, "property ", true},
	{"property of no version", strayProperty(property.RefTypeVersion), StrayProperty, "property ", true},
	{"property of no file", strayProperty(property.RefTypeFile), StrayProperty, "property ", true},
}

func strayProperty(ref property.RefType) func(*fixture, func(string) string, *Published) {
	return func(f *fixture, _ func(string) string, _ *Published) {
		f.db.Property.Create().SetRefType(ref).SetRefID(12345).SetName("n").SetValue("v").ExecX(f.system())
	}
}

func blobOf(done *Published) *ent.PackageBlob { return done.Files[0].Edges.Blob }

func must(f *fixture, err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func rewrite(f *fixture, path, content string) {
	f.t.Helper()
	must(f, os.Remove(path))
	must(f, os.WriteFile(path, []byte(content), 0o600))
}

// TestDoctor plants each defect in a registry that has seen some work. The
// doctor must find it and nothing else, find it again when it was not to fix
// it, and have nothing left to say once it has.
func TestDoctor(t *testing.T) {
	for _, tt := range damages {
		t.Run(tt.name, func(t *testing.T) {
			f, path := doctorFixture(t)
			f.work()
			done := f.publish("victim", "1", "victim")
			tt.do(f, path, done)
			for _, fix := range []bool{false, false, true} {
				found := f.diagnose(DiagnoseOptions{Fix: fix})
				if len(found) != 1 {
					t.Fatalf("fix %v: findings %+v, want one", fix, found)
				}
				got := found[0]
				if got.Kind != tt.kind || !strings.Contains(got.Subject, tt.subject) || got.Detail == "" || got.Fixed != (fix && tt.fixed) {
					t.Errorf("fix %v: finding %+v", fix, got)
				}
			}
			if tt.fixed {
				f.wantNoFindings()
				f.collect()
				f.wantNoFindings()
			}
		})
	}
}

// TestDoctorHealsLostContent loses the bytes of a file and gets them back in
// two ways.
func TestDoctorHealsLostContent(t *testing.T) {
	for _, tt := range []struct {
		name  string
		bring func(f *fixture, path string)
		kind  FindingKind // of what is found and fixed then
	}{
		{"published again", func(f *fixture, _ string) { f.publish("elsewhere", "1", "precious") }, MissingBytes},
		{"restored", func(f *fixture, path string) { must(f, os.WriteFile(path, []byte("precious"), 0o600)) }, SetAside},
		{"both", func(f *fixture, path string) {
			f.publish("elsewhere", "1", "precious")
			must(f, os.WriteFile(path, []byte("precious"), 0o600))
		}, SetAside},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, path := doctorFixture(t)
			first, second := f.publish("app", "1", "precious"), f.publish("app", "2", "precious")
			object := path(blobOf(first).StorageKey)
			must(f, os.Remove(object))
			if found := f.diagnose(DiagnoseOptions{Fix: true}); len(found) != 2 || found[0].Fixed || found[1].Fixed {
				t.Fatalf("findings %+v, want two files that cannot be fixed yet", found)
			}
			// Neither the files nor their row are gone.
			f.age(48 * time.Hour)
			f.collect()
			tt.bring(f, object)
			found := f.diagnose(DiagnoseOptions{Fix: true})
			if len(found) == 0 {
				t.Fatal("nothing found")
			}
			for _, finding := range found {
				if finding.Kind != tt.kind || !finding.Fixed {
					t.Errorf("finding %+v", finding)
				}
			}
			f.wantNoFindings()
			f.age(48 * time.Hour)
			f.collect()
			f.wantNoFindings()
			s := f.enter(f.ann, "acme", "plain", access.Read)
			for _, done := range []*Published{first, second} {
				file, err := s.File(t.Context(), done.Package, done.Version.NormalizedVersion, "f.txt", "")
				must(f, err)
				if got, err := f.bytesOf(&Published{Files: []*ent.PackageFile{file}}); got != "precious" || err != nil {
					t.Errorf("version %s: %q, %v", done.Version.Version, got, err)
				}
			}
			if n := f.db.PackageBlob.Query().CountX(f.system()); n != 1 {
				t.Errorf("%d blobs, want 1", n)
			}
		})
	}
}

// TestPublishHealsLostContent publishes the same bytes in place of those that
// are lost.
func TestPublishHealsLostContent(t *testing.T) {
	f, path := doctorFixture(t)
	done := f.publish("app", "1", "precious")
	must(f, os.Remove(path(blobOf(done).StorageKey)))
	f.diagnose(DiagnoseOptions{Fix: true})
	for range 2 {
		p := f.publication("app", "1", "precious")
		p.Policy, p.Overwrite = AddToExisting, OverwriteIdentical
		again, err := f.enter(f.ann, "acme", "plain", access.Write).Publish(t.Context(), p)
		must(f, err)
		if got, err := f.bytesOf(again); got != "precious" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	f.wantNoFindings()
	f.age(f.grace)
	f.collect()
	f.wantNoFindings()
	if blobs, objects := f.db.PackageBlob.Query().CountX(f.system()), len(f.objectKeys()); blobs != 1 || objects != 1 {
		t.Errorf("%d blobs and %d objects, want one of each", blobs, objects)
	}
}

// TestDoctorReadsAsMuchAsAsked flips a bit, which only reading shows.
func TestDoctorReadsAsMuchAsAsked(t *testing.T) {
	f, path := doctorFixture(t)
	for n := range 40 {
		rewrite(f, path(blobOf(f.publish("app", fmt.Sprint(n), fmt.Sprintf("content %02d", n))).StorageKey), "CONTENT 00")
	}
	for every, ok := range map[int]func(n int) bool{
		-1: func(n int) bool { return n == 0 },
		0:  func(n int) bool { return n == 40 },
		1:  func(n int) bool { return n == 40 },
		2:  func(n int) bool { return 0 < n && n < 40 },
	} {
		if n := len(f.diagnose(DiagnoseOptions{ReadEvery: every})); !ok(n) {
			t.Errorf("reading one in %d found %d", every, n)
		}
	}
}

func TestDoctorStrayAge(t *testing.T) {
	f, path := doctorFixture(t)
	key := storage.NewKey()
	_, err := f.store.Put(t.Context(), key, strings.NewReader("stray"), 5)
	must(f, err)
	if found := f.diagnose(DiagnoseOptions{StrayAge: time.Hour, Fix: true}); len(found) != 0 {
		t.Errorf("findings %+v, want none", found)
	}
	old := time.Now().Add(-2 * time.Hour)
	must(f, os.Chtimes(path(key), old, old))
	if found := f.diagnose(DiagnoseOptions{StrayAge: time.Hour}); len(found) != 1 {
		t.Errorf("findings %+v, want one", found)
	}
}

// ghostStore lists an object that has been removed since.
type ghostStore struct{ storage.Store }

func (g ghostStore) List(ctx context.Context) iter.Seq2[storage.Entry, error] {
	return func(yield func(storage.Entry, error) bool) {
		if yield(storage.Entry{Key: storage.NewKey(), Size: 5}, nil) {
			g.Store.List(ctx)(yield)
		}
	}
}

func TestDoctorLooksAtObjectsTwice(t *testing.T) {
	store, err := storage.Open(t.Context(), t.TempDir(), storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := newFixtureOn(t, "sqlite:"+t.TempDir()+"/test.db", Options{Store: ghostStore{store}})
	f.publish("app", "1", "content")
	f.wantNoFindings()
}

// TestDoctorWithFaultyStore tells a store that is out of reach from one that
// has lost objects.
func TestDoctorWithFaultyStore(t *testing.T) {
	broken := errors.New("input/output error")
	for _, op := range []storagetest.Op{storagetest.OpStat, storagetest.OpOpen, storagetest.OpRead, storagetest.OpList} {
		t.Run(string(op), func(t *testing.T) {
			f, faulty := newFaultyFixture(t)
			f.publish("app", "1", "content")
			faulty.Fail(storagetest.Fault{Op: op})
			err := f.Diagnose(t.Context(), DiagnoseOptions{Fix: true}, func(found Finding) { t.Errorf("finding %+v", found) })
			if !errors.Is(err, storagetest.ErrFault) {
				t.Errorf("out of reach: error %v", err)
			}
			f.wantNoFindings()
			if op == storagetest.OpList {
				return
			}
			faulty.Fail(storagetest.Fault{Op: op, Err: broken})
			if found := f.diagnose(DiagnoseOptions{}); len(found) != 1 || found[0].Kind != UnreadableBytes {
				t.Errorf("broken: findings %+v", found)
			}
		})
	}
}

// TestDoctorBesideWork diagnoses without a pause while packages are published,
// overwritten, tagged and deleted, and the garbage collected.
func TestDoctorBesideWork(t *testing.T) {
	diagnoseBesideWork(newFixtureOn(t, "sqlite:"+t.TempDir()+"/test.db", Options{Grace: time.Microsecond}), 12)
}

func diagnoseBesideWork(f *fixture, rounds int) {
	t := f.t
	ctx, stop := context.WithCancel(t.Context())
	var background, workers sync.WaitGroup
	background.Go(func() {
		for ctx.Err() == nil {
			if _, err := f.Collect(ctx); err != nil && ctx.Err() == nil {
				t.Errorf("collect: %v", err)
			}
		}
	})
	runs := 0
	background.Go(func() {
		for ctx.Err() == nil {
			err := f.Diagnose(ctx, DiagnoseOptions{Fix: runs%2 == 1}, func(found Finding) { t.Errorf("finding %+v", found) })
			if err != nil && ctx.Err() == nil {
				t.Errorf("diagnose: %v", err)
			}
			runs++
		}
	})
	for w := range 6 {
		space := f.enter(f.ann, "acme", []string{"plain", "tagged"}[w%2], access.Delete)
		workers.Go(func() {
			for round := range rounds {
				if err := f.oneRound(ctx, space, fmt.Sprintf("app-%d", w/4), w, round); err != nil {
					t.Errorf("worker %d, round %d: %v", w, round, err)
					return
				}
			}
		})
	}
	workers.Wait()
	stop()
	background.Wait()
	if runs < 2 {
		t.Errorf("only %d diagnoses", runs)
	}
	f.wantNoFindings()
}

// oneRound publishes a version, tags it, overwrites its file and deletes it,
// beside other workers on the same package.
func (f *fixture) oneRound(ctx context.Context, s *Space, name string, w, round int) error {
	version := fmt.Sprintf("%d.%d.0", w, round)
	p, err := f.tryPublication(name, version, fmt.Sprintf("content %d", round%3))
	if err != nil {
		return err
	}
	p.SortKey, _ = NaturalKey(version)
	p.Properties = []Property{{"n", "v"}}
	p.Tags = []string{fmt.Sprintf("worker-%d", w)}
	done, err := s.Publish(ctx, p)
	if err != nil {
		return err
	}
	if p, err = f.tryPublication(name, version, fmt.Sprintf("content %d", (round+1)%3)); err != nil {
		return err
	}
	p.Policy, p.Overwrite = AddToExisting, OverwriteAlways
	if _, err := s.Publish(ctx, p); err != nil {
		return err
	}
	if round%5 == 4 {
		return nil // this one stays
	}
	return s.DeleteVersions(ctx, done.Package, []string{version}, nil)
}

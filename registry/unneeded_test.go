package registry

import (
	"testing"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packageblob"
	"entrepot/ent/packagefile"
	"entrepot/ent/pkg"
	"entrepot/ent/property"
)

// layered is a space whose versions need files of an internal version.
type layered struct {
	*fixture
	*Space
}

func newLayered(t *testing.T) *layered { return layeredOn(newFixture(t)) }

func layeredOn(f *fixture) *layered {
	return &layered{f, f.enter(f.ann, "acme", "layered", access.Delete)}
}

// layer puts a file into the internal version.
func (l *layered) layer(name, content string) *ent.PackageFile {
	l.t.Helper()
	done, err := l.Publish(l.t.Context(), Publication{
		Name: "app", NormalizedName: "app", Version: ":layers", NormalizedVersion: ":layers", Internal: true,
		Policy: CreateOrAdd, Overwrite: OverwriteIdentical,
		Files: []File{{Name: name, NormalizedName: name, Content: l.stored(content)}},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return done.Files[0]
}

// version publishes one that needs what is named.
func (l *layered) version(version string, needs ...string) *ent.Pkg {
	l.t.Helper()
	p := l.publication("app", version, version)
	for _, n := range needs {
		p.Properties = append(p.Properties, Property{"layered.needs", n})
	}
	done, err := l.Publish(l.t.Context(), p)
	if err != nil {
		l.t.Fatal(err)
	}
	return done.Package
}

// dayLater makes every mark a day older and collects.
func (l *layered) dayLater() Collected {
	l.t.Helper()
	l.db.Property.Update().Where(property.Name(unneededSince)).
		SetValue(TimeKey(time.Now().Add(-defaultKeepUnneeded - time.Minute))).ExecX(access.SystemContext(l.t.Context()))
	return l.collect()
}

func (l *layered) collect() Collected {
	l.t.Helper()
	done, err := l.Collect(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return done
}

// has tells which of the layers are there.
func (l *layered) has(names ...string) string {
	l.t.Helper()
	found := ""
	for _, n := range names {
		if l.db.PackageFile.Query().Where(packagefile.NormalizedName(n)).ExistX(access.SystemContext(l.t.Context())) {
			found += n
		}
	}
	return found
}

func TestUnneededFilesGo(t *testing.T) {
	l := newLayered(t)
	l.layer("a", "a")
	l.layer("b", "b")
	if l.collect(); l.has("a", "b") != "ab" {
		t.Fatal("a file that waits for its version was removed")
	}
	l.version("1", "a")
	if done := l.dayLater(); done.Files != 1 || l.has("a", "b") != "a" {
		t.Errorf("removed %d, left %q; want b to go", done.Files, l.has("a", "b"))
	}
	l.layer("c", "c")
	l.version("2", "a", "c")
	if l.dayLater(); l.has("a", "c") != "ac" {
		t.Errorf("left %q", l.has("a", "c"))
	}
	p := l.version("3")
	if err := l.DeleteVersions(t.Context(), p, []string{"2"}, nil); err != nil {
		t.Fatal(err)
	}
	if l.collect(); l.has("a", "c") != "ac" {
		t.Errorf("removed at once; left %q", l.has("a", "c"))
	}
	if l.dayLater(); l.has("a", "c") != "a" {
		t.Errorf("left %q, want a, which version 1 needs", l.has("a", "c"))
	}
	unreferenced := l.db.PackageBlob.Query().Where(packageblob.UnreferencedAtNotNil()).CountX(access.SystemContext(t.Context()))
	if unreferenced == 0 {
		t.Error("the content's grace time has not begun")
	}
}

func TestUnneededPackagesGo(t *testing.T) {
	l := newLayered(t)
	l.layer("a", "a")
	if l.dayLater(); l.db.Pkg.Query().Where(pkg.Type("layered")).ExistX(access.SystemContext(t.Context())) {
		t.Error("a package without anything is left")
	}
}

func TestUnneededFilesAreRenewed(t *testing.T) {
	for name, renew := range map[string]func(*layered, *ent.PackageFile){
		"asked for": func(l *layered, f *ent.PackageFile) {
			l.Wanted(f)
			if err := l.FlushDownloads(l.t.Context()); err != nil {
				l.t.Fatal(err)
			}
		},
		"pushed again": func(l *layered, f *ent.PackageFile) { l.layer(f.Name, "a") },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLayered(t)
			f := l.layer("a", "a")
			l.db.Property.Update().Where(property.Name(unneededSince)).
				SetValue(TimeKey(time.Now().Add(-defaultKeepUnneeded - time.Minute))).ExecX(access.SystemContext(t.Context()))
			renew(l, f)
			if l.collect(); l.has("a") != "a" {
				t.Error("it was removed")
			}
		})
	}
}

func TestNeededIsNotDeleted(t *testing.T) {
	l := newLayered(t)
	f := l.layer("a", "a")
	l.version("1", "a")
	p := l.version("2", "1")
	wantCode(t, l.DeleteFile(t.Context(), p, f), Conflict)
	wantCode(t, l.DeleteVersions(t.Context(), p, []string{"1"}, nil), Conflict)
	if l.has("a") != "a" {
		t.Error("a refused deletion has deleted")
	}
	l.version("3")
	// Together they go.
	if err := l.DeleteVersions(t.Context(), p, []string{"1", "2"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := l.DeleteFile(t.Context(), p, f); err != nil {
		t.Error(err)
	}
}

func TestOrganizationWithHiddenPackageGoes(t *testing.T) {
	l := newLayered(t)
	l.layer("a", "a")
	if err := l.DeleteOrganization(l.as(l.ann), "acme"); err != nil {
		t.Error(err)
	}
}

package registry

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/membership"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/storage"
)

// closedStore works until it is closed to see who still uses it.
type closedStore struct {
	storage.Store
	closed bool
	used   []string
}

var errClosedStore = errors.New("the store is not to be used")

func (s *closedStore) use(what, key string) error {
	if !s.closed {
		return nil
	}
	s.used = append(s.used, what+" "+key)
	return errClosedStore
}

func (s *closedStore) Put(ctx context.Context, key string, r io.Reader, size int64) (int64, error) {
	if err := s.use("put", key); err != nil {
		return 0, err
	}
	return s.Store.Put(ctx, key, r, size)
}

func (s *closedStore) Open(ctx context.Context, key string, size int64) (io.ReadSeekCloser, error) {
	if err := s.use("open", key); err != nil {
		return nil, err
	}
	return s.Store.Open(ctx, key, size)
}

func (s *closedStore) Stat(ctx context.Context, key string) (int64, error) {
	if err := s.use("stat", key); err != nil {
		return 0, err
	}
	return s.Store.Stat(ctx, key)
}

func (s *closedStore) Remove(ctx context.Context, key string) error {
	if err := s.use("remove", key); err != nil {
		return err
	}
	return s.Store.Remove(ctx, key)
}

// index publishes what a copy has to follow: the version "index" needs the
// images "one" and "two", which share a layer and have one each; a signature
// is about one of the images, another about the index, by tag, and a third
// signs the first signature.
func indexOf(l *layered) *ent.Pkg {
	l.layer("shared", "s")
	l.layer("a", "a")
	l.layer("b", "b")
	l.layer("sig", "sig")
	l.version("one", "shared", "a")
	l.version("two", "shared", "b")
	l.version("index", "one", "two", "absent")
	l.version("unrelated", "b")
	sign := func(version, subject string, tags ...string) *ent.Pkg {
		p := l.publication("app", version, "bytes of "+version)
		p.Properties = []Property{{"layered.needs", "sig"}}
		if subject != "" {
			p.Properties = append(p.Properties, Property{"layered.subject", subject}, Property{"layered.kind", "sig"})
		}
		p.Tags = tags
		done, err := l.Publish(l.t.Context(), p)
		if err != nil {
			l.t.Fatal(err)
		}
		return done.Package
	}
	sign("sig-one", "one")
	sign("sig-sig", "sig-one")
	return sign("sig-index", "", "index.sig")
}

// holds lists the versions of a package with their tags, and how many bytes
// its files name.
func (f *fixture) holds(owner, name string) string {
	f.t.Helper()
	ctx := access.SystemContext(f.t.Context())
	s := f.enter(f.ann, owner, "layered", access.Read)
	p, err := s.AnyPackage(ctx, name)
	if err != nil || p == nil {
		return "no package"
	}
	var all []string
	for _, v := range f.db.PackageVersion.Query().Where(packageversion.PackageID(p.ID), packageversion.Internal(false)).WithTags().AllX(ctx) {
		text := v.Version
		for _, t := range v.Edges.Tags {
			text += "=" + t.Name
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestCopy(t *testing.T) {
	store := &closedStore{}
	var err error
	if store.Store, err = storage.Open(t.Context(), t.TempDir(), storage.Options{}); err != nil {
		t.Fatal(err)
	}
	f := newFixtureOn(t, "sqlite:"+t.TempDir()+"/test.db", Options{Store: store})
	l := &layered{f, f.enter(f.ann, "acme", "layered", access.Delete)}
	p := indexOf(l)
	for _, org := range []string{"prod", "lean"} {
		if _, err := f.CreateOrganization(f.as(f.ann), org, access.Public, "ann"); err != nil {
			t.Fatal(err)
		}
	}
	blobs := func() int { return f.db.PackageBlob.Query().CountX(access.SystemContext(t.Context())) }
	before := blobs()
	store.closed = true
	defer func() { store.closed = false }()
	for _, tt := range []struct {
		name, owner, pkg, version string
		req                       CopyRequest
		want                      string
	}{
		{"with referrers", "prod", "app", "index", CopyRequest{Tags: []string{"1.0", "latest"}, Referrers: true},
			"index=1.0=latest one sig-index=index.sig sig-one sig-sig two"},
		{"once more, another tag", "prod", "app", "index", CopyRequest{Tags: []string{"1.1"}, Referrers: true},
			"index=1.0=latest=1.1 one sig-index=index.sig sig-one sig-sig two"},
		{"a part of it moves a tag", "prod", "app", "one", CopyRequest{Tags: []string{"latest"}, Referrers: false},
			"index=1.0=1.1 one=latest sig-index=index.sig sig-one sig-sig two"},
		{"without referrers", "lean", "app", "index", CopyRequest{}, "index one two"},
		{"under another name", "lean", "other/name", "two", CopyRequest{Tags: []string{"x"}, Referrers: true}, "two=x"},
		{"within the owner", "acme", "other", "one", CopyRequest{Tags: []string{"x"}}, "one=x"},
		{"onto itself", "acme", "app", "one", CopyRequest{Tags: []string{"x"}},
			"index one=x sig-index=index.sig sig-one sig-sig two unrelated"},
	} {
		tt.req.Package = tt.pkg
		done, err := l.Copy(t.Context(), p, tt.version, f.enter(f.ann, tt.owner, "layered", access.Write), tt.req)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if done.Version.Version != tt.version || done.Package.NormalizedName != tt.pkg {
			t.Errorf("%s: returned %s of %s", tt.name, done.Version.Version, done.Package.NormalizedName)
		}
		if got := f.holds(tt.owner, tt.pkg); got != tt.want {
			t.Errorf("%s: the target holds %q, want %q", tt.name, got, tt.want)
		}
	}
	if n := blobs(); n != before {
		t.Errorf("%d blobs became %d", before, n)
	}
	if len(store.used) > 0 {
		t.Errorf("the store was used: %v", store.used)
	}
	// What was copied stands by itself: files with their bytes, properties.
	target := f.enter(f.ann, "prod", "layered", access.Delete)
	copied, err := target.Package(t.Context(), "app", access.Read)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"shared", "a", "b", "sig"} {
		from, err1 := l.File(t.Context(), p, ":layers", name, "")
		to, err2 := target.File(t.Context(), copied, ":layers", name, "")
		if err1 != nil || err2 != nil || from.BlobID != to.BlobID || from.MediaType != to.MediaType {
			t.Errorf("file %s: %v %v, %v %v", name, from, err1, to, err2)
		}
	}
	if err := target.DeleteVersions(t.Context(), copied, []string{"one"}, nil); CodeOf(err) != Conflict {
		t.Errorf("deleting a needed version: %v, want a conflict", err)
	}
	from, _ := l.Version(t.Context(), p, "index")
	to, err := target.Version(t.Context(), copied, "index")
	if err != nil || to.Summary != from.Summary || string(to.Metadata) != string(from.Metadata) || to.SortKey == from.SortKey {
		t.Errorf("copied as %+v from %+v, %v; the key is by time", to, from, err)
	}
}

// A signature of the target's own is not thrown out by one that is copied.
func TestCopyKeepsSignaturesOfTheTarget(t *testing.T) {
	l := newLayered(t)
	p := indexOf(l)
	if _, err := l.CreateOrganization(l.as(l.ann), "prod", access.Public, "ann"); err != nil {
		t.Fatal(err)
	}
	to := l.enter(l.ann, "prod", "layered", access.Write)
	own := l.publication("app", "own-sig", "own")
	own.Tags = []string{"index.sig"}
	if _, err := to.Publish(t.Context(), own); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Copy(t.Context(), p, "index", to, CopyRequest{Package: "app", Referrers: true}); err != nil {
		t.Fatal(err)
	}
	if got, want := l.holds("prod", "app"), "index one own-sig=index.sig sig-index sig-one sig-sig two"; got != want {
		t.Errorf("the target holds %q, want %q", got, want)
	}
}

func TestCopyRefused(t *testing.T) {
	l := newLayered(t)
	p := indexOf(l)
	ctx := access.SystemContext(t.Context())
	for _, org := range []string{"prod", "hidden"} {
		vis := access.Public
		if org == "hidden" {
			vis = access.Private
		}
		if _, err := l.CreateOrganization(l.as(l.ann), org, vis, "ann"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.SetMember(l.as(l.ann), "prod", "bob", membership.RoleReader); err != nil {
		t.Fatal(err)
	}
	prod := l.enter(l.ann, "prod", "layered", access.Write)
	if _, err := l.Copy(t.Context(), p, "one", prod, CopyRequest{Package: "app", Tags: []string{"stays"}}); err != nil {
		t.Fatal(err)
	}
	packages := l.db.Pkg.Query().CountX(ctx)
	plain := l.enter(l.ann, "acme", "plain", access.Write)
	plainDone, err := plain.Publish(t.Context(), l.publication("app", "1.0", "x"))
	if err != nil {
		t.Fatal(err)
	}
	readOnly := *prod
	readOnly.Role = access.Reader
	blind := *l.Space
	blind.Viewer, blind.Role = l.bob, access.NoRole
	private := *p
	private.Visibility = pkg.VisibilityPrivate
	for _, tt := range []struct {
		name    string
		from    *Space
		p       *ent.Pkg
		version string
		to      *Space
		req     CopyRequest
		code    Code
		field   string
	}{
		{"no such version", l.Space, p, "missing", prod, CopyRequest{Package: "new"}, NotFound, ""},
		{"an internal version", l.Space, p, ":layers", prod, CopyRequest{Package: "new"}, NotFound, ""},
		{"a name that cannot be", l.Space, p, "one", prod, CopyRequest{Package: "NO"}, Invalid, "package"},
		{"a tag that cannot be", l.Space, p, "one", prod, CopyRequest{Package: "new", Tags: []string{"no tag"}}, Invalid, "tags"},
		{"too many tags", l.Space, p, "one", prod, CopyRequest{Package: "new", Tags: make([]string, 101)}, Invalid, "tags"},
		{"a tag that stays", l.Space, p, "two", prod, CopyRequest{Package: "app", Tags: []string{"stays"}}, Forbidden, "tags"},
		{"no right to write", l.Space, p, "one", &readOnly, CopyRequest{Package: "new"}, Forbidden, ""},
		{"no right to read", &blind, &private, "one", prod, CopyRequest{Package: "new"}, NotFound, ""},
		{"a type without copies", plain, plainDone.Package, "1.0", plain, CopyRequest{Package: "new"}, Invalid, "version"},
	} {
		before := l.holds("prod", "app")
		_, err := tt.from.Copy(t.Context(), tt.p, tt.version, tt.to, tt.req)
		e, _ := errors.AsType[*Error](err)
		if CodeOf(err) != tt.code || e.Field != tt.field {
			t.Errorf("%s: error %v (%s, field %+v), want %s about %q", tt.name, err, CodeOf(err), e, tt.code, tt.field)
		}
		if got := l.holds("prod", "app"); got != before {
			t.Errorf("%s: it was copied all the same: %s", tt.name, got)
		}
	}
	if n := l.db.Pkg.Query().CountX(ctx); n != packages+1 {
		t.Errorf("%d packages, want %d", n, packages+1)
	}
}

package registry

import (
	"compress/gzip"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/indexdata"
	"entrepot/ent/indexobject"
	"entrepot/ent/indexroot"
	"entrepot/ent/indexsnapshot"
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

// TestIndexEncoded reads a text in encodings that are made when asked for.
func TestIndexEncoded(t *testing.T) {
	x := newIndexes(t)
	for i := range 20 {
		x.publish(fmt.Sprintf("app-%02d", i), "1", "stable/")
	}
	snapshot, err := x.space.Index(t.Context(), IndexName{"stable", ""})
	if err != nil {
		t.Fatal(err)
	}
	want := x.object(snapshot, "all")
	for range 2 {
		packed, err := snapshot.Encoded(t.Context(), "all", XZ, "application/x-xz")
		if err != nil {
			t.Fatal(err)
		}
		r, err := xz.ReaderConfig{SingleStream: true}.NewReader(packed.Open(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != want {
			t.Errorf("xz holds %d bytes, want %d; %v", len(got), len(want), err)
		}
		if packed, err = snapshot.Encoded(t.Context(), "all", Zstd, "application/zstd"); err != nil {
			t.Fatal(err)
		}
		z, err := zstd.NewReader(packed.Open(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(z); err != nil || string(got) != want {
			t.Errorf("zstd holds %d bytes, want %d; %v", len(got), len(want), err)
		}
		z.Close()
	}
	if n := x.db.IndexData.Query().Where(indexdata.SourceIDGT(0)).CountX(access.SystemContext(t.Context())); n == 0 || n%2 != 0 {
		t.Errorf("%d chunks are kept in other encodings", n)
	}
	x.oldData()
	if _, err := x.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.indexCache.InvalidateAll()
	if _, err := snapshot.Encoded(t.Context(), "all", XZ, "application/x-xz"); err != nil {
		t.Error(err)
	}
}

// TestIndexEncode reads a text in an encoding that its documents name: what has
// been encoded once is not encoded again, and stays as long as it is used.
func TestIndexEncode(t *testing.T) {
	x := newIndexes(t)
	encoded := func() int {
		return x.db.IndexData.Query().Where(indexdata.SourceIDGT(0)).CountX(access.SystemContext(t.Context()))
	}
	for i := range 40 {
		x.publish(fmt.Sprintf("app-%02d", i), "1", "packed/")
	}
	want := func() {
		t.Helper()
		x.indexCache.InvalidateAll()
		r, err := xz.ReaderConfig{SingleStream: true}.NewReader(strings.NewReader(x.read(x.space, "packed/", "all.xz")))
		if err != nil {
			t.Fatal(err)
		}
		plain := x.read(x.space, "packed/", "all")
		if got, err := io.ReadAll(r); err != nil || string(got) != plain || !strings.Contains(plain, "app-39") {
			t.Errorf("xz holds %d bytes, want %d; %v", len(got), len(plain), err)
		}
	}
	want()
	before := encoded()
	x.publish("app-40", "1", "packed/")
	want()
	if now := encoded(); before < 9 || now <= before || now > before+6 { // the last chunk or two of three texts
		t.Errorf("%d chunks are encoded, %d before", now, before)
	}
	x.oldData()
	if _, err := x.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	want()
	x.wantSound()
}

// TestRSAKeys brings RSA keys.
func TestRSAKeys(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{
		"PKCS 1": pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
		"PKCS 8": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
	} {
		k, err := readRSA(raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s, err := openRSA(&ent.SigningKey{}, k.private)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		b := &IndexBuild{signers: []signer{s}}
		signatures, err := b.RSA(strings.NewReader("content"))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte("content"))
		if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signatures[0].SHA256); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, raw := range map[string][]byte{
		"nothing": nil, "no PEM": []byte("hello"), "no key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("hello")}),
		"a small key": pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(small)}),
		"a large one": make([]byte, maxKey+1),
	} {
		if _, err := readRSA(raw); CodeOf(err) != Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeyIdentity brings keys with and without a name of their own.
func TestKeyIdentity(t *testing.T) {
	x := newIndexes(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if _, err := x.space.ReplaceKey(x.as(x.ann), KeyChange{Algorithm: Ed25519, Identity: "another"}); CodeOf(err) != Invalid {
		t.Errorf("an OpenPGP key is called otherwise: %v", err)
	}
	x.space.Type.Index.Key = RSAKey
	if _, err := x.space.ReplaceKey(x.as(x.ann), KeyChange{Private: private, Identity: "a\x00b"}); CodeOf(err) != Invalid {
		t.Errorf("a name that no database keeps: %v", err)
	}
	if _, err := x.space.ReplaceKey(x.as(x.ann), KeyChange{Private: private, Identity: "builder.rsa.pub"}); err != nil {
		t.Fatal(err)
	}
	keys, err := x.space.Keys(t.Context())
	if err != nil || keys[0].Identity != "builder.rsa.pub" || keys[0].Algorithm != "rsa2048" {
		t.Errorf("the keys are %+v, %v", keys, err)
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

func TestIndexIsBuiltOnceForManyPublishes(t *testing.T) {
	x := newIndexes(t)
	for i := range 20 {
		x.publish(fmt.Sprintf("app-%d", i), "1", "stable/")
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := x.space.Index(t.Context(), IndexName{"stable", ""}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := x.db.IndexSnapshot.Query().CountX(access.SystemContext(t.Context())); n != 1 {
		t.Errorf("%d snapshots, want 1", n)
	}
	reads, writes := x.db.Statements()
	if _, err := x.space.Index(t.Context(), IndexName{"stable", ""}); err != nil {
		t.Fatal(err)
	}
	if r, w := x.db.Statements(); r-reads != 1 || w != writes {
		t.Errorf("an unchanged index took %d reads and %d writes, want one read", r-reads, w-writes)
	}
}

// TestIndexOnTwoReplicas lets two processes' registries, on one database,
// publish and read at once: a read shows whatever was published before it
// began, by either.
func TestIndexOnTwoReplicas(t *testing.T) { testTwoReplicas(newIndexes(t)) }

func testTwoReplicas(x *indexes) {
	t := x.t
	second, err := New(Options{Database: x.db, Store: x.store, Types: []Type{listedType()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := second.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	other, err := second.Enter(x.as(x.ann), "acme", "listed", access.Delete)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w, s := range []*Space{x.space, other, x.space, other} {
		wg.Go(func() {
			for i := range 4 {
				name := fmt.Sprintf("app-%d-%d", w, i)
				if _, err := s.Publish(t.Context(), x.release(name, "1", "stable/", "text")); err != nil {
					t.Errorf("publish: %v", err)
					return
				}
				for _, reader := range []*Space{x.space, other} {
					snapshot, err := reader.Index(t.Context(), IndexName{"stable", ""})
					if err != nil {
						t.Errorf("read: %v", err)
						return
					}
					if !strings.Contains(x.object(snapshot, "all"), name+" 1 ") {
						t.Errorf("%s was published and is not listed", name)
					}
				}
			}
		})
	}
	wg.Wait()
	x.wantSound()
	last, root := time.Time{}, x.db.IndexRoot.Query().Where(indexroot.Family("stable"), indexroot.Member("")).OnlyIDX(access.SystemContext(t.Context()))
	for _, s := range x.db.IndexSnapshot.Query().Where(indexsnapshot.RootID(root)).Order(ent.Asc(indexsnapshot.FieldID)).AllX(access.SystemContext(t.Context())) {
		if !s.ModifiedAt.After(last) {
			t.Errorf("two snapshots of %v", s.ModifiedAt)
		}
		last = s.ModifiedAt
	}
}

// TestIndexBuildThatDies leaves the old snapshot to be read, and the next build
// does all that the dead one did not.
func TestIndexBuildThatDies(t *testing.T) {
	x := newIndexes(t)
	x.publish("app", "1", "stable/")
	x.wantText("stable/", "all", "<app 1 in : text of app\n>")
	// A process has taken the lease and died.
	ctx := access.SystemContext(t.Context())
	x.publish("app", "2", "stable/")
	root := x.db.IndexRoot.Query().Where(indexroot.Family("stable"), indexroot.Member("")).OnlyX(ctx)
	x.db.IndexRoot.UpdateOne(root).AddToken(1).SetLeasedUntil(now().Add(300 * time.Millisecond)).ExecX(ctx)
	x.wantText("stable/", "all", "<app 1 in : text of app\napp 2 in : text of app\n>")
	// One comes back to life after another has built: its token is old.
	x.publish("app", "3", "stable/")
	stale := x.db.IndexRoot.GetX(ctx, root.ID)
	x.wantText("stable/", "all", "<app 1 in : text of app\napp 2 in : text of app\napp 3 in : text of app\n>")
	stale.Token--
	if err := x.buildLeased(ctx, stale); !errors.Is(err, errLostLease) {
		t.Errorf("a build without the lease: %v", err)
	}
	x.wantSound()
	// And one that fails between its data and its last step changes nothing.
	failing := errors.New("the power is gone")
	typ := x.types["listed"]
	whole := typ.Index
	broken := *whole
	broken.Compose = func(context.Context, *IndexBuild) error { return failing }
	typ.Index = &broken
	x.types["listed"] = typ
	x.publish("app", "4", "stable/")
	if _, err := x.space.Index(t.Context(), IndexName{"stable", ""}); !errors.Is(err, failing) {
		t.Errorf("a build that fails: %v", err)
	}
	typ.Index = whole
	x.types["listed"] = typ
	x.wantSound()
}

// TestIndexDateGrows has the clock set back.
func TestIndexDateGrows(t *testing.T) {
	x := newIndexes(t)
	ctx := access.SystemContext(t.Context())
	x.publish("app", "1", "stable/")
	x.read(x.space, "stable/", "all")
	ahead := now().Add(3 * time.Hour).Truncate(time.Second)
	x.db.IndexRoot.Update().SetModifiedAt(ahead).ExecX(ctx)
	x.publish("app", "2", "stable/")
	s, err := x.space.Index(t.Context(), IndexName{"stable", ""})
	if err != nil {
		t.Fatal(err)
	}
	if want := ahead.Add(time.Second); !s.Modified.Equal(want) {
		t.Errorf("modified %v, want %v", s.Modified, want)
	}
}

func TestIndexPins(t *testing.T) {
	x := newIndexes(t)
	name := IndexName{"stable", ""}
	me, you := IndexClient("1", "apt", ""), IndexClient("2", "apt", "")
	get := func(f func(context.Context, IndexName, [32]byte) (*Snapshot, error), client [32]byte) int64 {
		t.Helper()
		s, err := f(t.Context(), name, client)
		if err != nil {
			t.Fatal(err)
		}
		return s.id
	}
	x.publish("app", "1", "stable/")
	first := get(x.space.IndexEntry, me)
	x.publish("app", "2", "stable/")
	second := get(x.space.IndexEntry, you)
	if first == second {
		t.Fatal("an entry document did not show a publish")
	}
	if got := get(x.space.IndexSecondary, me); got != first {
		t.Errorf("a signature goes with snapshot %d, the client got %d", got, first)
	}
	if got := get(x.space.IndexSecondary, you); got != second {
		t.Errorf("a signature goes with snapshot %d, the client got %d", got, second)
	}
	if got := get(x.space.IndexEntry, me); got != second {
		t.Errorf("a client that asks again gets snapshot %d, want %d", got, second)
	}
	// A client that fetches the signature first.
	third := IndexClient("3", "zypper", "")
	early := get(x.space.IndexSecondary, third)
	x.publish("app", "3", "stable/")
	if got := get(x.space.IndexEntry, third); got != early {
		t.Errorf("an entry document is of snapshot %d, its signature was of %d", got, early)
	}
	if got := get(x.space.IndexEntry, third); got == early {
		t.Error("an entry document stays old for good")
	}
}

func TestIndexRetention(t *testing.T) {
	x := newIndexes(t)
	ctx := access.SystemContext(t.Context())
	snapshot := func() *Snapshot {
		t.Helper()
		s, err := x.space.Index(t.Context(), IndexName{"stable", ""})
		if err != nil {
			t.Fatal(err)
		}
		x.db.IndexRoot.Update().ClearModifiedAt().ExecX(ctx)
		return s
	}
	var all []*Snapshot
	for i := range 6 {
		x.publish(fmt.Sprintf("app-%d", i), "1", "stable/")
		all = append(all, snapshot())
	}
	byHash := func(s *Snapshot) error {
		o, err := s.Object("all")
		if err != nil {
			t.Fatal(err)
		}
		found, err := x.space.IndexByHash(t.Context(), IndexName{"stable", ""}, "", o.Sha256)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, found.Open(t.Context()))
		return err
	}
	collect := func() {
		t.Helper()
		if _, err := x.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		x.indexCache.InvalidateAll()
	}
	collect()
	for i, s := range all {
		if err := byHash(s); err != nil {
			t.Errorf("snapshot %d, replaced just now: %v", i, err)
		}
	}
	// A day later.
	x.db.IndexSnapshot.Update().Where(indexsnapshot.RetiredAtNotNil()).SetRetiredAt(now().Add(-25 * time.Hour)).ExecX(ctx)
	if _, err := x.db.IndexSnapshot.Query().Count(ctx); err != nil {
		t.Fatal(err)
	}
	x.oldData()
	collect()
	for i, s := range all {
		if err := byHash(s); (err == nil) != (i >= 3) {
			t.Errorf("snapshot %d of %d, a day later: %v", i, len(all), err)
		}
	}
	x.wantSound()
	// Every datum that is left serves something.
	live := x.db.IndexData.Query().CountX(ctx)
	if live == 0 || live > 4*len(all) {
		t.Errorf("%d data are left", live)
	}
}

// oldData makes all data look old.
func (x *indexes) oldData() {
	x.t.Helper()
	ctx := access.SystemContext(x.t.Context())
	err := x.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE index_data SET created_at = '2020-01-01 00:00:00+00:00'`)
		return err
	})
	if err != nil {
		x.t.Fatal(err)
	}
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

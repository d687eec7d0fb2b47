package container_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/memory"
	orasremote "oras.land/oras-go/v2/registry/remote"
	orasauth "oras.land/oras-go/v2/registry/remote/auth"

	"entrepot/access"
	"entrepot/server/servertest"
)

// host is the server as image references name it.
func host(s *servertest.Server) string { return strings.TrimPrefix(s.URL, "http://") }

// as signs the library in.
func as(s *servertest.Server, login string) remote.Option {
	if login == "" {
		return remote.WithAuth(authn.Anonymous)
	}
	return remote.WithAuth(&authn.Basic{Username: login, Password: s.Tokens[login]})
}

func reference(t *testing.T, s *servertest.Server, ref string) name.Reference {
	t.Helper()
	r, err := name.ParseReference(host(s) + "/" + ref)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func randomImage(t *testing.T, size int64, layers int64) v1.Image {
	t.Helper()
	image, err := random.Image(size, layers)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// multiArch is an index of two platforms.
func multiArch(t *testing.T) v1.ImageIndex {
	t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range []string{"amd64", "arm64"} {
		image := randomImage(t, 1000, 2)
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		config = config.DeepCopy()
		config.OS, config.Architecture = "linux", arch
		config.Config.Labels = map[string]string{"org.opencontainers.image.description": "An app"}
		if image, err = mutate.ConfigFile(image, config); err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	return index
}

func TestPushAndPull(t *testing.T) {
	s := servertest.New(t)
	image := randomImage(t, 100_000, 3)
	ref := reference(t, s, "acme/group/app:1.0")
	if err := remote.Write(ref, image, as(s, "wim")); err != nil {
		t.Fatal(err)
	}
	got, err := remote.Image(ref, as(s, ""))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(got); err != nil {
		t.Error(err)
	}
	want, _ := image.Digest()
	if d, _ := got.Digest(); d != want {
		t.Errorf("digest %s, want %s", d, want)
	}
	// The same again changes nothing.
	if err := remote.Write(reference(t, s, "acme/group/app:again"), image, as(s, "wim")); err != nil {
		t.Fatal(err)
	}
	tags, err := remote.List(ref.Context(), as(s, ""))
	if err != nil || strings.Join(tags, " ") != "1.0 again" {
		t.Errorf("tags %v, error %v", tags, err)
	}
}

func TestPushAndPullIndex(t *testing.T) {
	s := servertest.New(t)
	s.SetVisibility(t, "acme", access.Private)
	ref := reference(t, s, "acme/app:1.0")
	index := multiArch(t)
	if err := remote.WriteIndex(ref, index, as(s, "wim")); err != nil {
		t.Fatal(err)
	}
	got, err := remote.Index(ref, as(s, "rea"))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(got); err != nil {
		t.Error(err)
	}
	if _, err := remote.Index(ref, as(s, "")); err == nil {
		t.Error("anybody pulls a private image")
	}
	if _, err := remote.Index(ref, as(s, "out")); err == nil {
		t.Error("a stranger pulls a private image")
	}
	if err := remote.WriteIndex(reference(t, s, "acme/app:2.0"), index, as(s, "rea")); err == nil {
		t.Error("a reader pushes")
	}
	// A child is part of the index.
	manifest, _ := got.IndexManifest()
	child := ref.Context().Digest(manifest.Manifests[0].Digest.String())
	if err := remote.Delete(child, as(s, "wim")); err == nil || !strings.Contains(err.Error(), "DENIED") {
		t.Errorf("deleting a child: %v", err)
	}
	digest, _ := index.Digest()
	if err := remote.Delete(ref.Context().Digest(digest.String()), as(s, "wim")); err != nil {
		t.Fatal(err)
	}
	if err := remote.Delete(child, as(s, "wim")); err != nil {
		t.Errorf("deleting a child after its index: %v", err)
	}
}

func TestCatalogThroughClient(t *testing.T) {
	s := servertest.New(t)
	s.Organization(t, "vault", access.Private)
	image := randomImage(t, 100, 1)
	for _, repo := range []string{"acme/b:1", "acme/a:1", "vault/x:1"} {
		if err := remote.Write(reference(t, s, repo), image, as(s, "ann")); err != nil {
			t.Fatal(err)
		}
	}
	registry, err := name.NewRegistry(host(s))
	if err != nil {
		t.Fatal(err)
	}
	for login, want := range map[string]string{"": "acme/a acme/b", "out": "acme/a acme/b", "ann": "acme/a acme/b vault/x"} {
		got, err := remote.Catalog(t.Context(), registry, as(s, login))
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q sees %v, error %v; want %s", login, got, err, want)
		}
		// One name at a time.
		got, err = remote.CatalogPage(registry, "acme/a", 1, as(s, login))
		if err != nil || strings.Join(got, " ") != "acme/b" {
			t.Errorf("%q pages to %v, error %v", login, got, err)
		}
	}
}

func TestMountAcrossOwners(t *testing.T) {
	s := servertest.New(t)
	s.Organization(t, "vault", access.Private)
	image := randomImage(t, 50_000, 2)
	from := reference(t, s, "acme/app:1.0")
	if err := remote.Write(from, image, as(s, "ann")); err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Image(from, as(s, "ann"))
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(reference(t, s, "vault/copy:1.0"), pulled, as(s, "ann")); err != nil {
		t.Fatal(err)
	}
	got, err := remote.Image(reference(t, s, "vault/copy:1.0"), as(s, "ann"))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(got); err != nil {
		t.Error(err)
	}
}

// repository is the other library's view of a repository.
func repository(t *testing.T, s *servertest.Server, name, login string) *orasremote.Repository {
	t.Helper()
	repo, err := orasremote.NewRepository(host(s) + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	repo.PlainHTTP = true
	client := &orasauth.Client{Cache: orasauth.NewCache()}
	if login != "" {
		client.Credential = orasauth.StaticCredential(host(s), orasauth.Credential{Username: login, Password: s.Tokens[login]})
	}
	repo.Client = client
	return repo
}

func TestArtifactsAndReferrers(t *testing.T) {
	s := servertest.New(t)
	ctx := t.Context()
	repo := repository(t, s, "acme/thing", "wim")
	store := memory.New()
	push := func(text string) ocispec.Descriptor {
		d := content.NewDescriptorFromBytes("text/plain", []byte(text))
		if err := store.Push(ctx, d, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		return d
	}
	pack := func(artifactType string, opts oras.PackManifestOptions) ocispec.Descriptor {
		d, err := oras.PackManifest(ctx, store, oras.PackManifestVersion1_1, artifactType, opts)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	subject := pack("application/vnd.acme.thing", oras.PackManifestOptions{Layers: []ocispec.Descriptor{push("hello")}})
	if err := store.Tag(ctx, subject, "1"); err != nil {
		t.Fatal(err)
	}
	sbom := pack("application/vnd.acme.sbom", oras.PackManifestOptions{
		Subject: &subject, Layers: []ocispec.Descriptor{push("{}")}, ManifestAnnotations: map[string]string{"note": "first"},
	})
	signature := pack("application/vnd.acme.signature", oras.PackManifestOptions{Subject: &subject, Layers: []ocispec.Descriptor{push("signed")}})
	if _, err := oras.ExtendedCopy(ctx, store, "1", repo, "1", oras.DefaultExtendedCopyOptions); err != nil {
		t.Fatal(err)
	}
	found := map[string]ocispec.Descriptor{}
	if err := repo.Referrers(ctx, subject, "", func(page []ocispec.Descriptor) error {
		for _, d := range page {
			found[d.Digest.String()] = d
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(found) != 2 || found[sbom.Digest.String()].ArtifactType != "application/vnd.acme.sbom" ||
		found[sbom.Digest.String()].Annotations["note"] != "first" || found[signature.Digest.String()].Size != signature.Size {
		t.Errorf("referrers: %v", found)
	}
	tags := 0
	if err := repo.Tags(ctx, "", func(page []string) error { tags += len(page); return nil }); err != nil || tags != 1 {
		t.Errorf("%d tags, error %v; the library fell back to tags", tags, err)
	}
	rc, err := repo.Fetch(ctx, subject)
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	raw, err := content.ReadAll(rc, subject)
	if err != nil || !bytes.Contains(raw, []byte("vnd.acme.thing")) {
		t.Errorf("manifest %s, error %v", raw, err)
	}
}

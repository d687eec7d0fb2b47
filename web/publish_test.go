package web_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// publishNpm publishes a version as npm does: a document with the manifest and the tarball inside. more is added to the
// manifest.
func (a *app) publishNpm(login, owner, pkg, version, tag string, more map[string]any, readme string) {
	a.t.Helper()
	manifest := map[string]any{"name": pkg, "version": version}
	for key, value := range more {
		manifest[key] = value
	}
	packageJSON, err := json.Marshal(manifest)
	if err != nil {
		a.t.Fatal(err)
	}
	tarball := a.tarball(map[string]string{"package/package.json": string(packageJSON), "package/README.md": readme})
	sum := sha512.Sum512(tarball)
	manifest["dist"] = map[string]any{"integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:])}
	manifest["readme"] = readme
	document, err := json.Marshal(map[string]any{
		"_id": pkg, "name": pkg, "dist-tags": map[string]string{tag: version}, "versions": map[string]any{version: manifest},
		"_attachments": map[string]any{pkg[strings.LastIndexByte(pkg, '/')+1:] + "-" + version + ".tgz": map[string]any{
			"content_type": "application/octet-stream", "data": base64.StdEncoding.EncodeToString(tarball), "length": len(tarball),
		}},
	})
	if err != nil {
		a.t.Fatal(err)
	}
	a.Want(a.t, http.StatusCreated, login, http.MethodPut, "/api/packages/"+owner+"/npm/"+url.PathEscape(pkg), string(document),
		"Content-Type", "application/json")
}

func (a *app) tarball(files map[string]string) []byte {
	a.t.Helper()
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	tw := tar.NewWriter(zw)
	for path, content := range files {
		if err := tw.WriteHeader(&tar.Header{Name: path, Mode: 0o644, Size: int64(len(content))}); err != nil {
			a.t.Fatal(err)
		}
		if _, err := tw.Write([]byte(content)); err != nil {
			a.t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		a.t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		a.t.Fatal(err)
	}
	return buf.Bytes()
}

// pushImage pushes an image of two platforms under the tags and gives the digest of the first platform's manifest.
func (a *app) pushImage(login, repository string, tags ...string) string {
	a.t.Helper()
	var platforms []mutate.IndexAddendum
	for _, arch := range []string{"amd64", "arm64"} {
		platforms = append(platforms, mutate.IndexAddendum{
			Add: a.image(arch), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	index := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), platforms...)
	as := remote.WithAuth(&authn.Basic{Username: login, Password: a.Tokens[login]})
	for _, tag := range tags {
		ref, err := name.ParseReference(strings.TrimPrefix(a.URL, "http://")+"/"+repository+":"+tag, name.Insecure)
		if err != nil {
			a.t.Fatal(err)
		}
		if err := remote.WriteIndex(ref, index, as); err != nil {
			a.t.Fatal(err)
		}
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		a.t.Fatal(err)
	}
	return manifest.Manifests[0].Digest.String()
}

// image is an image with one layer and one step that made none.
func (a *app) image(arch string) v1.Image {
	a.t.Helper()
	layer, err := random.Layer(3000, types.OCILayer)
	if err != nil {
		a.t.Fatal(err)
	}
	image, err := mutate.Append(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON),
		mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: "COPY gateway /usr/local/bin/"}},
		mutate.Addendum{History: v1.History{CreatedBy: `ENTRYPOINT ["gateway"]`, EmptyLayer: true}},
	)
	if err != nil {
		a.t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		a.t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	config.Config.Labels = map[string]string{"org.opencontainers.image.description": "Edge gateway"}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		a.t.Fatal(err)
	}
	return image
}

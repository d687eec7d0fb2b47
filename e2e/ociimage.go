//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// writeImageLayout makes a multi-arch image and writes it as an OCI image
// layout (image-spec, image-layout.md) into dir, where tag names it. Platforms
// are written os/arch or os/arch/variant. All platforms share one layer, as
// real images of one release do, and each has one of its own. It returns the digest of the index.
func writeImageLayout(dir, tag string, platforms []string) (v1.Hash, error) {
	shared, err := randomLayer("etc/shared", 32<<10)
	if err != nil {
		return v1.Hash{}, err
	}
	var index v1.ImageIndex = mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, name := range platforms {
		platform, err := v1.ParsePlatform(name)
		if err != nil {
			return v1.Hash{}, err
		}
		own, err := randomLayer("bin/"+strings.ReplaceAll(name, "/", "-"), 64<<10)
		if err != nil {
			return v1.Hash{}, err
		}
		image, err := platformImage(*platform, shared, own)
		if err != nil {
			return v1.Hash{}, fmt.Errorf("image for %s: %w", name, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: platform}})
	}
	path, err := layout.Write(dir, mutate.IndexMediaType(empty.Index, types.OCIImageIndex))
	if err != nil {
		return v1.Hash{}, err
	}
	name := layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": tag})
	if err := path.AppendIndex(index, name); err != nil {
		return v1.Hash{}, err
	}
	return index.Digest()
}

// platformImage is an image for one platform, with OCI media types throughout.
func platformImage(platform v1.Platform, layers ...v1.Layer) (v1.Image, error) {
	image := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	image = mutate.ConfigMediaType(image, types.OCIConfigJSON)
	image, err := mutate.ConfigFile(image, &v1.ConfigFile{
		OS: platform.OS, Architecture: platform.Architecture, Variant: platform.Variant,
		RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{Labels: map[string]string{"org.opencontainers.image.title": "e2e " + platform.String()}},
	})
	if err != nil {
		return nil, err
	}
	return mutate.AppendLayers(image, layers...)
}

// randomLayer is a gzipped tar archive that holds one file of size random bytes.
func randomLayer(name string, size int) (v1.Layer, error) {
	var layer bytes.Buffer
	zip := gzip.NewWriter(&layer)
	archive := tar.NewWriter(zip)
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(size)}); err != nil {
		return nil, err
	}
	if _, err := archive.Write(randomBytes(size)); err != nil {
		return nil, err
	}
	if err := errors.Join(archive.Close(), zip.Close()); err != nil {
		return nil, err
	}
	return partial.CompressedToLayer(gzipped(layer.Bytes()))
}

// gzipped is a compressed layer in memory; go-containerregistry derives the rest from it.
type gzipped []byte

func (g gzipped) Digest() (v1.Hash, error)            { return v1.NewHash(digestOf(g)) }
func (g gzipped) Compressed() (io.ReadCloser, error)  { return io.NopCloser(bytes.NewReader(g)), nil }
func (g gzipped) Size() (int64, error)                { return int64(len(g)), nil }
func (g gzipped) MediaType() (types.MediaType, error) { return types.OCILayer, nil }

//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
)

// Published is what a publisher was told has been stored: bytes under a path.
type Published struct {
	Path   string // on the server, fetched with the owner's rights
	SHA256 [sha256.Size]byte
}

// publisher publishes one new version of a package over HTTP. It returns what
// is there once the server has acknowledged the last request. With an error each of
// the paths holds those bytes or nothing.
type publisher func(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error)

// publishers has one entry a package type.
var publishers = map[string]publisher{
	"alpine":    publishAlpine,
	"alt":       publishALT,
	"arch":      publishArch,
	"cargo":     publishCargo,
	"chef":      publishChef,
	"composer":  publishComposer,
	"cran":      publishCran,
	"conan":     publishConan,
	"conda":     publishConda,
	"debian":    publishDebian,
	"generic":   publishGeneric,
	"go":        publishGo,
	"helm":      publishHelm,
	"maven":     publishMaven,
	"npm":       publishNpm,
	"nuget":     publishNuget,
	"pub":       publishPub,
	"pypi":      publishPypi,
	"rpm":       publishRPM,
	"rubygems":  publishRubygems,
	"swift":     publishSwift,
	"vagrant":   publishVagrant,
	"container": publishImage,
}

// randomBytes returns n bytes that no other call returns.
func randomBytes(n int) []byte {
	b := make([]byte, 0, n+8)
	for len(b) < n {
		b = strconv.AppendUint(b, rand.Uint64(), 36)
	}
	return b[:n]
}

// genericPath is where a file of the generic type lives.
func genericPath(owner, name, version, file string) string {
	return "/api/packages/" + owner + "/generic/" + url.PathEscape(name) + "/" + url.PathEscape(version) + "/" + url.PathEscape(file)
}

func publishGeneric(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	body := randomBytes(1 + rand.IntN(256<<10))
	path := genericPath(owner, name, version, "file.bin")
	_, err := s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: path, As: as, Body: reader(body)})
	return []Published{{path, sha256.Sum256(body)}}, err
}

// npmPath is where a package of the npm type lives.
func npmPath(owner, name string) string {
	return "/api/packages/" + owner + "/npm/" + name
}

func publishNpm(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	tarball, err := npmTarball(name, version)
	if err != nil {
		return nil, err
	}
	document, err := npmDocument(name, version, tarball)
	if err != nil {
		return nil, err
	}
	path := npmPath(owner, name)
	_, err = s.Want(ctx, http.StatusCreated, npmPublish(path, as, document))
	return []Published{{path + "/-/" + name + "-" + version + ".tgz", sha256.Sum256(tarball)}}, err
}

func npmPublish(path string, as Account, document []byte) Call {
	return Call{Method: "PUT", URL: path, As: as, Body: reader(document), Header: map[string]string{"Content-Type": "application/json"}}
}

// npmTarball packs a package the way `npm pack` does: gzip, tar, everything below package/.
func npmTarball(name, version string) ([]byte, error) {
	manifest, err := json.Marshal(map[string]string{"name": name, "version": version, "license": "MIT"})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	archive := tar.NewWriter(zip)
	for _, file := range []struct {
		name string
		body []byte
	}{
		{"package/package.json", manifest},
		{"package/index.js", fmt.Appendf(nil, "module.exports = %q\n", randomBytes(1+rand.IntN(32<<10)))},
	} {
		header := &tar.Header{Name: file.name, Mode: 0o644, Size: int64(len(file.body))}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := archive.Write(file.body); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// npmDocument is the body of an npm publish: manifest and tarball in one JSON document.
func npmDocument(name, version string, tarball []byte) ([]byte, error) {
	type object = map[string]any
	file := name + "-" + version + ".tgz"
	sum := sha512.Sum512(tarball)
	return json.Marshal(object{
		"_id":       name,
		"name":      name,
		"dist-tags": object{"latest": version},
		"versions": object{version: object{
			"_id":     name + "@" + version,
			"name":    name,
			"version": version,
			"license": "MIT",
			"dist":    object{"integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:])},
		}},
		"_attachments": object{file: object{
			"content_type": "application/octet-stream",
			"data":         tarball,
			"length":       len(tarball),
		}},
	})
}

// Media types of OCI image-spec 1.1, https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md.
const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
)

// image is a container image of one layer.
type image struct {
	config, layer, manifest []byte
}

// digestOf writes a digest the OCI way.
func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// randomImage makes an image that differs from every other.
func randomImage() (image, error) {
	type object = map[string]any
	descriptor := func(mediaType string, b []byte) object {
		return object{"mediaType": mediaType, "digest": digestOf(b), "size": len(b)}
	}
	layer := randomBytes(1 + rand.IntN(128<<10))
	config, err := json.Marshal(object{
		"architecture": "amd64",
		"os":           "linux",
		"rootfs":       object{"type": "layers", "diff_ids": []string{digestOf(layer)}},
	})
	if err != nil {
		return image{}, err
	}
	manifest, err := json.Marshal(object{
		"schemaVersion": 2,
		"mediaType":     manifestType,
		"config":        descriptor(configType, config),
		"layers":        []object{descriptor(layerType, layer)},
	})
	return image{config, layer, manifest}, err
}

// publishImage pushes an image and tags it with the version.
func publishImage(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	img, err := randomImage()
	if err != nil {
		return nil, err
	}
	repository := "/v2/" + owner + "/" + name
	tagged := repository + "/manifests/" + version
	published := []Published{
		{tagged, sha256.Sum256(img.manifest)},
		{repository + "/manifests/" + digestOf(img.manifest), sha256.Sum256(img.manifest)},
		{repository + "/blobs/" + digestOf(img.config), sha256.Sum256(img.config)},
		{repository + "/blobs/" + digestOf(img.layer), sha256.Sum256(img.layer)},
	}
	if err := pushBlobs(ctx, s, as, repository, img); err != nil {
		return published, err
	}
	_, err = s.Want(ctx, http.StatusCreated, putManifest(tagged, as, img.manifest))
	return published, err
}

func putManifest(path string, as Account, manifest []byte) Call {
	return Call{Method: "PUT", URL: path, As: as, Body: reader(manifest), Header: map[string]string{"Content-Type": manifestType}}
}

// pushBlobs uploads what the image's manifest refers to.
func pushBlobs(ctx context.Context, s *Server, as Account, repository string, img image) error {
	for _, blob := range [][]byte{img.config, img.layer} {
		if err := pushBlob(ctx, s, as, repository, blob); err != nil {
			return err
		}
	}
	return nil
}

// pushBlob uploads a blob as containerd and oras do: POST opens a session, one
// PUT carries the bytes.
func pushBlob(ctx context.Context, s *Server, as Account, repository string, blob []byte) error {
	session, err := openUpload(ctx, s, as, repository)
	if err != nil {
		return err
	}
	finish, err := withDigest(session, digestOf(blob))
	if err != nil {
		return err
	}
	_, err = s.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: finish, As: as, Body: reader(blob),
		Header: map[string]string{"Content-Type": "application/octet-stream"}})
	return err
}

// openUpload begins a blob upload and returns the URL of the session.
func openUpload(ctx context.Context, s *Server, as Account, repository string) (string, error) {
	path := repository + "/blobs/uploads/"
	response, err := s.Want(ctx, http.StatusAccepted, Call{Method: "POST", URL: path, As: as})
	if err != nil {
		return "", err
	}
	return s.location(path, response)
}

// withDigest adds the digest that ends an upload session to its URL.
func withDigest(session, digest string) (string, error) {
	u, err := url.Parse(session)
	if err != nil {
		return "", err
	}
	query := u.Query()
	query.Set("digest", digest)
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// verify fetches what was published and compares the bytes.
func (s *Server) verify(ctx context.Context, as Account, p Published) error {
	response, err := s.Want(ctx, http.StatusOK, Call{Method: "GET", URL: p.Path, As: as})
	if err != nil {
		return err
	}
	return p.compare(response)
}

// verifyWholeOrAbsent is verify for what was never acknowledged: it may be missing, but not be there in part.
func (s *Server) verifyWholeOrAbsent(ctx context.Context, as Account, p Published) error {
	response, err := s.Do(ctx, Call{Method: "GET", URL: p.Path, As: as})
	if err != nil || response.Status == http.StatusNotFound {
		return err
	}
	if response.Status != http.StatusOK {
		return fmt.Errorf("GET %s: got %s, want 200 or 404", p.Path, response)
	}
	return p.compare(response)
}

func (p Published) compare(response Response) error {
	if got := sha256.Sum256(response.Body); got != p.SHA256 {
		return fmt.Errorf("GET %s: %d bytes with sha256 %x, published were %x", p.Path, len(response.Body), got, p.SHA256)
	}
	return nil
}

package container

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	// maxManifest is the largest manifest in bytes; the specification asks for
	// 4 MiB.
	maxManifest = 10 << 20
	// maxNesting is how deep a manifest's values may lie in each other.
	maxNesting = 64
)

// Docker's media types, which came before those of the OCI.
const (
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerConfig   = "application/vnd.docker.container.image.v1+json"
	dockerForeign  = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
	helmConfig     = "application/vnd.cncf.helm.config.v1+json"
	// ociNonDistributable begins the types of layers that stay where they are.
	ociNonDistributable = "application/vnd.oci.image.layer.nondistributable.v1."
)

// manifest is what there is to know of a manifest or an index
// (https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md,
// image-index.md). Unknown fields stay in the bytes.
type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        *descriptor       `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Manifests     []descriptor      `json:"manifests"`
	Subject       *descriptor       `json:"subject"`
	Annotations   map[string]string `json:"annotations"`
}

// descriptor refers to content. Its data field is not interpreted.
type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	URLs         []string          `json:"urls"`
	ArtifactType string            `json:"artifactType"`
	Platform     *platform         `json:"platform"`
	Annotations  map[string]string `json:"annotations"`
}

// platform is what an image runs on.
type platform struct {
	OS           string `json:"os,omitempty"`
	Architecture string `json:"architecture,omitempty"`
	Variant      string `json:"variant,omitempty"`
	OSVersion    string `json:"os.version,omitempty"`
}

// isIndex tells whether the manifest lists manifests.
func (m *manifest) isIndex() bool {
	return m.MediaType == v1.MediaTypeImageIndex || m.MediaType == dockerList
}

// invalid is a manifest that is refused. Some clients try another format when
// they see this code, and stop at any other.
func invalid(format string, args ...any) error {
	return fault(http.StatusBadRequest, manifestInvalid, "the manifest is refused: "+format, args...)
}

// parseManifest reads and checks a manifest. Its MediaType is then the type
// under which it is stored. All that is doubtful is refused: a document that
// two programs could understand differently is how an image gets past a check.
func parseManifest(body []byte, contentType string) (*manifest, error) {
	if err := checkJSON(body); err != nil {
		return nil, invalid("%v", err)
	}
	var m manifest
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, invalid("%v", err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return nil, invalid("it is not an object")
	}
	if err := m.settleType(contentType); err != nil {
		return nil, err
	}
	if m.SchemaVersion != 2 {
		return nil, invalid("its schemaVersion is %d; only 2 is stored", m.SchemaVersion)
	}
	_, lists := fields["manifests"]
	_, layers := fields["layers"]
	_, config := fields["config"]
	_, fsLayers := fields["fsLayers"]
	switch {
	case fsLayers:
		return nil, invalid("it is of schema 1")
	case lists && (layers || config):
		// CVE-2021-41190: it would be an image for one client and an index for
		// another.
		return nil, invalid("it has the fields of an image and of an index")
	case m.isIndex() && !lists:
		return nil, invalid("an index without manifests")
	case !m.isIndex() && m.Config == nil:
		return nil, invalid("an image without config")
	}
	for _, d := range m.references() {
		if err := d.check(); err != nil {
			return nil, err
		}
	}
	return &m, nil
}

// settleType finds the type out of the header and the field, which must agree.
func (m *manifest) settleType(contentType string) error {
	if contentType != "" {
		typ, _, err := mime.ParseMediaType(contentType)
		if err != nil {
			return invalid("the Content-Type %q cannot be read", contentType)
		}
		if m.MediaType != "" && m.MediaType != typ {
			return invalid("its mediaType is %q, the Content-Type %q", m.MediaType, typ)
		}
		m.MediaType = typ
	}
	switch m.MediaType {
	case v1.MediaTypeImageManifest, v1.MediaTypeImageIndex, dockerManifest, dockerList:
		return nil
	case "":
		return invalid("neither its mediaType nor a Content-Type says what it is")
	}
	return invalid("manifests of type %q are not stored", m.MediaType)
}

// references are all descriptors of the manifest.
func (m *manifest) references() []*descriptor {
	var all []*descriptor
	for _, d := range []*descriptor{m.Config, m.Subject} {
		if d != nil {
			all = append(all, d)
		}
	}
	for _, list := range [][]descriptor{m.Layers, m.Manifests} {
		for i := range list {
			all = append(all, &list[i])
		}
	}
	return all
}

// blobs are the descriptors of the blobs that an image needs in its
// repository.
func (m *manifest) blobs() []*descriptor {
	if m.isIndex() {
		return nil
	}
	all := []*descriptor{m.Config}
	for i := range m.Layers {
		if !m.Layers[i].isForeign() {
			all = append(all, &m.Layers[i])
		}
	}
	return all
}

// isForeign tells whether a layer may stay where its licence or its size keeps
// it.
func (d *descriptor) isForeign() bool {
	return len(d.URLs) > 0 || d.MediaType == dockerForeign || strings.HasPrefix(d.MediaType, ociNonDistributable)
}

func (d *descriptor) check() error {
	if d.Size < 0 {
		return invalid("a size below zero")
	}
	parsed, err := digest.Parse(d.Digest)
	if err != nil || parsed.Algorithm() != digest.SHA256 && parsed.Algorithm() != digest.SHA512 {
		return invalid("%q is not a digest", d.Digest)
	}
	return nil
}

// checkJSON refuses documents that are valid and yet mean different things to
// different parsers: two keys of the same name, a known key in another case
// (encoding/json, for one, takes it for the same), bytes that are not UTF-8,
// and nesting without end.
func checkJSON(body []byte) error {
	if !utf8.Valid(body) {
		return errors.New("it is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var open []*container
	for {
		token, err := dec.Token()
		switch {
		case err == io.EOF && len(open) == 0:
			return nil
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
		var in *container
		if len(open) > 0 {
			in = open[len(open)-1]
		}
		if delim, ok := token.(json.Delim); ok {
			if delim == '}' || delim == ']' {
				open = open[:len(open)-1]
				continue
			}
			if len(open) == maxNesting {
				return fmt.Errorf("it is nested deeper than %d levels", maxNesting)
			}
			open = append(open, newContainer(delim, in))
			continue
		}
		if key, ok := token.(string); ok && in.expectsKey() {
			if err := in.addKey(key); err != nil {
				return err
			}
			continue
		}
		in.value()
	}
}

// container is an object or array being read.
type container struct {
	keys map[string]bool // nil for an array
	// key is the one whose value comes next; atValue tells that there is one.
	key     string
	atValue bool
	// free tells that any key may stand here, in any case: in annotations.
	free bool
}

func newContainer(delim json.Delim, in *container) *container {
	c := &container{}
	if delim == '{' {
		c.keys = map[string]bool{}
	}
	if in != nil {
		c.free = in.free || in.key == "annotations"
		in.value()
	}
	return c
}

func (c *container) expectsKey() bool { return c != nil && c.keys != nil && !c.atValue }

func (c *container) addKey(key string) error {
	if c.keys[key] {
		return fmt.Errorf("the key %q comes twice", key)
	}
	if !c.free && !slices.Contains(knownKeys, key) && slices.ContainsFunc(knownKeys, func(k string) bool { return strings.EqualFold(k, key) }) {
		return fmt.Errorf("the key %q is in the wrong case", key)
	}
	c.keys[key], c.key, c.atValue = true, key, true
	return nil
}

// value notes that the value of the key has come.
func (c *container) value() {
	if c != nil && c.keys != nil {
		c.atValue = false
	}
}

// knownKeys are those this package looks at.
var knownKeys = []string{
	"schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "subject", "annotations",
	"digest", "size", "urls", "platform", "os", "architecture", "variant", "os.version", "fsLayers",
}

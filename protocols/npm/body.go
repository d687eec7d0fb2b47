package npm

import (
	"encoding/json"
	"io"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// body is what clients PUT to a package: to publish a version, to deprecate
// some, to take some away. Its members come in any order.
type body struct {
	// id and name are the members _id and name; nil when absent.
	id, name *string
	// readme is the member of that name, if it is text.
	readme string
	// tags are the dist-tags; nil when absent.
	tags map[string]string
	// versions are the versions named; nil when absent.
	versions map[string]versionChange
	// manifest is the manifest of the version, when there is just one, and
	// manifestKey the version it stands under.
	manifest    manifest
	manifestKey string
	// maintainers tells whether there is a member of that name.
	maintainers bool
	// tarball and provenance are the attachments; nil when absent.
	tarball    *tarball
	provenance *attachment
}

// versionChange is what a body says of a version that may be there already.
type versionChange struct {
	// deprecated is the new message, "" to take the mark away; nil leaves
	// things as they are.
	deprecated *string
}

// reason is the message as it can be stored.
func (c versionChange) reason() string {
	return protocols.CutText(protocols.CleanText(*c.deprecated), maxDeprecation)
}

// attachment is a file that came inside of a body.
type attachment struct {
	// name is the file's name in the body.
	name    string
	content *registry.Stored
}

// The longest texts of a body that are kept, in bytes; of longer ones the
// beginning is.
const (
	maxReadmeText  = 1 << 20
	maxDeprecation = 16 << 10
)

// versionCost is what a version costs in memory beside its own text.
const versionCost = 64

// receive takes attachments in while a body streams by.
type receive func(s *scanner, b *body, name string) error

// passOver drops attachments where none belong.
func passOver(s *scanner, _ *body, _ string) error { return s.skip() }

// readBody reads a body to its end. What take has stored is in the body also
// when there is an error: it is the caller's to discard.
func readBody(r *protocols.Request, take receive) (*body, error) {
	return readScanned(newScanner(r.Body), take)
}

func readScanned(s *scanner, take receive) (*body, error) {
	b := &body{}
	err := s.object(func(key string) (err error) {
		switch key {
		case "_id":
			b.id, err = s.field(key, maxKey)
		case "name":
			b.name, err = s.field(key, maxKey)
		case "readme":
			b.readme, err = s.beginning(maxReadmeText)
		case "dist-tags":
			err = s.null(func() error { return b.readTags(s) })
		case "versions":
			err = s.null(func() error { return b.readVersions(s) })
		case "_attachments":
			err = s.null(func() error {
				return s.object(func(name string) error { return take(s, b, name) })
			})
		case "maintainers":
			b.maintainers = true
			err = s.skip()
		default:
			err = s.skip()
		}
		return err
	})
	if err == nil {
		err = s.end()
	}
	return b, err
}

// contents are what was stored of the body.
func (b *body) contents() []*registry.Stored {
	var all []*registry.Stored
	if b.tarball != nil {
		all = append(all, b.tarball.content)
	}
	if b.provenance != nil {
		all = append(all, b.provenance.content)
	}
	return all
}

// null reads a value by the function, or null by nothing at all.
func (s *scanner) null(read func() error) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c == 'n' {
		return s.skip()
	}
	return read()
}

// field reads a member that is text.
func (s *scanner) field(key string, limit int) (*string, error) {
	if c, err := s.peek(); err != nil || c != '"' {
		if err == nil {
			err = registry.FieldErrorf(key, "the member %q is not text", key)
		}
		return nil, err
	}
	text, err := s.text(limit)
	return &text, err
}

// beginning reads the first bytes of a text; a value that is none is "".
func (s *scanner) beginning(limit int) (string, error) {
	c, err := s.peek()
	if err != nil {
		return "", err
	}
	if c != '"' {
		return "", s.skip()
	}
	t, err := s.stream()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if _, err := io.Copy(&b, io.LimitReader(t, int64(limit))); err != nil {
		return "", err
	}
	if _, err := io.Copy(io.Discard, &boundedReader{r: t, left: maxScanned}); err != nil {
		return "", err
	}
	return protocols.CleanText(b.String()), s.keep(b.Len())
}

func (b *body) readTags(s *scanner) error {
	b.tags = map[string]string{}
	return s.object(func(tag string) error {
		version, err := s.field("dist-tags", maxVersion)
		if err != nil {
			return err
		}
		b.tags[tag] = *version
		return s.keep(len(tag) + versionCost)
	})
}

// readVersions keeps the manifest as long as there is only one: that is a
// publish. Of more than that, only what can change is looked at.
func (b *body) readVersions(s *scanner) error {
	b.versions, b.manifest = map[string]versionChange{}, nil
	return s.object(func(version string) error {
		if err := s.keep(len(version) + versionCost); err != nil {
			return err
		}
		if _, twice := b.versions[version]; twice {
			return registry.FieldErrorf("versions", "the version %.300q is there twice", version)
		}
		if c, err := s.peek(); err != nil || c != '{' {
			if err == nil {
				err = registry.FieldErrorf("versions", "the manifest of version %.300q is not an object", version)
			}
			return err
		}
		if len(b.versions) == 0 {
			return b.readManifest(s, version)
		}
		b.manifest = nil
		change, err := s.versionChange()
		b.versions[version] = change
		return err
	})
}

func (b *body) readManifest(s *scanner, version string) error {
	raw, err := s.raw()
	if err != nil {
		return err
	}
	if b.manifest, err = parseManifest(raw); err != nil {
		return malformed("%v", err)
	}
	b.manifestKey = version
	var change versionChange
	if deprecated := b.manifest.get("deprecated"); deprecated != nil {
		change.read(deprecated)
	}
	b.versions[version] = change
	return nil
}

// versionChange reads a manifest for what can change in it.
func (s *scanner) versionChange() (versionChange, error) {
	var change versionChange
	err := s.object(func(key string) error {
		if key != "deprecated" {
			return s.skip()
		}
		raw, err := s.raw()
		if err == nil {
			change.read(raw)
		}
		return err
	})
	return change, err
}

// read takes the member deprecated in: a message, or false or null for none.
func (c *versionChange) read(deprecated json.RawMessage) {
	var message string
	switch err := json.Unmarshal(deprecated, &message); {
	case err == nil, string(deprecated) == "false": // null leaves message as it is
		c.deprecated = &message
	}
}

package npm

import (
	"encoding/json"
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
	manifest    json.RawMessage
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

// attachment is a file that came inside of a body.
type attachment struct {
	// name is the file's name in the body.
	name    string
	content *registry.Stored
}

// The longest texts of a body in bytes.
const (
	maxDeprecation = 16 << 10
	maxReadmeText  = 1 << 20
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
	b := &body{}
	s := newScanner(r.Body)
	err := s.object(func(key string) (err error) {
		switch key {
		case "_id":
			b.id, err = s.field(key, maxKey)
		case "name":
			b.name, err = s.field(key, maxKey)
		case "readme":
			b.readme, err = s.optionalText()
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

// optionalText reads a member that is of use only if it is text.
func (s *scanner) optionalText() (string, error) {
	c, err := s.peek()
	if err != nil {
		return "", err
	}
	if c != '"' {
		return "", s.skip()
	}
	return s.text(maxReadmeText)
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
	b.versions = map[string]versionChange{}
	return s.object(func(version string) error {
		if err := s.keep(len(version) + versionCost); err != nil {
			return err
		}
		if len(b.versions) > 0 {
			if b.manifest != nil {
				s.release(len(b.manifest))
				b.manifest = nil
			}
			change, err := s.versionChange()
			b.versions[version] = change
			return err
		}
		manifest, err := s.raw()
		if err != nil {
			return err
		}
		b.manifest, b.manifestKey = manifest, version
		change, err := newScanner(strings.NewReader(string(manifest))).versionChange()
		b.versions[version] = change
		return err
	})
}

// versionChange reads a manifest for what can change in it.
func (s *scanner) versionChange() (versionChange, error) {
	var change versionChange
	if c, err := s.peek(); err != nil || c != '{' {
		if err == nil {
			err = registry.FieldErrorf("versions", "a version's manifest is not an object")
		}
		return change, err
	}
	err := s.object(func(key string) error {
		if key != "deprecated" {
			return s.skip()
		}
		c, err := s.peek()
		if err != nil {
			return err
		}
		switch c {
		case '"':
			text, err := s.text(maxDeprecation)
			change.deprecated = &text
			return err
		case 'f', 'n':
			none := ""
			change.deprecated = &none
		}
		return s.skip()
	})
	return change, err
}

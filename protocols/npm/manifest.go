package npm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"entrepot/protocols"
)

// manifest is a version's manifest, or any JSON object: its members in their
// order, each value as it was written. Unlike a struct it loses nothing, and
// no member of an odd shape makes it fail.
type manifest []member

type member struct {
	key   string
	value json.RawMessage
}

// parseManifest takes an object apart. Of a member that is there twice the
// last one counts, as it does for every client.
func parseManifest(raw json.RawMessage) (manifest, error) {
	var m manifest
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		m.set(key.(string), value) // keys of objects are strings
	}
	_, err := d.Token()
	return m, err
}

// get returns a member's value, or nil.
func (m manifest) get(key string) json.RawMessage {
	for _, member := range m {
		if member.key == key {
			return member.value
		}
	}
	return nil
}

// set replaces a member in its place, or adds it at the end.
func (m *manifest) set(key string, value json.RawMessage) {
	for i := range *m {
		if (*m)[i].key == key {
			(*m)[i].value = value
			return
		}
	}
	*m = append(*m, member{key, value})
}

// remove takes members out.
func (m *manifest) remove(keys ...string) {
	*m = slices.DeleteFunc(*m, func(member member) bool { return slices.Contains(keys, member.key) })
}

// rename moves a member to another key, unless that one is taken.
func (m *manifest) rename(from, to string) {
	if value := m.get(from); value != nil {
		m.remove(from)
		if m.get(to) == nil {
			m.set(to, value)
		}
	}
}

// text returns a member that is text, else "".
func (m manifest) text(key string) string {
	var text string
	if json.Unmarshal(m.get(key), &text) != nil {
		return ""
	}
	return protocols.CleanText(text)
}

// object returns a member that is an object, else nil.
func (m manifest) object(key string) manifest {
	object, err := parseManifest(m.get(key))
	if err != nil {
		return nil
	}
	return object
}

// appendTo writes the object without its closing brace.
func (m manifest) appendTo(b []byte) []byte {
	b = append(b, '{')
	for i, member := range m {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(quote(b, member.key), ':')
		b = append(b, member.value...)
	}
	return b
}

// quote appends a JSON string.
func quote(b []byte, text string) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string and a buffer: it cannot fail
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}

// jsonOf encodes a value that can always be encoded.
func jsonOf(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("npm: encode %T: %v", v, err))
	}
	return raw
}

// ownMembers are those the server answers for: what a publisher says of them
// is not passed on. The readme is served once a package, with the latest
// version's text, and with a version that is asked for by itself.
var ownMembers = []string{"_id", "_npmUser", "_hasShrinkwrap", "hasInstallScript", "dist", "deprecated", "readme"}

// abbreviatedMembers are those an install needs:
// https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md#abbreviated-version-object.
var abbreviatedMembers = []string{
	"name", "version", "dependencies", "optionalDependencies", "devDependencies", "bundleDependencies",
	"peerDependencies", "peerDependenciesMeta", "acceptDependencies", "bin", "directories", "engines", "cpu", "os",
	"libc", "funding", "_hasShrinkwrap", "hasInstallScript",
}

// published is what the server knows of a version that it is publishing.
type published struct {
	name, version string
	// publisher is the login name of who publishes.
	publisher      string
	tarball        string // its file name
	shasum, sha512 string // of the tarball, in hexadecimal
	facts          archive
	installScript  bool
}

// render makes the version's part of the packuments: all members of the
// manifest as they were published but for the server's own and for those
// that clients expect in one form only.
func render(m manifest, p published) fragment {
	m = slices.Clone(m)
	m.remove(ownMembers...)
	m.normalize(p.name)
	m.set("_id", jsonOf(p.name+"@"+p.version))
	if p.publisher != "" {
		m.set("_npmUser", jsonOf(map[string]string{"name": p.publisher}))
	}
	m.set("_hasShrinkwrap", jsonOf(p.facts.shrinkwrap))
	if p.installScript {
		m.set("hasInstallScript", jsonOf(true))
	}
	abbreviated := slices.DeleteFunc(slices.Clone(m), func(member member) bool {
		return !slices.Contains(abbreviatedMembers, member.key)
	})

	const dist = `,"dist":{"tarball":"`
	tail := quote(nil, p.tarball)[1:] // what comes before it depends on the server's URL
	tail = append(tail, `,"shasum":`...)
	tail = quote(tail, p.shasum)
	tail = append(tail, `,"integrity":`...)
	tail = quote(tail, "sha512-"+toBase64(p.sha512))
	tail = fmt.Appendf(tail, `,"fileCount":%d,"unpackedSize":%d}`, p.facts.files, p.facts.unpackedSize)
	return fragment{
		full:        append(m.appendTo(nil), dist...),
		abbreviated: append(abbreviated.appendTo(nil), dist...),
		tail:        tail,
	}
}

// normalize brings members into the form clients expect. Old clients and
// other tools publish the short ones.
func (m *manifest) normalize(name string) {
	if bin := m.text("bin"); bin != "" {
		m.set("bin", jsonOf(map[string]string{baseName(name): bin}))
	}
	if url := m.text("repository"); url != "" {
		m.set("repository", jsonOf(struct {
			Type string `json:"type"`
			URL  string `json:"url"`
		}{"git", url}))
	}
	if kind := m.object("license").text("type"); kind != "" {
		m.set("license", jsonOf(kind))
	}
	m.rename("bundledDependencies", "bundleDependencies")
}

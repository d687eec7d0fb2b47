package rubygems

import (
	"bytes"
	"compress/zlib"
	"maps"
	"slices"

	"github.com/klauspost/compress/gzip"
)

// gemVersion writes a Gem::Version.
func (m *marshal) gemVersion(v version) {
	m.userObject("Gem::Version")
	m.array(1)
	m.text(string(v))
}

// gemRequirement writes a Gem::Requirement.
func (m *marshal) gemRequirement(r requirement) {
	m.userObject("Gem::Requirement")
	m.array(1)
	m.array(len(r))
	for _, c := range r {
		m.array(2)
		m.text(c.operator)
		m.gemVersion(c.version)
	}
}

// gemDependency writes a Gem::Dependency.
func (m *marshal) gemDependency(d dependency) {
	m.object("Gem::Dependency", 5)
	m.symbol("@name")
	m.text(d.name)
	m.symbol("@requirement")
	m.gemRequirement(d.requirement)
	m.symbol("@type")
	if d.development {
		m.symbol("development")
	} else {
		m.symbol("runtime")
	}
	m.symbol("@prerelease")
	m.boolean(false)
	m.symbol("@version_requirements")
	m.gemRequirement(d.requirement)
}

// optional writes a text, or nil where there is none, as Ruby does.
func (m *marshal) optional(s string) {
	if s == "" {
		m.null()
		return
	}
	m.text(s)
}

func (m *marshal) texts(list []string) {
	m.array(len(list))
	for _, s := range list {
		m.text(s)
	}
}

// specificationVersion is that of the 19 fields below.
const specificationVersion = 4

// packGemspec makes what a client gets of a gemspec before it fetches the gem: a
// compressed Gem::Specification, whose content is a stream of its own.
//
// https://github.com/ruby/rubygems/blob/master/lib/rubygems/specification.rb, _dump
func packGemspec(s *gemspec) ([]byte, error) {
	fields := newMarshal()
	fields.array(19)
	fields.text(s.rubygemsVersion)
	fields.integer(specificationVersion)
	fields.text(s.name)
	fields.gemVersion(s.version)
	if s.date.IsZero() {
		fields.null()
	} else {
		fields.time(s.date)
	}
	fields.optional(s.summary)
	fields.gemRequirement(s.ruby)
	fields.gemRequirement(s.rubygems)
	fields.text(s.platform)
	fields.array(len(s.dependencies))
	for _, d := range s.dependencies {
		fields.gemDependency(d)
	}
	fields.text("") // of a host that is gone
	if len(s.email) == 1 {
		fields.text(s.email[0])
	} else if len(s.email) == 0 {
		fields.null()
	} else {
		fields.texts(s.email)
	}
	fields.texts(s.authors)
	fields.optional(s.description)
	fields.optional(s.homepage)
	fields.boolean(true) // of no meaning any more
	fields.text(s.platform)
	fields.texts(s.licenses)
	fields.hash(len(s.metadata))
	for _, key := range slices.Sorted(maps.Keys(s.metadata)) {
		fields.text(key)
		fields.text(s.metadata[key])
	}
	whole := newMarshal()
	whole.userBytes("Gem::Specification", fields.b)

	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	if _, err := z.Write(whole.b); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// packSpecs makes an index of files: name, version and platform of each. The
// same files give the same bytes.
func packSpecs(files []listed) ([]byte, error) {
	m := newMarshal()
	m.array(len(files))
	for _, f := range files {
		m.array(3)
		m.text(f.name)
		m.gemVersion(f.version)
		m.text(f.platform)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed) // writes neither a name nor a time
	if _, err := z.Write(m.b); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

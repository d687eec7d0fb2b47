package pypi

import (
	"errors"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// coreMetadata are the fields of a distribution's METADATA or PKG-INFO by
// their names in lower case, each with its values in order. The description is
// a field, wherever it stood.
//
// https://packaging.python.org/en/latest/specifications/core-metadata/
type coreMetadata map[string][]string

// maxMetadataFields bounds how many lines of fields are read.
const maxMetadataFields = 50_000

// parseMetadata reads core metadata: fields as in a mail, folded lines among
// them, and after an empty line the description. Lines that are no field are
// passed over, as the tools that read it do. Error: Invalid when there is no
// Metadata-Version, Name or Version, or more than one.
func parseMetadata(raw []byte) (coreMetadata, error) {
	m := coreMetadata{}
	text := strings.ReplaceAll(protocols.CleanText(strings.TrimPrefix(string(raw), "\ufeff")), "\r\n", "\n")
	last := ""
	for n := 0; text != ""; n++ {
		if n > maxMetadataFields {
			return nil, errors.New("it has too many fields")
		}
		var line string
		line, text, _ = strings.Cut(text, "\n")
		if line == "" {
			if strings.TrimSpace(text) != "" {
				m["description"] = []string{text}
			}
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if values := m[last]; len(values) > 0 {
				values[len(values)-1] += "\n" + unfolded(line)
			}
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok || strings.ContainsAny(key, " \t") {
			last = ""
			continue
		}
		last = strings.ToLower(key)
		m[last] = append(m[last], strings.TrimSpace(value))
	}
	for _, key := range []string{"metadata-version", "name", "version"} {
		if len(m[key]) != 1 {
			return nil, errors.New("it must have one field " + key)
		}
	}
	return m, nil
}

// unfolded is a line that goes on with a field, without what marks it so:
// setuptools indents by eight blanks, others write a bar.
func unfolded(line string) string {
	trimmed := strings.TrimLeft(line, " \t")
	if bar, ok := strings.CutPrefix(trimmed, "|"); ok {
		return bar
	}
	return strings.TrimPrefix(strings.TrimPrefix(line, "\t"), "        ")
}

// text is the first value of a field; "" for none.
func (m coreMetadata) text(key string) string {
	for _, value := range m[key] {
		if value = known(value); value != "" {
			return value
		}
	}
	return ""
}

// texts are the values of a field, at most maxLifted of them, each at most
// maxLine bytes in one line.
func (m coreMetadata) texts(key string) []string {
	var all []string
	for _, value := range m[key] {
		if value = protocols.CutText(protocols.OneLine(known(value)), maxLine); value != "" && len(all) < maxLifted {
			all = append(all, value)
		}
	}
	return all
}

// plurals are the form's names of fields that are not the field's own name
// with underscores.
var plurals = map[string]string{
	"classifiers": "classifier", "project_urls": "project-url", "home_page": "home-page", "license_files": "license-file",
}

// fill takes the fields that the archive lacks from the form.
func (m coreMetadata) fill(f *form) {
	for name, values := range f.fields {
		key, ok := plurals[name]
		if !ok {
			key = strings.ReplaceAll(name, "_", "-")
		}
		if m.text(key) == "" {
			m[key] = values
		}
	}
}

// agree holds the archive's metadata against the project and the version it is
// uploaded as. Error: Invalid.
func (m coreMetadata) agree(project string, v version) error {
	if name := m.text("name"); normalizeName(name) != project {
		return registry.FieldErrorf("name", "the name in the distribution's metadata is %.200q, not %s", name, project)
	}
	other, ok := parseVersion(m.text("version"))
	if !ok || other.identity() != v.identity() {
		return registry.FieldErrorf("version", "the version in the distribution's metadata is %.200q, not %s", m.text("version"), v)
	}
	return nil
}

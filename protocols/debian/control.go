package debian

import (
	"bytes"
	"strings"

	"entrepot/registry"
)

// field is a field of a control file.
type field struct {
	// name is spelled as it was.
	name string
	// lines are the value: the rest of the field's line, and the lines that
	// continue it with the blank they begin with.
	lines []string
}

// stanza is the one paragraph of a control file, in its order.
type stanza []field

// maxFields is how many fields a control file may have.
const maxFields = 1000

// ownFields are those the index writes itself, or that belong to dpkg's
// database: an uploader's are left out, in lower case.
var ownFields = map[string]bool{
	"filename": true, "size": true, "md5sum": true, "sha1": true, "sha256": true, "sha512": true,
	"description-md5": true, "status": true, "conffiles": true,
}

func badControl(format string, args ...any) error {
	return registry.FieldErrorf("control", "the control file is no good: "+format, args...)
}

// parseControl reads a control file, which is exactly one paragraph: a second
// one would be another package in the index.
//
// https://www.debian.org/doc/debian-policy/ch-controlfields.html#syntax-of-control-files
func parseControl(text []byte) (stanza, error) {
	if i := bytes.IndexAny(text, "\x00\r"); i >= 0 {
		return nil, badControl("it holds the character %q", text[i])
	}
	var s stanza
	seen := map[string]bool{}
	ended := false
	for line := range strings.SplitSeq(string(text), "\n") {
		switch blank := strings.Trim(line, " \t") == ""; {
		case blank:
			ended = len(s) > 0
			continue
		case ended:
			return nil, badControl("it has a second paragraph")
		}
		if line[0] == ' ' || line[0] == '\t' {
			if len(s) == 0 {
				return nil, badControl("it begins with the continuation of a line")
			}
			last := &s[len(s)-1]
			last.lines = append(last.lines, strings.TrimRight(line, " \t"))
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !fieldName(name) {
			return nil, badControl("%.80q is not a field", line)
		}
		key := strings.ToLower(name)
		if seen[key] {
			return nil, badControl("the field %s comes twice", name)
		}
		if seen[key] = true; len(seen) > maxFields {
			return nil, badControl("it has more than %d fields", maxFields)
		}
		s = append(s, field{name, []string{strings.Trim(value, " \t")}})
	}
	if len(s) == 0 {
		return nil, badControl("it is empty")
	}
	return s, nil
}

// fieldName tells whether a text may name a field: printable ASCII without
// blank and colon, beginning with neither # nor -.
func fieldName(name string) bool {
	if name == "" || name[0] == '#' || name[0] == '-' {
		return false
	}
	for i := range len(name) {
		if name[i] <= ' ' || name[i] >= 0x7f {
			return false
		}
	}
	return true
}

// text is the value of a field as it stands, "" if it is not there. Names are
// compared without case.
func (s stanza) text(name string) string {
	for _, f := range s {
		if strings.EqualFold(f.name, name) {
			return strings.Join(f.lines, "\n")
		}
	}
	return ""
}

// line is the value of a field on one line.
func (s stanza) line(name string) string {
	return strings.Join(strings.Fields(s.text(name)), " ")
}

// fragment is the stanza as the index begins with it: without the fields that
// the index writes itself, and without an end.
func (s stanza) fragment() []byte {
	var b bytes.Buffer
	for _, f := range s {
		if ownFields[strings.ToLower(f.name)] {
			continue
		}
		b.WriteString(f.name)
		b.WriteByte(':')
		if f.lines[0] != "" {
			b.WriteByte(' ')
		}
		b.WriteString(strings.Join(f.lines, "\n"))
		b.WriteByte('\n')
	}
	return b.Bytes()
}

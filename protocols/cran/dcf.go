package cran

import (
	"bytes"
	"regexp"
	"strings"

	"golang.org/x/text/encoding/charmap"

	"entrepot/protocols"
	"entrepot/registry"
)

// record is one record of a file in R's dialect of the Debian control format:
// fields in their order, each with its lines.
type record struct {
	names  []string
	values map[string][]string
}

var fieldLine = regexp.MustCompile(`^([A-Za-z@][A-Za-z0-9_/@.-]*):`)

// maxFields is how many fields a record may have.
const maxFields = 1000

func badDescription(format string, args ...any) error {
	return registry.FieldErrorf("DESCRIPTION", "DESCRIPTION is no good: "+format, args...)
}

// parseRecord reads a file of one record, as read.dcf of R does: a line that
// begins with a blank goes on with the field before, whatever it looks like.
// Of a field that is there twice, the last counts. The texts are UTF-8
// afterwards, by what the field Encoding says.
func parseRecord(raw []byte) (*record, error) {
	r := &record{values: map[string][]string{}}
	last, ended := "", false
	for line := range bytes.SplitSeq(raw, []byte("\n")) {
		line = bytes.TrimSuffix(line, []byte("\r"))
		if blank := len(bytes.TrimLeft(line, " \t")) == 0; blank {
			ended = len(r.names) > 0
			continue
		}
		switch {
		case ended:
			return nil, badDescription("it has a second record")
		case line[0] == '#':
			continue
		case line[0] == ' ' || line[0] == '\t':
			if last == "" {
				return nil, badDescription("it begins with the continuation of a line")
			}
			r.values[last] = append(r.values[last], string(bytes.Trim(line, " \t")))
			continue
		}
		m := fieldLine.FindSubmatch(line)
		if m == nil {
			return nil, badDescription("%.80q is not a field", line)
		}
		if last = string(m[1]); r.values[last] == nil {
			if r.names = append(r.names, last); len(r.names) > maxFields {
				return nil, badDescription("it has more than %d fields", maxFields)
			}
		}
		r.values[last] = []string{string(bytes.Trim(line[len(m[0]):], " \t"))}
	}
	if len(r.names) == 0 {
		return nil, badDescription("it is empty")
	}
	return r, r.decode()
}

// decode makes all values UTF-8.
func (r *record) decode() error {
	var from *charmap.Charmap
	switch encoding := strings.ToLower(r.line("Encoding")); encoding {
	case "latin1", "latin-1", "iso-8859-1":
		from = charmap.ISO8859_1
	case "latin2", "latin-2", "iso-8859-2":
		from = charmap.ISO8859_2
	case "", "utf-8", "utf8":
	default:
		return badDescription("the Encoding %.40q is not known; UTF-8, latin1 and latin2 are", encoding)
	}
	for _, lines := range r.values {
		for i, line := range lines {
			if from != nil {
				decoded, err := from.NewDecoder().String(line)
				if err != nil {
					return badDescription("%v", err)
				}
				line = decoded
			}
			lines[i] = protocols.CleanText(line)
		}
	}
	return nil
}

// line is the value of a field on one line, "" if it is not there.
func (r *record) line(name string) string {
	return protocols.OneLine(strings.Join(r.values[name], " "))
}

// write writes the whole record, each field on one line, in UTF-8.
func (r *record) write() string {
	var b strings.Builder
	for _, name := range r.names {
		value := r.line(name)
		if name == "Encoding" {
			value = "UTF-8"
		}
		b.WriteString(name + ": " + value + "\n")
	}
	return b.String()
}

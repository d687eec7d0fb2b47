package npm

import (
	"encoding/binary"
	"errors"
	"strings"
)

// fragment is a version's part of the packuments, as it is kept with the
// tarball. Both forms are a JSON object that is cut where the URL of the
// tarball's folder goes, which depends on how clients reach the server:
//
//	{"name":"a",...,"dist":{"tarball":"  URL  a-1.0.0.tgz","shasum":...}  }
//	            full or abbreviated                   tail
//
// The last brace is missing, so that a deprecation can be added.
type fragment struct{ full, abbreviated, tail []byte }

// fragmentVersion begins an encoded fragment: readers of another layout must
// not guess.
const fragmentVersion = 1

// encode is the version, the lengths of the first two parts, and the parts.
func (f fragment) encode() []byte {
	b := make([]byte, 0, 2*binary.MaxVarintLen32+1+len(f.full)+len(f.abbreviated)+len(f.tail))
	b = append(b, fragmentVersion)
	b = binary.AppendUvarint(b, uint64(len(f.full)))
	b = binary.AppendUvarint(b, uint64(len(f.abbreviated)))
	b = append(b, f.full...)
	b = append(b, f.abbreviated...)
	return append(b, f.tail...)
}

var errFragment = errors.New("npm: a stored fragment has an unknown form")

// decodeFragment is encode's opposite. The parts lie within b.
func decodeFragment(b []byte) (f fragment, err error) {
	if len(b) == 0 || b[0] != fragmentVersion {
		return f, errFragment
	}
	b = b[1:]
	var lengths [2]uint64
	for i := range lengths {
		n := 0
		if lengths[i], n = binary.Uvarint(b); n <= 0 {
			return f, errFragment
		}
		b = b[n:]
	}
	size := uint64(len(b))
	if lengths[0] > size || lengths[1] > size-lengths[0] {
		return f, errFragment
	}
	f.full, b = b[:lengths[0]], b[lengths[0]:]
	f.abbreviated, f.tail = b[:lengths[1]], b[lengths[1]:]
	return f, nil
}

// form is one of the two documents there are of a package.
type form int

const (
	full form = iota
	abbreviated
)

// head is the form's first part.
func (f fragment) head(form form) []byte {
	if form == abbreviated {
		return f.abbreviated
	}
	return f.full
}

// appendTo appends the manifest. folder is the URL of the tarball's folder
// with a final slash, as it stands in JSON; deprecated is the reason, "" for
// none.
func (f fragment) appendTo(b []byte, form form, folder, deprecated string) []byte {
	b = append(b, f.head(form)...)
	b = append(b, folder...)
	b = append(b, f.tail...)
	if deprecated != "" {
		b = append(b, `,"deprecated":`...)
		b = quote(b, deprecated)
	}
	return append(b, '}')
}

// inJSON is the text as it stands between the quotes of a JSON string.
func inJSON(text string) string {
	quoted := string(quote(nil, text))
	return strings.TrimSuffix(strings.TrimPrefix(quoted, `"`), `"`)
}

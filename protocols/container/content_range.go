package container

import (
	"net/http"
	"regexp"
	"strconv"

	"entrepot/registry"
)

// rangePattern is what clients send: "0-1023" as the specification has it, or
// with the unit and the total of RFC 9110.
var rangePattern = regexp.MustCompile(`^(?:bytes[ =])?([0-9]{1,19})-([0-9]{1,19})(?:/(?:[0-9]{1,19}|\*))?$`)

// parseContentRange reads the range of a chunk: its first byte and its length.
func parseContentRange(text string) (first, length int64, ok bool) {
	m := rangePattern.FindStringSubmatch(text)
	if m == nil {
		return 0, 0, false
	}
	first, err1 := strconv.ParseInt(m[1], 10, 64)
	last, err2 := strconv.ParseInt(m[2], 10, 64)
	if err1 != nil || err2 != nil || last < first || last-first+1 <= 0 {
		return 0, 0, false
	}
	return first, last - first + 1, true
}

// chunkOf is the chunk a request carries.
func chunkOf(r *http.Request) (registry.Chunk, error) {
	c := registry.Chunk{Body: r.Body, Offset: -1, Size: -1}
	text := r.Header.Get("Content-Range")
	if text == "" {
		return c, nil
	}
	first, length, ok := parseContentRange(text)
	switch {
	case ok:
		c.Offset, c.Size = first, length
	case r.ContentLength == 0:
		// The range of no bytes cannot be written; some clients try.
		return c, nil
	default:
		return c, fault(http.StatusBadRequest, blobUploadInvalid, "the Content-Range %q cannot be read", text)
	}
	if r.ContentLength >= 0 && r.ContentLength != length {
		return c, fault(http.StatusBadRequest, sizeInvalid, "the body has %d bytes, the Content-Range says %d", r.ContentLength, length)
	}
	return c, nil
}

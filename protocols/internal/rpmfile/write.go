package rpmfile

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// Value is a tag with its values as they lie in a header.
type Value struct {
	Tag         int
	kind, count int
	data        []byte
}

// Text is a tag that holds one text, which has no NUL in it.
func Text(tag int, text string) Value {
	return Value{Tag: tag, kind: kindString, count: 1, data: append([]byte(text), 0)}
}

// Number is a tag that holds one number of 32 bits.
func Number(tag int, n uint32) Value {
	return Value{Tag: tag, kind: kindInt32, count: 1, data: binary.BigEndian.AppendUint32(nil, n)}
}

// First is the tag with no more than its first n values.
func (v Value) First(n int) Value {
	if v.count <= n {
		return v
	}
	size := widths[v.kind] * n
	if isText(v.kind) {
		size = 0
		for range n {
			size += bytes.IndexByte(v.data[size:], 0) + 1
		}
	}
	v.count, v.data = n, v.data[:size]
	return v
}

// Form is what the values of a tag are.
type Form int

// The forms.
const (
	// OneText is a text, Texts any number of them.
	OneText Form = iota
	Texts
	// Translated is a text in the languages that the header names, or in none.
	Translated
	// Numbers are numbers of 32 bits.
	Numbers
)

// kinds are the kinds of value that a form has.
var kinds = map[Form][]int{
	OneText:    {kindString},
	Texts:      {kindStringArray},
	Translated: {kindI18nString, kindString},
	Numbers:    {kindInt32},
}

// Value is a tag of the header as it is, and whether it is there at all. What
// has another form than that, or more translations than the header has
// languages, is refused: rpm could not read a header with it. Error: Invalid.
func (h *Header) Value(tag int, form Form) (Value, bool, error) {
	e, ok := h.entry(tag)
	if !ok {
		return Value{}, false, nil
	}
	data, err := h.bytesOf(e)
	if err != nil {
		return Value{}, false, err
	}
	if form == Texts && e.kind == kindString {
		e.kind = kindStringArray // a single one in very old packages
	}
	if !slices.Contains(kinds[form], e.kind) {
		return Value{}, false, badPackage("the tag %d is of the kind %d", tag, e.kind)
	}
	if languages, ok := h.entry(tagLanguages); ok && e.kind == kindI18nString && e.count > languages.count {
		return Value{}, false, badPackage("the tag %d has %d translations for %d languages", tag, e.count, languages.count)
	}
	return Value{e.tag, e.kind, e.count, data}, true, nil
}

func byTag(a, b Value) int { return cmp.Compare(a.Tag, b.Tag) }

// WriteHeader writes a header of its own, as lists of packages are made of: the
// values in the order of their tags, and no region.
func WriteHeader(values []Value) []byte {
	return writeHeader(slices.SortedStableFunc(slices.Values(values), byTag), 0)
}

// writeHeader writes a header of values, which are in order. If region is not
// 0, a tag of that number stands first, which says that all of them belong
// together. What tells so stands at the end of the data, and looks like an
// entry itself.
func writeHeader(values []Value, region int) []byte {
	var index, data bytes.Buffer
	add := func(b *bytes.Buffer, numbers ...int) {
		for _, n := range numbers {
			b.Write(binary.BigEndian.AppendUint32(nil, uint32(int32(n))))
		}
	}
	for _, v := range values {
		// Numbers lie at multiples of their width.
		for data.Len()%max(widths[v.kind], 1) != 0 {
			data.WriteByte(0)
		}
		add(&index, v.Tag, v.kind, data.Len(), v.count)
		data.Write(v.data)
	}
	count, end := len(values), data.Len()
	if region != 0 {
		count++
		add(&data, region, kindBinary, -count*entrySize, entrySize)
	}
	var all bytes.Buffer
	all.Write(headerMagic)
	add(&all, 0, count, data.Len())
	if region != 0 {
		add(&all, region, kindBinary, end, entrySize)
	}
	all.Write(index.Bytes())
	all.Write(data.Bytes())
	return all.Bytes()
}

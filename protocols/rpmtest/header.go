package rpmtest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// ReadHeaders reads headers that stand one after the other, without regions, as
// strictly as rpm's own library: entries in the order of their tags, values in
// the same order, aligned, and not overlapping. A tag is a string, []string,
// I18n (of several languages the first) or []int32.
func ReadHeaders(raw []byte) ([]map[int]any, error) {
	var all []map[int]any
	for len(raw) > 0 {
		if len(raw) < 16 || !bytes.HasPrefix(raw, []byte{0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0}) {
			return all, fmt.Errorf("header %d does not begin as one", len(all))
		}
		entries, size := int(binary.BigEndian.Uint32(raw[8:])), int(binary.BigEndian.Uint32(raw[12:]))
		end := 16 + 16*entries + size
		if entries == 0 || entries > 65_535 || size > 256<<20 || end > len(raw) {
			return all, fmt.Errorf("header %d has %d entries and %d bytes", len(all), entries, size)
		}
		tags, err := readTags(raw[16:16+16*entries], raw[16+16*entries:end])
		if err != nil {
			return all, fmt.Errorf("header %d: %w", len(all), err)
		}
		all, raw = append(all, tags), raw[end:]
	}
	return all, nil
}

func readTags(index, data []byte) (map[int]any, error) {
	tags := map[int]any{}
	last, used := 0, 0
	for ; len(index) > 0; index = index[16:] {
		number := func(n int) int { return int(int32(binary.BigEndian.Uint32(index[4*n:]))) }
		tag, kind, offset, count := number(0), number(1), number(2), number(3)
		if tag < 100 || tag <= last || offset < used || offset > len(data) || count < 1 {
			return nil, fmt.Errorf("tag %d after %d at %d of %d, %d used: %d values", tag, last, offset, len(data), used, count)
		}
		value, size, err := decode(kind, count, offset, data[offset:])
		if err != nil {
			return nil, fmt.Errorf("tag %d: %w", tag, err)
		}
		tags[tag], last, used = value, tag, offset+size
	}
	if used != len(data) {
		return nil, fmt.Errorf("%d of %d bytes are used", used, len(data))
	}
	return tags, nil
}

func decode(kind, count, offset int, data []byte) (value any, size int, err error) {
	switch kind {
	case 4:
		if offset%4 != 0 || 4*count > len(data) {
			return nil, 0, fmt.Errorf("%d numbers at %d in %d bytes", count, offset, len(data))
		}
		numbers := make([]int32, count)
		for i := range numbers {
			numbers[i] = int32(binary.BigEndian.Uint32(data[4*i:]))
		}
		return numbers, 4 * count, nil
	case 6, 8, 9:
		var texts []string
		for range count {
			n := bytes.IndexByte(data[size:], 0)
			if n < 0 {
				return nil, 0, errors.New("a text has no end")
			}
			texts, size = append(texts, string(data[size:size+n])), size+n+1
		}
		switch {
		case kind == 8:
			return texts, size, nil
		case kind == 9:
			return I18n(texts[0]), size, nil
		case count == 1:
			return texts[0], size, nil
		}
	}
	return nil, 0, fmt.Errorf("kind %d with %d values", kind, count)
}

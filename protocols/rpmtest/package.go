// Package rpmtest builds RPM packages for tests, without rpm and without its
// tools: small ones, odd ones, and ones that are wrong.
package rpmtest

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Package describes a package. The zero values of all but the first four are
// what a package without such things has.
type Package struct {
	Name, Version, Release, Arch string
	Epoch                        int
	Summary, Description         string
	// Tags are further tags of the header, and win over what the other fields
	// give: a string, []string, I18n, []byte, int32, []int32, []int16 or
	// []int64. Nil leaves a tag out.
	Tags map[int]any
	// Signature are tags of the signature header, as Tags are.
	Signature map[int]any
	// Files are the paths of the files it installs, with their content.
	Files map[string]string
}

// I18n is a text in no language, or in several with NUL between them.
type I18n string

// Bytes is the package.
func (p Package) Bytes() []byte {
	payload, size := p.payload()
	sum := sha256.Sum256(payload)
	tags := map[int]any{
		1000: p.Name, 1001: p.Version, 1002: p.Release, 1022: p.Arch,
		1004: I18n(p.Summary), 1005: I18n(p.Description), 1006: int32(1700000000), 1007: "builder.example.com", 1009: int32(size),
		1014: "MIT", 1016: I18n("Unspecified"), 1021: "linux", 1044: p.Name + "-" + p.Version + "-" + p.Release + ".src.rpm",
		1047: []string{p.Name}, 1112: []int32{8}, 1113: []string{p.Version + "-" + p.Release},
		1049: []string{"rpmlib(CompressedFileNames)"}, 1048: []int32{1<<24 | 10}, 1050: []string{"3.0.4-1"},
		1124: "cpio", 1125: "gzip", 1126: "9", 5092: []string{hex.EncodeToString(sum[:])}, 5093: int32(8),
	}
	if p.Epoch != 0 {
		tags[1003] = int32(p.Epoch)
	}
	p.addFiles(tags)
	header := Header(63, merged(tags, p.Tags))
	short, long := sha1.Sum(header), sha256.Sum256(header)
	all := md5.Sum(append(slices.Clone(header), payload...))
	signature := Header(62, merged(map[int]any{
		269: hex.EncodeToString(short[:]), 273: hex.EncodeToString(long[:]),
		1000: int32(len(header) + len(payload)), 1004: all[:], 1007: int32(size),
	}, p.Signature))
	var b bytes.Buffer
	b.Write(p.lead())
	b.Write(signature)
	b.Write(make([]byte, -len(signature)&7))
	b.Write(header)
	b.Write(payload)
	return b.Bytes()
}

func merged(tags, more map[int]any) map[int]any {
	maps.Copy(tags, more)
	maps.DeleteFunc(tags, func(_ int, v any) bool { return v == nil })
	return tags
}

// lead is what rpm has looked at last twenty years ago.
func (p Package) lead() []byte {
	b := make([]byte, 96)
	copy(b, []byte{0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0, 0, 1})
	copy(b[10:75], p.Name+"-"+p.Version+"-"+p.Release)
	b[77], b[79] = 1, 5
	return b
}

// regular is the mode 0100644 in sixteen bits.
const regular = -0x8000 + 0o644

// addFiles adds the tags that list the files.
func (p Package) addFiles(tags map[int]any) {
	paths := slices.Sorted(maps.Keys(p.Files))
	if len(paths) == 0 {
		return
	}
	var names, folders, digests, users, links []string
	var in, sizes, times, flags, inodes, devices []int32
	var modes, kinds []int16
	for i, path := range paths {
		cut := bytes.LastIndexByte([]byte(path), '/') + 1
		if n := len(folders); n == 0 || folders[n-1] != path[:cut] {
			folders = append(folders, path[:cut])
		}
		sum := sha256.Sum256([]byte(p.Files[path]))
		names, in = append(names, path[cut:]), append(in, int32(len(folders)-1))
		sizes, times, flags = append(sizes, int32(len(p.Files[path]))), append(times, 1700000000), append(flags, 0)
		modes, kinds = append(modes, regular), append(kinds, 0)
		digests, users, links = append(digests, hex.EncodeToString(sum[:])), append(users, "root"), append(links, "")
		inodes, devices = append(inodes, int32(i+1)), append(devices, 1)
	}
	maps.Copy(tags, map[int]any{
		1117: names, 1118: folders, 1116: in, 1028: sizes, 1034: times, 1037: flags, 1030: modes, 1033: kinds,
		1035: digests, 1039: users, 1040: users, 1036: links, 1096: inodes, 1095: devices, 5011: int32(8),
		1045: make([]int32, len(paths)), 1097: links,
	})
}

// payload is the files in an archive of cpio's new form, and its length before
// it is compressed.
func (p Package) payload() ([]byte, int) {
	var archive, packed bytes.Buffer
	add := func(name, content string, mode, inode int) {
		fmt.Fprintf(&archive, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
			inode, mode, 0, 0, 1, 1700000000, len(content), 0, 1, 0, 0, len(name)+1, 0, name)
		archive.Write(make([]byte, -archive.Len()&3))
		archive.WriteString(content)
		archive.Write(make([]byte, -archive.Len()&3))
	}
	for i, path := range slices.Sorted(maps.Keys(p.Files)) {
		add("."+path, p.Files[path], 0o100644, i+1)
	}
	add("TRAILER!!!", "", 0, 0)
	z := gzip.NewWriter(&packed)
	z.Write(archive.Bytes()) // a bytes.Buffer takes everything
	z.Close()
	return packed.Bytes(), archive.Len()
}

// Header writes a header of tags, in a region of that tag.
func Header(region int, tags map[int]any) []byte {
	var index, data bytes.Buffer
	add := func(b *bytes.Buffer, numbers ...int) {
		for _, n := range numbers {
			b.Write(binary.BigEndian.AppendUint32(nil, uint32(int32(n))))
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		kind, count, width, value := encode(tags[tag])
		for data.Len()%width != 0 {
			data.WriteByte(0)
		}
		add(&index, tag, kind, data.Len(), count)
		data.Write(value)
	}
	count := len(tags) + 1
	at := data.Len()
	add(&data, region, 7, -16*count, 16)
	var all bytes.Buffer
	all.Write([]byte{0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0})
	add(&all, count, data.Len(), region, 7, at, 16)
	all.Write(index.Bytes())
	all.Write(data.Bytes())
	return all.Bytes()
}

func encode(v any) (kind, count, width int, value []byte) {
	var b bytes.Buffer
	numbers := func(v any) { _ = binary.Write(&b, binary.BigEndian, v) } // a bytes.Buffer takes everything
	switch v := v.(type) {
	case string:
		return 6, 1, 1, append([]byte(v), 0)
	case []string:
		kind, count, width = 8, len(v), 1
		for _, s := range v {
			b.WriteString(s + "\x00")
		}
	case I18n:
		return 9, 1 + strings.Count(string(v), "\x00"), 1, append([]byte(v), 0)
	case []byte:
		kind, count, width = 7, len(v), 1
		b.Write(v)
	case int32:
		kind, count, width = 4, 1, 4
		numbers(v)
	case []int32:
		kind, count, width = 4, len(v), 4
		numbers(v)
	case []int16:
		kind, count, width = 3, len(v), 2
		numbers(v)
	case []int64:
		kind, count, width = 5, len(v), 8
		numbers(v)
	default:
		panic(fmt.Sprintf("no value of a tag: %T", v))
	}
	return kind, count, width, b.Bytes()
}

package arch

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/klauspost/compress/zstd"

	"entrepot/ent"
	"entrepot/protocols"
)

// kept is what is kept of a package for databases and signatures, as the
// fragment of its file.
type kept struct {
	Info protocols.Pkginfo `json:"info"`
	// Files names what the package installs, a line each, as a zstd frame.
	Files []byte `json:"files,omitempty"`
	// State is that of SHA-512 after the package's bytes.
	State []byte `json:"state"`
	// Signature is the packager's own, if there is one.
	Signature []byte `json:"signature,omitempty"`
}

// infoKeys are the keys of .PKGINFO that are kept, and where they come in the
// description of a database. The three that tell packages apart are columns.
var infoKeys = []struct{ heading, key string }{
	{"BASE", "pkgbase"}, {"DESC", "pkgdesc"}, {"GROUPS", "group"}, {"ISIZE", "size"}, {"URL", "url"}, {"LICENSE", "license"},
	{"BUILDDATE", "builddate"}, {"PACKAGER", "packager"}, {"REPLACES", "replaces"}, {"CONFLICTS", "conflict"},
	{"PROVIDES", "provides"}, {"DEPENDS", "depend"}, {"OPTDEPENDS", "optdepend"}, {"MAKEDEPENDS", "makedepend"},
	{"CHECKDEPENDS", "checkdepend"},
}

// keep makes the fragment of a package whose bytes have that state.
func (p *pack) keep(state []byte) ([]byte, error) {
	k := kept{Info: protocols.Pkginfo{}, State: state}
	set := func(key, value string) {
		if value != "" {
			k.Info[key] = []string{value}
		}
	}
	for _, f := range infoKeys {
		switch f.key {
		case "group", "license", "replaces", "conflict", "provides", "depend", "optdepend", "makedepend", "checkdepend":
			k.Info[f.key] = p.info[f.key]
		case "size", "builddate":
			set(f.key, p.info.Number(f.key))
		case "url":
			set(f.key, p.info.URL())
		default:
			set(f.key, p.info.One(f.key))
		}
	}
	if len(p.files) > 0 {
		z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		k.Files = z.EncodeAll(p.files, nil)
	}
	return json.Marshal(k)
}

// keptOf reads the fragment of a file.
func keptOf(f *ent.PackageFile) (*kept, error) {
	var k kept
	if err := json.Unmarshal(f.Fragment, &k); err != nil {
		return nil, fmt.Errorf("read what is kept of %s: %w", f.Name, err)
	}
	return &k, nil
}

// fileList unpacks the names of the files.
func (k *kept) fileList() ([]byte, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxList+1))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	return z.DecodeAll(k.Files, nil)
}

// description is the file "desc" of a package's entry: headings between
// percent signs, the values below them.
func (k *kept) description(id identity, f *ent.PackageFile, blob *ent.PackageBlob) []byte {
	var b bytes.Buffer
	put := func(heading string, values ...string) {
		if len(values) == 0 || values[0] == "" {
			return
		}
		fmt.Fprintf(&b, "%%%s%%\n", heading)
		for _, v := range values {
			b.WriteString(v)
			b.WriteByte('\n')
		}
		b.WriteByte('\n')
	}
	put("FILENAME", f.Name)
	put("NAME", id.name)
	for _, field := range infoKeys {
		switch field.heading {
		case "DESC":
			put("VERSION", id.version)
		case "ISIZE":
			put("CSIZE", strconv.FormatInt(blob.Size, 10))
		case "URL":
			put("MD5SUM", blob.Md5)
			put("SHA256SUM", blob.Sha256)
		case "BUILDDATE":
			put("ARCH", id.arch)
		}
		put(field.heading, k.Info[field.key]...)
	}
	return b.Bytes()
}

// appendFile appends a file to a tar archive that has no end yet.
func appendFile(archive *bytes.Buffer, name string, content []byte) error {
	w := tar.NewWriter(archive)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return err
	}
	return w.Flush()
}

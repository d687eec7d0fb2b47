package rpm

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/klauspost/compress/gzip"

	"entrepot/registry"
)

// A package's part of the three texts is written when it is uploaded, but for
// three values that are known later: its digest, its size, and when it came.
// The part is kept as the pieces between them, compressed: the list of a
// package's files may be long. NUL, which XML cannot hold, divides the pieces.
const (
	primaryToDigest = iota // ... the digest
	primaryToTime          // ... the time
	primaryToSize          // ... the size
	primaryToEnd
	filelistsFromDigest
	otherFromDigest
	pieceCount
)

// The texts of a group.
const (
	primaryStream   = "primary"
	filelistsStream = "filelists"
	otherStream     = "other"
	errataStream    = "errata"
)

// fragment is the package's part of all texts.
//
// https://github.com/rpm-software-management/createrepo_c/tree/master/examples
func (p *pack) fragment() []byte {
	var pieces [pieceCount]xmlWriter
	version := []string{"epoch", decimal(p.epoch), "ver", p.version, "rel", p.release}

	w := &pieces[primaryToDigest]
	w.open("package", "type", "rpm")
	w.text("name", p.name)
	w.text("arch", p.arch)
	w.empty("version", version...)
	w.open("checksum", "type", "sha256", "pkgid", "YES")

	w = &pieces[primaryToTime]
	w.close("checksum")
	w.text("summary", p.summary)
	w.text("description", p.description)
	w.text("packager", p.packager)
	w.text("url", p.url)
	w.WriteString(`<time build="` + decimal(p.buildTime) + `" file="`)

	w = &pieces[primaryToSize]
	w.WriteString(`"/><size installed="` + decimal(p.installed) + `" archive="` + decimal(p.archive) + `" package="`)

	w = &pieces[primaryToEnd]
	w.WriteString(`"/>`)
	w.empty("location", "href", p.location())
	p.writeFormat(w)
	w.close("package")
	w.WriteByte('\n')

	w = &pieces[filelistsFromDigest]
	w.WriteString(` name="` + xmlAttribute.Replace(p.name) + `" arch="` + p.arch + `">`)
	w.empty("version", version...)
	for _, f := range p.files {
		f.write(w)
	}
	w.close("package")
	w.WriteByte('\n')

	w = &pieces[otherFromDigest]
	w.WriteString(` name="` + xmlAttribute.Replace(p.name) + `" arch="` + p.arch + `">`)
	w.empty("version", version...)
	for _, c := range p.changes {
		w.text("changelog", c.text, "author", c.author, "date", decimal(c.date))
	}
	w.close("package")
	w.WriteByte('\n')

	return packPieces(pieces[:])
}

func (p *pack) writeFormat(w *xmlWriter) {
	w.open("format")
	for _, e := range []struct{ name, text string }{
		{"license", p.license}, {"vendor", p.vendor}, {"group", p.packGroup}, {"buildhost", p.buildHost}, {"sourcerpm", p.sourceRPM},
	} {
		w.text("rpm:"+e.name, e.text)
	}
	w.empty("rpm:header-range", "start", strconv.FormatInt(p.headerStart, 10), "end", strconv.FormatInt(p.headerEnd, 10))
	for i, kind := range relationKinds {
		if len(p.relations[i]) == 0 {
			continue
		}
		w.open("rpm:" + kind.element)
		for _, r := range p.relations[i] {
			attributes := []string{"name", r.name}
			if r.flags != "" {
				attributes = append(attributes, "flags", r.flags, "epoch", r.epoch, "ver", r.version)
			}
			if r.release != "" {
				attributes = append(attributes, "rel", r.release)
			}
			if r.before {
				attributes = append(attributes, "pre", "1")
			}
			w.empty("rpm:entry", attributes...)
		}
		w.close("rpm:" + kind.element)
	}
	for _, f := range p.files {
		if f.isPrimary() {
			f.write(w)
		}
	}
	w.close("format")
}

func (f file) write(w *xmlWriter) {
	if f.kind == "" {
		w.text("file", f.path)
	} else {
		w.text("file", f.path, "type", f.kind)
	}
}

func packPieces(pieces []xmlWriter) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for i := range pieces {
		if i > 0 {
			z.Write([]byte{0})
		}
		io.WriteString(z, pieces[i].String())
	}
	z.Close() // a bytes.Buffer takes everything
	return b.Bytes()
}

// renderPackage is a package's part of one of the texts.
func renderPackage(f registry.IndexedFile, stream string) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(f.File.Fragment))
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	pieces := bytes.Split(raw, []byte{0})
	if len(pieces) != pieceCount {
		return nil, errors.New("what the index says of the file is damaged")
	}
	var b bytes.Buffer
	digest := f.Blob.Sha256
	switch stream {
	case primaryStream:
		b.Write(pieces[primaryToDigest])
		b.WriteString(digest)
		b.Write(pieces[primaryToTime])
		b.WriteString(strconv.FormatInt(f.File.CreatedAt.Unix(), 10))
		b.Write(pieces[primaryToSize])
		b.WriteString(strconv.FormatInt(f.Blob.Size, 10))
		b.Write(pieces[primaryToEnd])
	case filelistsStream:
		b.WriteString(`<package pkgid="` + digest + `"`)
		b.Write(pieces[filelistsFromDigest])
	case otherStream:
		b.WriteString(`<package pkgid="` + digest + `"`)
		b.Write(pieces[otherFromDigest])
	default:
		return nil, errors.New("there is no text " + stream)
	}
	return b.Bytes(), nil
}

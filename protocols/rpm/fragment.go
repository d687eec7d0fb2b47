package rpm

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/klauspost/compress/gzip"

	"entrepot/protocols/internal/rpmfile"
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
func fragment(p *rpmfile.Package) []byte {
	var pieces [pieceCount]xmlWriter
	version := []string{"epoch", decimal(p.Epoch), "ver", p.Version, "rel", p.Release}

	w := &pieces[primaryToDigest]
	w.open("package", "type", "rpm")
	w.text("name", p.Name)
	w.text("arch", p.Arch)
	w.empty("version", version...)
	w.open("checksum", "type", "sha256", "pkgid", "YES")

	w = &pieces[primaryToTime]
	w.close("checksum")
	w.text("summary", p.Summary)
	w.text("description", p.Description)
	w.text("packager", p.Packager)
	w.text("url", p.URL)
	w.WriteString(`<time build="` + decimal(p.BuildTime) + `" file="`)

	w = &pieces[primaryToSize]
	w.WriteString(`"/><size installed="` + decimal(p.Installed) + `" archive="` + decimal(p.Archive) + `" package="`)

	w = &pieces[primaryToEnd]
	w.WriteString(`"/>`)
	w.empty("location", "href", location(p.Identity))
	writeFormat(w, p)
	w.close("package")
	w.WriteByte('\n')

	w = &pieces[filelistsFromDigest]
	w.WriteString(` name="` + xmlAttribute.Replace(p.Name) + `" arch="` + p.Arch + `">`)
	w.empty("version", version...)
	for _, f := range p.Files {
		writeFile(w, f)
	}
	w.close("package")
	w.WriteByte('\n')

	w = &pieces[otherFromDigest]
	w.WriteString(` name="` + xmlAttribute.Replace(p.Name) + `" arch="` + p.Arch + `">`)
	w.empty("version", version...)
	for _, c := range p.Changes {
		w.text("changelog", c.Text, "author", c.Author, "date", decimal(c.Date))
	}
	w.close("package")
	w.WriteByte('\n')

	return packPieces(pieces[:])
}

func writeFormat(w *xmlWriter, p *rpmfile.Package) {
	w.open("format")
	for _, e := range []struct{ name, text string }{
		{"license", p.License}, {"vendor", p.Vendor}, {"group", p.Group}, {"buildhost", p.BuildHost}, {"sourcerpm", p.SourceRPM},
	} {
		w.text("rpm:"+e.name, e.text)
	}
	w.empty("rpm:header-range", "start", strconv.FormatInt(p.HeaderStart, 10), "end", strconv.FormatInt(p.HeaderEnd, 10))
	for i, kind := range rpmfile.RelationKinds {
		if len(p.Relations[i]) == 0 {
			continue
		}
		w.open("rpm:" + kind.Element)
		for _, r := range p.Relations[i] {
			attributes := []string{"name", r.Name}
			if r.Flags != "" {
				attributes = append(attributes, "flags", r.Flags, "epoch", r.Epoch, "ver", r.Version)
			}
			if r.Release != "" {
				attributes = append(attributes, "rel", r.Release)
			}
			if r.Before {
				attributes = append(attributes, "pre", "1")
			}
			w.empty("rpm:entry", attributes...)
		}
		w.close("rpm:" + kind.Element)
	}
	for _, f := range p.Files {
		if f.IsPrimary() {
			writeFile(w, f)
		}
	}
	w.close("format")
}

func writeFile(w *xmlWriter, f rpmfile.File) {
	if f.Kind == "" {
		w.text("file", f.Path)
	} else {
		w.text("file", f.Path, "type", f.Kind)
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

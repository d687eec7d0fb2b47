package rpm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"entrepot/protocols/internal/rpmfile"
	"entrepot/registry"
)

// placeFile lists a package in three texts of its group, and a file of
// advisories in one that compose makes a document of. The names in the first
// are what an owner keeps some versions of.
func placeFile(f registry.IndexedFile) ([]registry.Placement, error) {
	group := f.File.CompositeKey
	if !f.File.Lead {
		if string(f.File.Fragment) == noErrata {
			return nil, nil
		}
		return []registry.Placement{{Family: group, Stream: errataStream}}, nil
	}
	return []registry.Placement{
		{Family: group, Stream: primaryStream, Name: f.Package.NormalizedName + "." + rpmfile.ArchOf(f.File.Name), Rank: f.Version.SortKey},
		{Family: group, Stream: filelistsStream},
		{Family: group, Stream: otherStream},
	}, nil
}

// render is a file's part of a text.
func render(f registry.IndexedFile, p registry.Placement, _ string) ([]byte, error) {
	if p.Stream == errataStream {
		return append(bytes.Clone(f.File.Fragment), '\n'), nil
	}
	return renderPackage(f, p.Stream)
}

// streamForm compresses more of the long texts at once.
func streamForm(name string) registry.StreamForm {
	if name == primaryStream {
		return registry.StreamForm{}
	}
	return registry.StreamForm{Chunk: 1 << 20}
}

// The files of a group, below repodata/. Clients ask for the texts by their
// digest with the name behind it.
const (
	repomdName    = "repomd.xml"
	signatureName = "repomd.xml.asc"
	keyName       = "repomd.xml.key"
	textEnding    = ".xml.gz"
	repoEnding    = ".repo"

	xmlType       = "text/xml; charset=utf-8"
	gzipType      = "application/gzip"
	signatureType = "application/pgp-signature"
	keyType       = "application/pgp-keys"
)

const (
	xmlHead   = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	namespace = "http://linux.duke.edu/metadata/"
)

// texts are the documents made of all packages of a group.
var texts = []struct{ stream, open, close string }{
	{primaryStream, `<metadata xmlns="` + namespace + `common" xmlns:rpm="` + namespace + `rpm" packages="`, "</metadata>\n"},
	{filelistsStream, `<filelists xmlns="` + namespace + `filelists" packages="`, "</filelists>\n"},
	{otherStream, `<otherdata xmlns="` + namespace + `other" packages="`, "</otherdata>\n"},
}

// maxOpenChecked is up to which length a text's own digest is told beside that
// of the compressed one: to compute it all of the text is unpacked. Clients do
// without.
const maxOpenChecked = 16 << 20

// compose writes the documents of a group: the texts, and repomd.xml, which
// names them by their digests, with a signature.
func compose(ctx context.Context, b *registry.IndexBuild) error {
	doc := repomd{revision: b.Modified.Unix()}
	for _, t := range texts {
		text := b.Text(t.stream)
		whole := text.Wrap(xmlHead+t.open+strconv.Itoa(text.Entries)+"\">\n", t.close)
		added, err := b.Add(ctx, t.stream+textEnding, gzipType, whole.Gzip())
		if err != nil {
			return err
		}
		d := datum{kind: t.stream, packed: added}
		if plain := whole.Plain(); plain.Size() <= maxOpenChecked {
			sum := sha256.New()
			if _, err := b.Open(ctx, plain).WriteTo(sum); err != nil {
				return err
			}
			d.openSum, d.openSize = hex.EncodeToString(sum.Sum(nil)), plain.Size()
		}
		doc.data = append(doc.data, d)
	}
	d, err := composeErrata(ctx, b)
	if err != nil {
		return err
	}
	if d != nil {
		doc.data = append(doc.data, *d)
	}
	text := doc.write()
	signature, err := b.Detached(bytes.NewReader(text), true)
	if err != nil {
		return err
	}
	if _, err := b.AddBytes(ctx, repomdName, xmlType, text); err != nil {
		return err
	}
	_, err = b.AddBytes(ctx, signatureName, signatureType, signature)
	return err
}

// repomd is the document that names the others.
type repomd struct {
	revision int64
	data     []datum
}

// datum is one of the documents it names.
type datum struct {
	kind     string
	packed   registry.Added
	openSum  string // of the unpacked form, "" if not known
	openSize int64
}

func (r *repomd) write() []byte {
	revision := strconv.FormatInt(r.revision, 10)
	var w xmlWriter
	w.WriteString(xmlHead)
	w.open("repomd", "xmlns", namespace+"repo", "xmlns:rpm", namespace+"rpm")
	w.WriteString("\n  ")
	w.text("revision", revision)
	w.WriteByte('\n')
	for _, d := range r.data {
		w.WriteString("  ")
		w.open("data", "type", d.kind)
		line := func(name, text string, attributes ...string) {
			w.WriteString("\n    ")
			w.text(name, text, attributes...)
		}
		line("checksum", d.packed.Sha256, "type", "sha256")
		if d.openSum != "" {
			line("open-checksum", d.openSum, "type", "sha256")
		}
		line("location", "", "href", "repodata/"+d.packed.Sha256+"-"+d.kind+textEnding)
		line("timestamp", revision)
		line("size", strconv.FormatInt(d.packed.Size, 10))
		if d.openSum != "" {
			line("open-size", strconv.FormatInt(d.openSize, 10))
		}
		w.WriteString("\n  ")
		w.close("data")
		w.WriteByte('\n')
	}
	w.close("repomd")
	w.WriteByte('\n')
	return []byte(w.String())
}

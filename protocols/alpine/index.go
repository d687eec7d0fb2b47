package alpine

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"

	"entrepot/protocols"
	"entrepot/registry"
)

// indexFile is the index of a repository for one architecture. Its text is the
// only stream.
const (
	indexFile = "APKINDEX.tar.gz"
	stream    = "APKINDEX"
	indexType = "application/gzip"
)

// placeFile lists a package in the index of its architecture, or in those of
// every one: of the same branch and repository alone.
func placeFile(f registry.IndexedFile) ([]registry.Placement, error) {
	at, arch, err := placeOf(f.File.CompositeKey)
	if err != nil {
		return nil, err
	}
	if arch == everyArch {
		arch = registry.EveryMember
	}
	return []registry.Placement{{
		Family: at.String(), Member: arch, Stream: stream, Name: f.Package.Name, Rank: f.Version.SortKey,
	}}, nil
}

// block is what an index says of a package, a letter and a colon before each
// value. The line of the architecture is left out: it is that of the index.
func (p *pack) block(size int64) []byte {
	var b bytes.Buffer
	line := func(letter byte, value string) {
		if value = oneLine(value); value != "" {
			fmt.Fprintf(&b, "%c:%s\n", letter, value)
		}
	}
	line('C', p.sum)
	line('P', p.name)
	line('V', p.version)
	line('S', strconv.FormatInt(size, 10))
	line('I', p.info.Number("size"))
	line('T', p.info.One("pkgdesc"))
	line('U', p.info.URL())
	line('L', p.info.One("license"))
	line('o', p.info.One("origin"))
	line('m', p.info.One("maintainer"))
	line('t', p.info.Number("builddate"))
	line('c', p.info.One("commit"))
	line('k', p.info.Number("provider_priority"))
	line('D', strings.Join(p.info["depend"], " "))
	line('p', strings.Join(p.info["provides"], " "))
	line('i', strings.Join(p.info["install_if"], " "))
	return b.Bytes()
}

// beforeArch is how many lines of a block stand before the architecture.
const beforeArch = 3

// renderBlock is a package's block with the architecture of the index: apk
// makes of it the folder in which it looks for the package. Machines of
// architectures without an index of their own get one that says noarch, which
// is a folder as well.
func renderBlock(f registry.IndexedFile, _ registry.Placement, member string) ([]byte, error) {
	lines := bytes.SplitAfterN(f.File.Fragment, []byte("\n"), beforeArch+1)
	if len(lines) <= beforeArch {
		return nil, fmt.Errorf("the block of %s is not there", f.File.Name)
	}
	if member == registry.EveryMember {
		member = everyArch
	}
	block := bytes.Join(lines[:beforeArch], nil)
	block = append(block, "A:"+member+"\n"...)
	return append(append(block, lines[beforeArch]...), '\n'), nil
}

// oneLine is the text on one line of valid UTF-8, without control characters.
func oneLine(text string) string {
	return protocols.OneLine(strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, protocols.CleanText(text)))
}

// compose writes the index: a gzip member with the signatures, and one with
// the text, which is what they sign. What lists nothing is not there at all.
func compose(ctx context.Context, b *registry.IndexBuild) error {
	text := b.Text(stream)
	if text.Entries == 0 {
		return nil
	}
	head, tail, err := indexFrame(b.Owner.Name+" "+b.Name.Family, text.Size())
	if err != nil {
		return err
	}
	body := text.Wrap(head, tail).Gzip()
	signatures, err := b.RSA(b.Open(ctx, body))
	if err != nil {
		return err
	}
	signed, err := signatureMember(b.Owner.Name, signatures)
	if err != nil {
		return err
	}
	_, err = b.Add(ctx, indexFile, indexType, registry.Recipe{}.Literal(signed).Join(body))
	return err
}

// indexFrame is what stands before and after the text in the archive.
func indexFrame(description string, size int64) (head, tail string, err error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := writeFile(w, "DESCRIPTION", []byte(description)); err != nil {
		return "", "", err
	}
	if err := w.WriteHeader(&tar.Header{Name: stream, Mode: 0o644, Size: size}); err != nil {
		return "", "", err
	}
	const block = 512
	return archive.String(), strings.Repeat("\x00", int((block-size%block)%block)+2*block), nil
}

// signatureMember is the gzip member with the signatures of all keys, each in
// the form that apk reads since 2.5 and in that of before: who does not know a
// name goes on to the next. The archive has no end, for apk reads on into the
// member behind it.
func signatureMember(owner string, signatures []registry.RSASignature) ([]byte, error) {
	var member bytes.Buffer
	z := gzip.NewWriter(&member)
	w := tar.NewWriter(z)
	for _, s := range signatures {
		name := keyName(owner, s.Key)
		for _, form := range []struct {
			prefix    string
			signature []byte
		}{{".SIGN.RSA256.", s.SHA256}, {".SIGN.RSA.", s.SHA1}} {
			if err := writeFile(w, form.prefix+name, form.signature); err != nil {
				return nil, err
			}
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return member.Bytes(), nil
}

func writeFile(w *tar.Writer, name string, content []byte) error {
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return err
	}
	return w.Flush()
}

// serveIndex serves the index of an architecture. One of which the repository
// has no package gets what runs on every one.
func serveIndex(w http.ResponseWriter, r *protocols.Request, at place, arch string) error {
	err := protocols.ServeIndex(w, r, registry.IndexName{Family: at.String(), Member: arch}, indexFile, protocols.IndexEntry)
	if registry.CodeOf(err) == registry.NotFound {
		err = protocols.ServeIndex(w, r, registry.IndexName{Family: at.String(), Member: registry.EveryMember}, indexFile, protocols.IndexEntry)
	}
	return err
}

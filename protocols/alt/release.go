package alt

import (
	"bytes"
	"fmt"
	"hash"
	"strconv"
	"time"

	"golang.org/x/crypto/blake2b"

	"entrepot/registry"
)

// release is the document that names the files of an architecture.
type release struct {
	arch     string
	settings map[string]string
	date     time.Time
	files    []listedFile
}

// listedFile is a file with its digests in hexadecimal.
type listedFile struct {
	path         string
	size         int64
	md5, blake2b string
}

// newBLAKE2b makes the digest that clients prefer: BLAKE2b of 512 bits.
func newBLAKE2b() hash.Hash {
	h, _ := blake2b.New512(nil) // only a key can be wrong
	return h
}

// write is the document: a field a line, then the files by each digest, and an
// empty line, behind which the signature stands.
func (r *release) write() []byte {
	var b bytes.Buffer
	for _, f := range [][2]string{
		{"Origin", r.settings[settingOrigin]}, {"Label", r.settings[settingLabel]}, {"Suite", "Unknown"},
		{"Codename", strconv.FormatInt(r.date.Unix(), 10)}, {"Date", r.date.UTC().Format(time.RFC1123)},
		{"Architectures", r.arch}, {"Components", component},
	} {
		fmt.Fprintf(&b, "%s: %s\n", f[0], f[1])
	}
	b.WriteString("MD5Sum:\n")
	for _, f := range r.files {
		fmt.Fprintf(&b, " %s %d %s\n", f.md5, f.size, f.path)
	}
	b.WriteString("BLAKE2b:\n")
	for _, f := range r.files {
		fmt.Fprintf(&b, " %s %d %s\n", f.blake2b, f.size, f.path)
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// sign is the document with a signature behind it. There is one only, also
// while a key is being replaced: of two, clients join the fingerprints to one
// that nobody has.
func (r *release) sign(b *registry.IndexBuild) ([]byte, error) {
	text := r.write()
	signature, err := b.DetachedByCurrent(bytes.NewReader(text), true)
	if err != nil {
		return nil, err
	}
	return append(append(text, bytes.TrimSpace(signature)...), '\n'), nil
}

// component is the file about the component, which clients show and pin by. It
// stays the same for good, so that it is not fetched again and again.
func (r *release) component() []byte {
	return fmt.Appendf(nil, "Archive: Unknown\nComponent: %s\nVersion: 1\nOrigin: %s\nLabel: %s\nArchitecture: %s\nNotAutomatic: false\n",
		component, r.settings[settingOrigin], r.settings[settingLabel], r.arch)
}

package alpine

import (
	"archive/tar"
	"bufio"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"

	"entrepot/protocols"
	"entrepot/registry"
)

// The bounds of what is read of a package. The files it installs are not
// looked into at all.
const (
	// maxControl is how many bytes a member before the data may unpack to,
	// maxEntries how many files it may hold.
	maxControl = 16 << 20
	maxEntries = 10_000
	// maxInfo is the longest .PKGINFO.
	maxInfo = 1 << 20
	// maxSignatures is how many members of signatures there may be.
	maxSignatures = 10
)

// badPackage refuses an uploaded package.
func badPackage(format string, args ...any) error {
	return registry.FieldErrorf("file", "this is not a package of apk's: "+format, args...)
}

// pack is what an uploaded package says of itself.
type pack struct {
	identity
	arch string
	info protocols.Pkginfo
	// sum is how apk knows the package: Q1 and the SHA-1 of the compressed
	// member with its description, in base64.
	sum string
}

// readPack reads a package: gzip members one after the other, of which the
// first may hold signatures, the next the description and scripts, and the
// last what is installed (apk-package(5), format 2). Errors: Invalid for
// anything that is no package or beyond the bounds above; errors of r as they
// are.
func readPack(r io.ReadSeeker) (*pack, error) {
	source := protocols.NewSource(r)
	body := &counter{r: bufio.NewReaderSize(source, 64<<10)}
	if err := checkMagic(body.r); err != nil {
		return nil, source.Or(err)
	}
	var start int64
	var info []byte
	for n := 0; info == nil; n++ {
		if n > maxSignatures {
			return nil, badPackage("it has more than %d members with signatures", maxSignatures)
		}
		start = body.n
		var err error
		if info, err = readMember(body); err != nil {
			return nil, source.Or(err)
		}
	}
	end := body.n
	if magic, _ := body.r.Peek(2); len(magic) > 0 && string(magic) != gzipMagic {
		return nil, source.Or(badPackage("what follows its description is no gzip member"))
	}
	data := sha256.New()
	length, err := io.Copy(data, body)
	if err != nil {
		return nil, err
	}
	if length == 0 {
		return nil, badPackage("it has no member with what is installed")
	}
	p, err := parsePack(info)
	if err != nil {
		return nil, err
	}
	if want := p.info.One("datahash"); want != "" && want != hex.EncodeToString(data.Sum(nil)) {
		return nil, registry.FieldErrorf("datahash", "what is installed has another SHA-256 than datahash says: the package is damaged")
	}
	if _, err := r.Seek(start, io.SeekStart); err != nil {
		return nil, err
	}
	control := sha1.New()
	if _, err := io.CopyN(control, r, end-start); err != nil {
		return nil, err
	}
	p.sum = "Q1" + base64.StdEncoding.EncodeToString(control.Sum(nil))
	return p, nil
}

const gzipMagic = "\x1f\x8b"

// checkMagic tells what is no package from its first bytes.
func checkMagic(r *bufio.Reader) error {
	magic, err := r.Peek(3)
	switch {
	case len(magic) == 0 && errors.Is(err, io.EOF):
		return badPackage("the body is empty")
	case strings.HasPrefix(string(magic), "ADB"):
		return badPackage("packages of apk's format 3 are not served yet; build it in format 2")
	case !strings.HasPrefix(string(magic), gzipMagic):
		return badPackage("want gzip members")
	}
	return nil
}

// counter counts the bytes that were read. It hands out single bytes, so that
// a decompressor takes no more than is its own.
type counter struct {
	r *bufio.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *counter) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

// signaturePrefix begins the names of files that are signatures.
const signaturePrefix = ".SIGN."

// readMember reads a member to its end, and returns the description in it, or
// nil for one that holds signatures.
func readMember(body *counter) ([]byte, error) {
	z, err := gzip.NewReader(body)
	if err != nil {
		return nil, badPackage("it has no member with %s", protocols.PkginfoFile)
	}
	defer z.Close()
	z.Multistream(false)
	unpacked := protocols.LimitUnpacked(z, maxControl)
	archive := tar.NewReader(unpacked)
	var info []byte
	signatures, n := 0, 0
	for ; ; n++ {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, badPackage("a member cannot be read: %v", err)
		}
		if n == maxEntries {
			return nil, badPackage("a member before the data has more than %d files", maxEntries)
		}
		if strings.HasPrefix(h.Name, signaturePrefix) {
			signatures++
		}
		if h.Name != protocols.PkginfoFile {
			continue
		}
		if info != nil {
			return nil, badPackage("it has two of %s", protocols.PkginfoFile)
		}
		if h.Typeflag != tar.TypeReg || h.Size > maxInfo {
			return nil, badPackage("%s is no file of at most %d bytes", protocols.PkginfoFile, maxInfo)
		}
		if info, err = protocols.ReadLimited(archive, maxInfo); err != nil {
			return nil, badPackage("%s cannot be read: %v", protocols.PkginfoFile, err)
		}
		if info == nil {
			info = []byte{}
		}
	}
	// To the end of the member, which lies behind that of the archive.
	if _, err := io.Copy(io.Discard, unpacked); err != nil {
		return nil, badPackage("a member cannot be read: %v", err)
	}
	if info == nil && (n == 0 || signatures != n) {
		return nil, badPackage("it has no %s", protocols.PkginfoFile)
	}
	return info, nil
}

// parsePack reads a description and what of it tells packages apart.
func parsePack(text []byte) (*pack, error) {
	info, err := protocols.ParsePkginfo(text)
	if err != nil {
		return nil, err
	}
	var told [3]string
	for i, key := range []string{"pkgname", "pkgver", "arch"} {
		if told[i], err = info.Only(key); err != nil {
			return nil, err
		}
	}
	id, err := parseIdentity(told[0], told[1])
	if err != nil {
		return nil, err
	}
	return &pack{identity: id, arch: told[2], info: info}, checkArch(told[2])
}

package swift

import (
	"bytes"
	"cmp"
	"crypto/x509"

	"github.com/smallstep/pkcs7"
)

const (
	// maxSignature bounds a signature, in bytes: it is sent in a header, too.
	maxSignature = 32 << 10
	// signatureFormat is the one format there is (SE-0391).
	signatureFormat = "cms-1.0.0"
)

// signerOf tells who signed, as the signature says: whether that is true, and
// to be trusted, is for the clients to find out. Error: an unprocessable one
// for what is no signature of the format.
func signerOf(field string, signature []byte) (string, error) {
	cms, err := pkcs7.Parse(signature)
	if err != nil || len(cms.Signers) == 0 {
		return "", unprocessable(field, "the %s is no signed CMS message", field)
	}
	for _, s := range cms.Signers {
		for _, c := range cms.Certificates {
			id := s.IssuerAndSerialNumber
			if id.SerialNumber != nil && c.SerialNumber.Cmp(id.SerialNumber) == 0 && bytes.Equal(c.RawIssuer, id.IssuerName.FullBytes) {
				return nameOf(c), nil
			}
		}
	}
	return "unknown", nil
}

// nameOf is the name in a certificate.
func nameOf(c *x509.Certificate) string {
	return line(cmp.Or(c.Subject.CommonName, c.Subject.String(), "unknown"))
}

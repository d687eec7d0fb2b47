package rpm

import (
	"bytes"

	"entrepot/protocols/internal/rpmfile"
)

// Fragment is what is kept of a package for indexes.
func Fragment(body []byte) ([]byte, error) {
	h, err := rpmfile.ReadHead(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	p, err := rpmfile.Parse(h)
	if err != nil {
		return nil, err
	}
	return fragment(p), nil
}

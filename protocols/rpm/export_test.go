package rpm

import "bytes"

// Fragment is what is kept of a package for indexes.
func Fragment(body []byte) ([]byte, error) {
	h, err := readHead(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	p, err := parsePack(h)
	if err != nil {
		return nil, err
	}
	return p.fragment(), nil
}

package alt

import (
	"bytes"
	"strings"

	"entrepot/ent"
	"entrepot/protocols/internal/rpmfile"
	"entrepot/registry"
)

// Fragment is what is kept of a package for lists, and its file name.
func Fragment(body []byte) (kept []byte, file string, err error) {
	h, err := rpmfile.ReadHead(bytes.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	p, err := rpmfile.Parse(h)
	if err != nil {
		return nil, "", err
	}
	tags, err := tagsOf(h.Main())
	if err != nil {
		return nil, "", err
	}
	file = fileName(p.Identity)
	return fragment(tags, file, stored{int64(len(body)), strings.Repeat("0", 32), strings.Repeat("0", 128)}), file, nil
}

// Listed is what a list has of a package.
func Listed(kept []byte) ([]byte, error) {
	return render(registry.IndexedFile{File: &ent.PackageFile{Fragment: kept}}, registry.Placement{}, "")
}

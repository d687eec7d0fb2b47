package arch

import (
	"entrepot/protocols"
	"entrepot/registry"
)

// parseInfo reads the description in a package, and what of it tells packages
// apart.
func parseInfo(text []byte) (protocols.Pkginfo, identity, error) {
	info, err := protocols.ParsePkginfo(text)
	if err != nil {
		return nil, identity{}, err
	}
	for key, values := range info {
		for _, v := range values {
			// pacman would take it for the heading of another value.
			if v[0] == '%' && v[len(v)-1] == '%' {
				return nil, identity{}, registry.FieldErrorf(key, "%.80s: %.80q cannot be a value", key, v)
			}
		}
	}
	var told [3]string
	for i, key := range []string{"pkgname", "pkgver", "arch"} {
		if told[i], err = info.Only(key); err != nil {
			return nil, identity{}, err
		}
	}
	id, err := parseIdentity(told[0], told[1], told[2])
	return info, id, err
}

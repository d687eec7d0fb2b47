package arch

import (
	"net/http"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// databaseObject tells which database or signature a file name asks for. What
// stands before the ending is the name of the section in pacman.conf, which
// people choose.
func databaseObject(file string) (object string, ok bool) {
	name, signed := strings.CutSuffix(file, signatureEnding)
	name = strings.TrimSuffix(name, ".tar.gz")
	section, kind, ok := cutLast(name, ".")
	if !ok || section == "" || kind != database && kind != fileDatabase {
		return "", false
	}
	if signed {
		kind += signatureEnding
	}
	return kind, true
}

// serveDatabase serves a database or its signature. An architecture of which
// the group has no package gets what runs on every one.
func serveDatabase(w http.ResponseWriter, r *protocols.Request, group, arch, object string) error {
	role := protocols.IndexEntry
	if strings.HasSuffix(object, signatureEnding) {
		role = protocols.IndexSecondary
	}
	err := protocols.ServeIndex(w, r, registry.IndexName{Family: group, Member: arch}, object, role)
	if registry.CodeOf(err) == registry.NotFound {
		err = protocols.ServeIndex(w, r, registry.IndexName{Family: group, Member: registry.EveryMember}, object, role)
	}
	return err
}

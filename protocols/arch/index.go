package arch

import (
	"bytes"
	"context"
	"strings"

	"entrepot/registry"
)

// The databases of a group and an architecture: that which pacman -Sy reads,
// and that with the names of all files, for pacman -Fy alone. Streams and
// objects have these names.
const (
	database     = "db"
	fileDatabase = "files"
	// signatureEnding makes of a file's name that of its signature.
	signatureEnding = ".sig"
)

const (
	databaseType  = "application/gzip"
	signatureType = "application/pgp-signature"
)

// placeFile lists a package in both databases of its architecture, or of
// every one. Where a name is there for both, the greater version counts, and
// of equals the one built for the machine.
func placeFile(f registry.IndexedFile) ([]registry.Placement, error) {
	at, err := placeOf(f.File.CompositeKey)
	if err != nil {
		return nil, err
	}
	member, own := at.arch, " 1" // a blank sorts before what continues a key
	if at.arch == everyArch {
		member, own = registry.EveryMember, " 0"
	}
	p := registry.Placement{Family: at.group, Member: member, Name: f.Package.Name, Rank: f.Version.SortKey + own}
	places := make([]registry.Placement, 2)
	for i, stream := range []string{database, fileDatabase} {
		places[i] = p
		places[i].Stream = stream
	}
	return places, nil
}

// renderEntry is a package's part of the archive that a database is.
func renderEntry(f registry.IndexedFile, p registry.Placement, _ string) ([]byte, error) {
	at, err := placeOf(f.File.CompositeKey)
	if err != nil {
		return nil, err
	}
	k, err := keptOf(f.File)
	if err != nil {
		return nil, err
	}
	id := identity{f.Package.Name, f.Version.Version, at.arch}
	folder := id.name + "-" + id.version + "/"
	var entry bytes.Buffer
	if err := appendFile(&entry, folder+"desc", k.description(id, f.File, f.Blob)); err != nil {
		return nil, err
	}
	if p.Stream == fileDatabase {
		names, err := k.fileList()
		if err != nil {
			return nil, err
		}
		if err := appendFile(&entry, folder+"files", append([]byte("%FILES%\n"), names...)); err != nil {
			return nil, err
		}
	}
	return entry.Bytes(), nil
}

// endOfArchive is how a tar archive ends.
var endOfArchive = strings.Repeat("\x00", 1024)

// compose writes the databases and a signature for each. One signature: pacman
// believes a file only when it knows all keys that signed it. What lists
// nothing is not there at all.
func compose(ctx context.Context, b *registry.IndexBuild) error {
	for _, name := range []string{database, fileDatabase} {
		text := b.Text(name)
		if text.Entries == 0 {
			continue
		}
		packed := text.Wrap("", endOfArchive).Gzip()
		if _, err := b.Add(ctx, name, databaseType, packed); err != nil {
			return err
		}
		signature, err := b.DetachedByCurrent(b.Open(ctx, packed), false)
		if err != nil {
			return err
		}
		if _, err := b.AddBytes(ctx, name+signatureEnding, signatureType, signature); err != nil {
			return err
		}
	}
	return nil
}

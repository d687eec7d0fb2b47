package alt

import (
	"context"
	"crypto/md5"

	"entrepot/ent"
	"entrepot/protocols/internal/rpmfile"
	"entrepot/registry"
)

// The files of an architecture, in its folder base. Lists are streams and
// objects of these names. A client fetches the compressed form alone, and
// holds what it unpacks against the digest of the plain one.
const (
	releaseFile   = "release"
	componentFile = "release." + component
	binaryList    = "pkglist." + component
	sourceList    = "srclist." + component
	xzEnding      = ".xz"

	textType = "text/plain; charset=utf-8"
	listType = "application/octet-stream"
	xzType   = "application/x-xz"
)

// listOf is the list of an architecture.
func listOf(arch string) string {
	if arch == rpmfile.SourceArch {
		return sourceList
	}
	return binaryList
}

// placeFile lists a package in its architecture. One for every architecture
// is in one of that name, which machines have a line for.
func placeFile(f registry.IndexedFile) ([]registry.Placement, error) {
	arch := rpmfile.ArchOf(f.File.Name)
	return []registry.Placement{{Family: f.File.CompositeKey, Member: arch, Stream: listOf(arch)}}, nil
}

// streamForm compresses more at once: headers are long and much alike.
func streamForm(string) registry.StreamForm { return registry.StreamForm{Chunk: 1 << 20} }

// The labels of an architecture, which stay: clients pin packages by them.
const (
	settingOrigin = "origin"
	settingLabel  = "label"
)

// freeze gives a new architecture its labels.
func freeze(o *ent.Owner, group, _ string) map[string]string {
	label := o.Name
	if group != "" {
		label += " " + group
	}
	return map[string]string{settingOrigin: o.Name, settingLabel: label}
}

// compose writes the files of an architecture: its list, plain and compressed,
// a file about its component, and the release, which names the three and is
// signed.
func compose(ctx context.Context, b *registry.IndexBuild) error {
	release := release{arch: b.Name.Member, settings: b.Settings, date: b.Modified}
	add := func(name, contentType string, r registry.Recipe) error {
		added, sums, err := b.AddSummed(ctx, name, contentType, r, md5.New, newBLAKE2b)
		if err != nil {
			return err
		}
		release.files = append(release.files, listedFile{path: indexFolder + "/" + name, size: added.Size, md5: sums[0], blake2b: sums[1]})
		return nil
	}
	list := listOf(b.Name.Member)
	plain := b.Text(list).Wrap("", "").Plain()
	packed, err := b.Encode(ctx, plain, registry.XZ)
	if err != nil {
		return err
	}
	if err := add(list, listType, plain); err != nil {
		return err
	}
	if err := add(list+xzEnding, xzType, packed); err != nil {
		return err
	}
	if err := add(componentFile, textType, registry.Recipe{}.Literal(release.component())); err != nil {
		return err
	}
	signed, err := release.sign(b)
	if err != nil {
		return err
	}
	_, err = b.AddBytes(ctx, releaseFile, textType, signed)
	return err
}

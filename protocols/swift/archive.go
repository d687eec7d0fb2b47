package swift

import (
	"archive/zip"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"entrepot/protocols"
)

// The bounds of a source archive.
const (
	maxEntries  = 100_000
	maxInflated = 4 << 30
	// maxLink is the longest target of a symbolic link, in bytes.
	maxLink = 4096
)

func badArchive(format string, args ...any) error {
	return unprocessable("source-archive", "the source archive is no good: "+format, args...)
}

// inspect reads what a source archive says of its package: the manifests at its
// top, or in the one folder that is there, which the client takes off. Errors:
// unprocessable ones, TooLarge, and those of the content as they are.
func inspect(content io.ReadSeeker, size int64) ([]manifest, error) {
	z, err := protocols.OpenZip(content, size)
	if err != nil {
		return nil, asUnprocessable(err)
	}
	if len(z.File) > maxEntries {
		return nil, badArchive("it has more than %d entries", maxEntries)
	}
	inflated := uint64(0)
	for _, f := range z.File {
		if inflated += f.UncompressedSize64; f.UncompressedSize64 > maxInflated || inflated > maxInflated {
			return nil, badArchive("it unpacks to more than %d GiB", maxInflated>>30)
		}
		if err := checkEntry(z, f); err != nil {
			return nil, err
		}
	}
	return readManifests(z, topOf(z.File))
}

// checkEntry refuses what would be unpacked to a place outside.
func checkEntry(z *protocols.ZipArchive, f *zip.File) error {
	if !isInside(f.Name) {
		return badArchive("its entry %.200q does not lie within it", f.Name)
	}
	if f.Mode()&fs.ModeSymlink == 0 {
		return nil
	}
	target, err := z.ReadFile(f, maxLink)
	if err != nil {
		return asUnprocessable(err)
	}
	link := string(target)
	if path.IsAbs(link) || strings.ContainsAny(link, "\\\x00") || !isInside(path.Join(path.Dir(path.Clean(f.Name)), link)) {
		return badArchive("its link %.200q leads out of it", f.Name)
	}
	return nil
}

// isInside tells whether a path leads to a place below the top, or the top.
func isInside(name string) bool {
	if name == "" || path.IsAbs(name) || strings.ContainsAny(name, "\\\x00") || len(name) > 1 && name[1] == ':' {
		return false
	}
	for segment := range strings.SplitSeq(name, "/") {
		if segment == ".." {
			return false
		}
	}
	return true
}

// topOf is the folder, with its slash, in which the package is: none if there
// is a manifest at the top, or several things.
func topOf(files []*zip.File) string {
	top := ""
	for _, f := range files {
		first, _, nested := strings.Cut(f.Name, "/")
		switch {
		case first == "__MACOSX" || first == ".DS_Store":
			continue // what macOS adds to archives
		case !nested, top != "" && top != first+"/":
			return ""
		}
		top = first + "/"
	}
	return top
}

// readManifests reads the manifests in a folder.
func readManifests(z *protocols.ZipArchive, folder string) ([]manifest, error) {
	var all []manifest
	for _, f := range z.File {
		name, ok := strings.CutPrefix(f.Name, folder)
		if !ok || name != manifestName && !alternatePattern.MatchString(name) {
			continue
		}
		if !f.Mode().IsRegular() {
			return nil, badArchive("its %s is no file", name)
		}
		if f.UncompressedSize64 > maxManifest {
			return nil, badArchive("its %s is larger than %d KiB", name, maxManifest>>10)
		}
		if len(all) == maxManifests {
			return nil, badArchive("it has more than %d manifests", maxManifests)
		}
		content, err := z.ReadFile(f, maxManifest)
		if err != nil {
			return nil, asUnprocessable(err)
		}
		m, err := newManifest(name, content)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	sortManifests(all)
	if len(all) == 0 || all[0].Swift != "" {
		return nil, badArchive("there is no %s at its top or in its one folder", manifestName)
	}
	for i := 1; i < len(all); i++ {
		before, m := all[i-1], all[i]
		if m.Swift == "" || before.Swift != "" && compareSwift(before.Swift, m.Swift) == 0 {
			return nil, badArchive("it has two manifests for the same Swift: %s and %s", before.fileName(), m.fileName())
		}
	}
	return all, nil
}

// archiveName is the name under which a source archive is saved.
func archiveName(id identifier, version string) string {
	return fmt.Sprintf("%s-%s%s", id.name, version, zipSuffix)
}

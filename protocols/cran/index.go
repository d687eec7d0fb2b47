package cran

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"entrepot/registry"
)

// The texts of an index: the records of the packages, and of the sources a
// line for each file that there is, for the archive.
const (
	packagesStream = "PACKAGES"
	filesStream    = "files"
)

// placeFile lists a package in the index of its kind. A version that needs
// another R than the highest is listed beside it: R leaves out what its own
// version cannot have, and takes the highest of the rest.
func placeFile(f registry.IndexedFile) ([]registry.Placement, error) {
	k := kindOf(f.File.CompositeKey)
	at := k.index()
	place := registry.Placement{
		Family: at.Family, Member: at.Member, Stream: packagesStream, Rank: f.Version.SortKey,
		Name: f.Package.NormalizedName + " " + requiredR(string(f.File.Fragment)),
		Sort: f.Package.Name + "\x01" + f.Version.SortKey,
	}
	if !k.isSource() {
		return []registry.Placement{place}, nil
	}
	file := place
	file.Stream = filesStream
	return []registry.Placement{place, file}, nil
}

// streamForm keeps the highest version of each name, and puts an empty line
// between records.
func streamForm(name string) registry.StreamForm {
	if name != packagesStream {
		return registry.StreamForm{}
	}
	return registry.StreamForm{Newest: true, Join: func(before, after *string) string {
		if before == nil || after == nil {
			return ""
		}
		return "\n"
	}}
}

// render is a package's record, or its line in the list of files.
func render(f registry.IndexedFile, p registry.Placement, _ string) ([]byte, error) {
	if p.Stream == filesStream {
		return fmt.Appendf(nil, "%s\t%d\t%d\n", f.File.Name, f.Blob.Size, f.File.CreatedAt.Unix()), nil
	}
	if !strings.HasSuffix(string(f.File.Fragment), "\n") {
		return nil, errors.New("the record of the package is not there")
	}
	return f.File.Fragment, nil
}

// The media types of what an index has.
const (
	textType = "text/plain; charset=utf-8"
	gzipType = "application/x-gzip"
	rdsType  = "application/octet-stream"
	zipType  = "application/zip"
)

// mediaType is that of a package's file.
func (k kind) mediaType() string {
	if k.ending() == ".zip" {
		return zipType
	}
	return gzipType
}

const gzipEnding = ".gz"

// compose writes PACKAGES, plain and compressed, and the list of files.
func compose(ctx context.Context, b *registry.IndexBuild) error {
	whole := b.Text(packagesStream).Wrap("", "")
	if _, err := b.Add(ctx, packagesStream, textType, whole.Plain()); err != nil {
		return err
	}
	if _, err := b.Add(ctx, packagesStream+gzipEnding, gzipType, whole.Gzip()); err != nil {
		return err
	}
	if b.Name.Family != (kind{}).index().Family {
		return nil
	}
	_, err := b.Add(ctx, filesStream, textType, b.Text(filesStream).Wrap("", "").Plain())
	return err
}

package cargo

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// metadata is what is kept of a version beside the facts all types share.
type metadata struct {
	Documentation string              `json:"documentation,omitempty"`
	Categories    []string            `json:"categories,omitempty"`
	LicenseFile   string              `json:"licenseFile,omitempty"`
	Links         string              `json:"links,omitempty"`
	RustVersion   string              `json:"rustVersion,omitempty"`
	Edition       string              `json:"edition,omitempty"`
	Features      map[string][]string `json:"features,omitempty"`
	Size          int64               `json:"size"`
	FileCount     int                 `json:"fileCount"`
	UnpackedSize  int64               `json:"unpackedSize"`
}

func newMetadata(u *upload, size int64, a archive) metadata {
	md := metadata{
		Documentation: u.Documentation, Categories: u.Categories, LicenseFile: u.LicenseFile,
		RustVersion: u.RustVersion, Edition: a.manifest.edition(), Features: u.Features,
		Size: size, FileCount: a.files, UnpackedSize: a.unpackedSize,
	}
	if u.Links != nil {
		md.Links = *u.Links
	}
	return md
}

// facts are what a version's page shows beside the facts all types share.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	md, err := protocols.Metadata[metadata](v)
	if err != nil {
		return nil, err
	}
	var all protocols.Facts
	all.Add("rust-version", "Oldest Rust", md.RustVersion)
	all.Add("edition", "Edition", md.Edition)
	all.Add("documentation", "Documentation", md.Documentation)
	all.Add("categories", "Categories", strings.Join(md.Categories, ", "))
	if v.License == "" {
		all.Add("license-file", "License file", md.LicenseFile)
	}
	all.Add("links", "Links to", md.Links)
	if md.FileCount > 0 {
		all.Add("unpacked", "Unpacked", fmt.Sprintf("%s in %s", sizeText(md.UnpackedSize), counted(md.FileCount, "file")))
	}
	if len(md.Features) > 0 {
		table := registry.Fact{Name: "features", Title: "Features", Columns: []string{"Feature", "Turns on"}}
		for _, name := range slices.Sorted(maps.Keys(md.Features)) {
			table.Rows = append(table.Rows, []string{name, strings.Join(md.Features[name], ", ")})
		}
		all = append(all, table)
	}
	return all, nil
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// sizeText is a size in binary units.
func sizeText(n int64) string {
	if n < 1<<10 {
		return counted(int(n), "byte")
	}
	size, unit := float64(n)/(1<<10), 0
	for size >= 1024 && unit < len(units)-1 {
		size /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %s", size, units[unit])
}

var units = []string{"KiB", "MiB", "GiB"}

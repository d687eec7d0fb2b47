package rpmfile

import (
	"math"
	"slices"
	"strings"

	"entrepot/protocols"
)

// The bounds of what an index says of a package.
const (
	maxText      = 1 << 20
	maxRelations = 65_536
	maxPaths     = 32 << 20 // bytes of the paths of all files
	// changesListed is how many changes an index has of a package, each cut
	// to maxChange bytes.
	changesListed = 10
	maxChange     = 64 << 10
)

// Package is what a package says of itself. Texts are clean: see CleanText.
type Package struct {
	Identity
	Summary, Description, License, URL, Vendor, Packager, Group, BuildHost, SourceRPM string

	// BuildTime is in seconds since 1970, Installed and Archive are sizes in
	// bytes.
	BuildTime, Installed, Archive uint64
	// HeaderStart and HeaderEnd are where the main header stands in the file.
	HeaderStart, HeaderEnd int64

	Relations [][]Relation // by RelationKinds
	Files     []File
	Changes   []Change // the newest few, oldest first
}

// Relation is another package, and which versions of it.
type Relation struct {
	// Flags compares versions: LT, LE, EQ, GE, GT, or "" for any version.
	Name, Flags             string
	Epoch, Version, Release string
	Before                  bool // needed while a package is being installed
}

// File is a file that a package installs.
type File struct {
	Path string
	Kind string // "dir", "ghost" or ""
}

// Change is an entry of a changelog. Date is in seconds since 1970.
type Change struct {
	Author, Text string
	Date         uint64
}

// Parse reads a package's header. Error: Invalid.
func Parse(h *Head) (*Package, error) {
	f := &fields{h: h.main}
	if f.text(tagPayloadFormat) == "drpm" {
		return nil, badPackage("delta packages are not served")
	}
	text := func(tag int) string {
		t := CleanText(f.text(tag))
		if len(t) > maxText {
			f.note(badPackage("the tag %d is a text of %d bytes; at most %d are read", tag, len(t), maxText))
		}
		return t
	}
	p := &Package{
		Identity: Identity{
			Name: f.text(tagName), Epoch: f.number(tagEpoch), Version: f.text(tagVersion), Release: f.text(tagRelease), Arch: f.text(tagArch),
		},
		Summary: text(tagSummary), Description: text(tagDescription), License: text(tagLicense), URL: text(tagURL), Vendor: text(tagVendor),
		Packager: text(tagPackager), Group: text(tagGroup), BuildHost: text(tagBuildHost), SourceRPM: text(tagSourceRPM),
		BuildTime: f.number(tagBuildTime), Installed: f.number(tagLongSize, tagSize),
	}
	signature := &fields{h: h.signature}
	p.Archive = signature.number(sigLongArchive, sigArchiveSize)
	f.note(signature.err)
	if p.Archive == 0 {
		p.Archive = f.number(tagArchiveSize)
	}
	if p.Epoch > math.MaxUint32 {
		f.note(badPackage("its epoch is %d", p.Epoch))
	}
	// The architecture of a source package is that of the machine it was made on.
	if p.SourceRPM == "" || f.number(tagSourcePackage) == 1 {
		p.Arch = SourceArch
	}
	start, size := h.MainRange()
	p.HeaderStart, p.HeaderEnd = start, start+size
	for _, kind := range RelationKinds {
		p.Relations = append(p.Relations, relationsOf(f, kind))
	}
	p.Files, p.Changes = filesOf(f), changesOf(f)
	if f.err != nil {
		return nil, f.err
	}
	p.dropOwn()
	return p, p.Identity.Check()
}

// dropOwn leaves out what a package requires and has itself, in the very same
// words: no client needs to look for it.
func (p *Package) dropOwn() {
	has := make(map[Relation]bool, len(p.Relations[provided]))
	for _, r := range p.Relations[provided] {
		has[r] = true
	}
	for _, f := range p.Files {
		if f.IsPrimary() {
			has[Relation{Name: f.Path}] = true
		}
	}
	p.Relations[required] = slices.DeleteFunc(p.Relations[required], func(r Relation) bool {
		r.Before = false
		return has[r]
	})
}

// relationsOf lists relations of a kind, each once. Those to features of rpm
// itself are not for others to solve.
func relationsOf(f *fields, kind RelationKind) []Relation {
	names, flags, versions := f.texts(kind.names), f.numbers(kind.flags), f.texts(kind.versions)
	if len(names) > maxRelations {
		f.note(badPackage("it %s %d packages; at most %d are read", kind.Element, len(names), maxRelations))
		return nil
	}
	if len(names) == 0 {
		return nil
	}
	if flags == nil && versions == nil { // very old packages
		flags, versions = make([]uint64, len(names)), make([]string, len(names))
	}
	f.same(kind.Element, len(names), len(flags), len(versions))
	if f.err != nil {
		return nil
	}
	all := make([]Relation, 0, len(names))
	seen := make(map[Relation]bool, len(names))
	for i, name := range names {
		if strings.HasPrefix(name, "rpmlib(") {
			continue
		}
		r := Relation{Name: CleanText(name), Before: kind.Element == "requires" && flags[i]&flagsBefore != 0}
		if r.Flags = comparison(flags[i]); r.Flags != "" && versions[i] != "" {
			r.Epoch, r.Version, r.Release = splitVersion(CleanText(versions[i]))
		} else {
			r.Flags = ""
		}
		if !seen[r] {
			seen[r] = true
			all = append(all, r)
		}
	}
	return all
}

// comparison is how a version is compared, "" if it is not.
func comparison(flags uint64) string {
	switch flags & flagsCompare {
	case flagLess:
		return "LT"
	case flagGreater:
		return "GT"
	case flagEqual:
		return "EQ"
	case flagLess | flagEqual:
		return "LE"
	case flagGreater | flagEqual:
		return "GE"
	}
	return ""
}

// splitVersion takes [epoch:]version[-release] apart. Clients put the parts
// together again.
func splitVersion(text string) (epoch, version, release string) {
	epoch, version, hasEpoch := strings.Cut(text, ":")
	if !hasEpoch {
		epoch, version = "0", text
	}
	if i := strings.LastIndexByte(version, '-'); i >= 0 {
		version, release = version[:i], version[i+1:]
	}
	return epoch, version, release
}

// filesOf lists the files a package installs.
func filesOf(f *fields) []File {
	names, folders, in := f.texts(tagBaseNames), f.texts(tagDirNames), f.numbers(tagDirIndexes)
	if names == nil {
		names, folders, in = f.texts(tagOldFileNames), []string{""}, nil // before rpm 4
		in = make([]uint64, len(names))
	}
	modes, flags := f.numbers(tagFileModes), f.numbers(tagFileFlags)
	f.same("files", len(names), len(in))
	if modes != nil && flags != nil {
		f.same("files", len(names), len(modes), len(flags))
	}
	if f.err != nil {
		return nil
	}
	files := make([]File, len(names))
	size := 0
	for i, name := range names {
		if in[i] >= uint64(len(folders)) {
			f.note(badPackage("a file of it lies in a folder that it does not have"))
			return nil
		}
		folder := folders[in[i]]
		if size += len(folder) + len(name); size > maxPaths {
			f.note(badPackage("the paths of its files are longer than %d bytes together", maxPaths))
			return nil
		}
		files[i].Path = CleanText(folder + name)
		switch {
		case modes != nil && modes[i]&modeKind == modeDir:
			files[i].Kind = "dir"
		case flags != nil && flags[i]&fileGhost != 0:
			files[i].Kind = "ghost"
		}
	}
	return files
}

// IsPrimary tells whether a file is listed where clients look first. What
// packages require by path is one of these, all but always.
func (f File) IsPrimary() bool {
	return strings.HasPrefix(f.Path, "/etc/") || strings.Contains(f.Path, "bin/") || f.Path == "/usr/lib/sendmail"
}

// changesOf lists the newest changes. A header has them newest first.
func changesOf(f *fields) []Change {
	authors, texts, dates := f.texts(tagChangeName), f.texts(tagChangeText), f.numbers(tagChangeTime)
	f.same("changes", len(authors), len(texts), len(dates))
	if f.err != nil {
		return nil
	}
	changes := make([]Change, min(len(authors), changesListed))
	for i := range changes {
		changes[i] = Change{
			protocols.CutText(CleanText(authors[i]), maxChange), protocols.CutText(CleanText(texts[i]), maxChange), dates[i],
		}
	}
	slices.Reverse(changes)
	return changes
}

// requirement is a relation's version as people write it: ">= 1:2.0-3".
func (r Relation) requirement() string {
	if r.Flags == "" {
		return ""
	}
	v := r.Version
	if r.Epoch != "0" {
		v = r.Epoch + ":" + v
	}
	if r.Release != "" {
		v += "-" + r.Release
	}
	return map[string]string{"LT": "<", "GT": ">", "EQ": "=", "LE": "<=", "GE": ">="}[r.Flags] + " " + v
}

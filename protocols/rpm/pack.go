package rpm

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

// pack is what an uploaded package says of itself.
type pack struct {
	identity
	summary, description, license, url, vendor, packager, packGroup, buildHost, sourceRPM string

	buildTime, installed, archive uint64
	headerStart, headerEnd        int64

	relations [][]relation // by relationKinds
	files     []file
	changes   []change // oldest first
}

// relation is another package, and which versions of it.
type relation struct {
	name, flags             string
	epoch, version, release string
	before                  bool // needed while a package is being installed
}

// file is a file that a package installs.
type file struct {
	path string
	kind string // "dir", "ghost" or ""
}

// change is an entry of a changelog.
type change struct {
	author, text string
	date         uint64
}

// parsePack reads a package's header. Error: Invalid.
func parsePack(h *head) (*pack, error) {
	f := &fields{h: h.main}
	if f.text(tagPayloadFormat) == "drpm" {
		return nil, badPackage("delta packages are not served")
	}
	text := func(tag int) string {
		t := cleanText(f.text(tag))
		if len(t) > maxText {
			f.note(badPackage("the tag %d is a text of %d bytes; at most %d are read", tag, len(t), maxText))
		}
		return t
	}
	p := &pack{
		identity: identity{
			name: f.text(tagName), epoch: f.number(tagEpoch), version: f.text(tagVersion), release: f.text(tagRelease), arch: f.text(tagArch),
		},
		summary: text(tagSummary), description: text(tagDescription), license: text(tagLicense), url: text(tagURL), vendor: text(tagVendor),
		packager: text(tagPackager), packGroup: text(tagGroup), buildHost: text(tagBuildHost), sourceRPM: text(tagSourceRPM),
		buildTime: f.number(tagBuildTime), installed: f.number(tagLongSize, tagSize),
	}
	signature := &fields{h: h.signature}
	p.archive = signature.number(sigLongArchive, sigArchiveSize)
	f.note(signature.err)
	if p.archive == 0 {
		p.archive = f.number(tagArchiveSize)
	}
	if p.epoch > math.MaxUint32 {
		f.note(badPackage("its epoch is %d", p.epoch))
	}
	// The architecture of a source package is that of the machine it was made on.
	if p.sourceRPM == "" || f.number(tagSourcePackage) == 1 {
		p.arch = sourceArch
	}
	start, size := h.mainRange()
	p.headerStart, p.headerEnd = start, start+size
	for _, kind := range relationKinds {
		p.relations = append(p.relations, relationsOf(f, kind))
	}
	p.files, p.changes = filesOf(f), changesOf(f)
	if f.err != nil {
		return nil, f.err
	}
	p.dropOwn()
	return p, p.identity.check()
}

// dropOwn leaves out what a package requires and has itself, in the very same
// words: no client needs to look for it.
func (p *pack) dropOwn() {
	has := make(map[relation]bool, len(p.relations[provided]))
	for _, r := range p.relations[provided] {
		has[r] = true
	}
	for _, f := range p.files {
		if f.isPrimary() {
			has[relation{name: f.path}] = true
		}
	}
	p.relations[required] = slices.DeleteFunc(p.relations[required], func(r relation) bool {
		r.before = false
		return has[r]
	})
}

// relationsOf lists relations of a kind, each once. Those to features of rpm
// itself are not for others to solve.
func relationsOf(f *fields, kind relationTags) []relation {
	names, flags, versions := f.texts(kind.names), f.numbers(kind.flags), f.texts(kind.versions)
	if len(names) > maxRelations {
		f.note(badPackage("it %s %d packages; at most %d are read", kind.element, len(names), maxRelations))
		return nil
	}
	if len(names) == 0 {
		return nil
	}
	if flags == nil && versions == nil { // very old packages
		flags, versions = make([]uint64, len(names)), make([]string, len(names))
	}
	f.same(kind.element, len(names), len(flags), len(versions))
	if f.err != nil {
		return nil
	}
	all := make([]relation, 0, len(names))
	seen := make(map[relation]bool, len(names))
	for i, name := range names {
		if strings.HasPrefix(name, "rpmlib(") {
			continue
		}
		r := relation{name: cleanText(name), before: kind.element == "requires" && flags[i]&flagsBefore != 0}
		if r.flags = comparison(flags[i]); r.flags != "" && versions[i] != "" {
			r.epoch, r.version, r.release = splitVersion(cleanText(versions[i]))
		} else {
			r.flags = ""
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
func filesOf(f *fields) []file {
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
	files := make([]file, len(names))
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
		files[i].path = cleanText(folder + name)
		switch {
		case modes != nil && modes[i]&modeKind == modeDir:
			files[i].kind = "dir"
		case flags != nil && flags[i]&fileGhost != 0:
			files[i].kind = "ghost"
		}
	}
	return files
}

// isPrimary tells whether a file is listed where clients look first. What
// packages require by path is one of these, all but always.
func (f file) isPrimary() bool {
	return strings.HasPrefix(f.path, "/etc/") || strings.Contains(f.path, "bin/") || f.path == "/usr/lib/sendmail"
}

// changesOf lists the newest changes. A header has them newest first.
func changesOf(f *fields) []change {
	authors, texts, dates := f.texts(tagChangeName), f.texts(tagChangeText), f.numbers(tagChangeTime)
	f.same("changes", len(authors), len(texts), len(dates))
	if f.err != nil {
		return nil
	}
	changes := make([]change, min(len(authors), changesListed))
	for i := range changes {
		changes[i] = change{
			protocols.CutText(cleanText(authors[i]), maxChange), protocols.CutText(cleanText(texts[i]), maxChange), dates[i],
		}
	}
	slices.Reverse(changes)
	return changes
}

// requirement is a relation's version as people write it: ">= 1:2.0-3".
func (r relation) requirement() string {
	if r.flags == "" {
		return ""
	}
	v := r.version
	if r.epoch != "0" {
		v = r.epoch + ":" + v
	}
	if r.release != "" {
		v += "-" + r.release
	}
	return map[string]string{"LT": "<", "GT": ">", "EQ": "=", "LE": "<=", "GE": ">="}[r.flags] + " " + v
}

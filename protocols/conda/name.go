package conda

import (
	"regexp"
	"slices"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// The longest names in bytes (CEP 26).
const (
	maxName    = 64
	maxVersion = 64
	maxBuild   = 64
	maxFile    = 211
	maxSubdir  = 32
	maxChannel = 128
)

// noarch is the subdir of packages for all platforms.
const noarch = "noarch"

// knownSubdirs are those that clients know: they take a URL apart at the first
// of them, so that nothing before it may be called so.
var knownSubdirs = []string{
	noarch,
	"emscripten-32", "emscripten-wasm32", "freebsd-64", "linux-32", "linux-64", "linux-aarch64", "linux-armv6l", "linux-armv7l",
	"linux-loongarch64", "linux-ppc", "linux-ppc64", "linux-ppc64le", "linux-riscv32", "linux-riscv64", "linux-s390x", "osx-32", "osx-64", "osx-arm64",
	"wasi-32", "wasi-wasm32", "win-32", "win-64", "win-arm64", "zos-z",
}

// reservedSegments are the other words that no channel may have in its path:
// fixed parts of URLs, and the documents.
var reservedSegments = []string{
	tokenPath, "label", "api", "shards",
	"channeldata.json", "notices.json", "repodata_shards.msgpack.zst",
	repodataFile, repodataFile + zstdEnding, repodataFile + bzip2Ending,
	currentFile, currentFile + zstdEnding, currentFile + bzip2Ending,
	runExportsFile, runExportsFile + zstdEnding,
}

var (
	nameForm    = regexp.MustCompile(`^_?[a-z0-9](?:[._-]?[a-z0-9])*[._-]?$`)
	buildForm   = regexp.MustCompile(`^[A-Za-z0-9_.+]+$`)
	subdirForm  = regexp.MustCompile(`^[a-z0-9]+-[a-z0-9]+$`)
	segmentForm = regexp.MustCompile(`^[a-z0-9_][a-z0-9_.-]*$`)
)

// checkName refuses what is no name of a package. Upper case is not folded:
// solvers look names up as they are spelled.
func checkName(name string) error {
	switch {
	case strings.HasPrefix(name, "__"):
		return registry.FieldErrorf("name", "name: %.80q is the name of a virtual package, which begin with two underscores", name)
	case len(name) > maxName || !nameForm.MatchString(name):
		return registry.FieldErrorf("name", "name: want up to %d lower-case letters, digits and single '.', '_' or '-' between them, got %.80q", maxName, name)
	}
	return nil
}

func checkBuild(build string) error {
	if len(build) > maxBuild || !buildForm.MatchString(build) {
		return registry.FieldErrorf("build", "build: want up to %d letters, digits, '_', '.' and '+', got %.80q", maxBuild, build)
	}
	return nil
}

func isSubdir(name string) bool {
	return name == noarch || len(name) <= maxSubdir && subdirForm.MatchString(name)
}

func checkSubdir(name string) error {
	if !isSubdir(name) {
		return registry.FieldErrorf("subdir", "subdir: want noarch, or a system and an architecture as in linux-64, got %.80q", name)
	}
	return nil
}

// checkChannel refuses what is no channel; "" is the root channel.
func checkChannel(channel string) error {
	if channel == "" {
		return nil
	}
	if len(channel) > maxChannel {
		return registry.FieldErrorf("channel", "channel: want at most %d bytes", maxChannel)
	}
	for segment := range strings.SplitSeq(channel, "/") {
		if !segmentForm.MatchString(segment) {
			return registry.FieldErrorf("channel", "channel: want lower-case letters, digits, '_', '.' and '-' in each part of the path")
		}
		if slices.Contains(reservedSegments, segment) || slices.Contains(knownSubdirs, segment) {
			return registry.FieldErrorf("channel", "channel: no part of the path may be called %s, which has another meaning in URLs", segment)
		}
	}
	return nil
}

// packageName is the name under which the registry keeps a package.
func packageName(channel, name string) string {
	if channel == "" {
		return name
	}
	return channel + "/" + name
}

// splitPackage takes a package's name apart again: the last segment is the
// name proper.
func splitPackage(full string) (channel, name string) {
	if i := strings.LastIndexByte(full, '/'); i >= 0 {
		return full[:i], full[i+1:]
	}
	return "", full
}

// copyName lets a version be copied to another owner or channel.
func copyName(_, full string) (string, error) {
	channel, name := splitPackage(full)
	if err := checkChannel(channel); err != nil {
		return "", err
	}
	return full, checkName(name)
}

// The two containers of packages.
const (
	tarEnding   = ".tar.bz2"
	condaEnding = ".conda"
)

// fileName is the name of a package's file in its parts.
type fileName struct {
	name, version, build string
	// ending is tarEnding or condaEnding.
	ending string
}

func (f fileName) stem() string { return f.name + "-" + f.version + "-" + f.build }

func (f fileName) String() string { return f.stem() + f.ending }

// parseFile takes a file's name apart: from the right, for names have hyphens,
// versions and builds have none.
func parseFile(file string) (fileName, error) {
	var f fileName
	stem, ok := strings.CutSuffix(file, tarEnding)
	if f.ending = tarEnding; !ok {
		stem, ok = strings.CutSuffix(file, condaEnding)
		f.ending = condaEnding
	}
	if !ok {
		return f, registry.FieldErrorf("file", "file: want a name that ends in %s or %s", condaEnding, tarEnding)
	}
	if len(file) > maxFile {
		return f, registry.FieldErrorf("file", "file: want a name of at most %d bytes", maxFile)
	}
	build := strings.LastIndexByte(stem, '-')
	version := strings.LastIndexByte(stem[:max(build, 0)], '-')
	if version < 0 {
		return f, registry.FieldErrorf("file", "file: want NAME-VERSION-BUILD%s", f.ending)
	}
	f.name, f.version, f.build = stem[:version], stem[version+1:build], stem[build+1:]
	for _, err := range []error{checkName(f.name), checkVersion(f.version), checkBuild(f.build)} {
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

// place is where a path leads: a file or a document of a subdir.
type place struct{ channel, subdir, file string }

// placeOf is the place that a request names. What cannot be one is nowhere.
func placeOf(r *protocols.Request) (place, error) {
	at := place{r.Params["channel"], r.Params["subdir"], r.Params["file"]}
	if checkChannel(at.channel) != nil || !isSubdir(at.subdir) {
		return at, nowhere()
	}
	return at, nil
}

// path is the place below the root, escaped.
func (p place) path() string {
	var segments []string
	if p.channel != "" {
		segments = strings.Split(p.channel, "/")
	}
	return protocols.JoinPath(append(segments, p.subdir, p.file)...)
}

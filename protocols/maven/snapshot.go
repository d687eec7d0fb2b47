package maven

import (
	"regexp"
	"strconv"
	"strings"
)

// build is what the name of a snapshot's file says of the build it belongs to.
type build struct {
	// timestamp is yyyyMMdd.HHmmss, in UTC.
	timestamp string
	// number counts the builds of the snapshot.
	number int
	// suffix is what follows: "-sources.jar", ".pom".
	suffix string
}

var timestamped = regexp.MustCompile(`^([0-9]{8}\.[0-9]{6})-([0-9]{1,9})([-.].+)$`)

// parseBuild reads names such as lib-1.1.0-20261120.093322-1-sources.jar in
// the folder of 1.1.0-SNAPSHOT. It reports false for files that all builds
// share.
func parseBuild(artifact, version, file string) (build, bool) {
	rest, ok := strings.CutPrefix(file, artifact+"-"+strings.TrimSuffix(version, "SNAPSHOT"))
	if !ok || !isSnapshot(version) {
		return build{}, false
	}
	m := timestamped.FindStringSubmatch(rest)
	if m == nil {
		return build{}, false
	}
	number, err := strconv.Atoi(m[2])
	return build{timestamp: m[1], number: number, suffix: m[3]}, err == nil
}

var buildInName = regexp.MustCompile(`-([0-9]{8}\.[0-9]{6})-([0-9]{1,9})[-.]`)

// buildOf finds the build that a file of a snapshot belongs to by its name
// alone. It has no suffix.
func buildOf(file string) (build, bool) {
	m := buildInName.FindStringSubmatch("-" + file)
	if m == nil {
		return build{}, false
	}
	number, err := strconv.Atoi(m[2])
	return build{timestamp: m[1], number: number}, err == nil
}

// value is the version that names the build's files.
func (b build) value(version string) string {
	return strings.TrimSuffix(version, "SNAPSHOT") + b.timestamp + "-" + strconv.Itoa(b.number)
}

// updated is the build's instant as documents write it.
func (b build) updated() string { return strings.Replace(b.timestamp, ".", "", 1) }

// newer tells whether the build came after the other.
func (b build) newer(other build) bool {
	return b.number > other.number || b.number == other.number && b.timestamp > other.timestamp
}

// attached are the ends of files that say something about another file.
var attached = []string{".asc", ".sigstore.json", ".sigstore"}

// extensions are those with a dot in them.
var extensions = []string{".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tar.Z", ".nar.xz"}

// splitSuffix divides what follows the version in a file's name into the
// classifier, which may be "", and the extension. Both may hold dots, so that
// the name alone does not tell where the border is; known, from documents that
// clients have sent, comes first.
func splitSuffix(suffix string, known map[string]string) (classifier, extension string) {
	if ext, ok := known[suffix]; ok {
		if rest, ok := strings.CutSuffix(suffix, "."+ext); ok {
			return strings.TrimPrefix(rest, "-"), ext
		}
	}
	if ext, ok := strings.CutPrefix(suffix, "."); ok {
		return "", ext
	}
	tail := ""
	for _, end := range attached {
		if rest, ok := strings.CutSuffix(suffix, end); ok && strings.Contains(rest, ".") {
			classifier, extension = splitSuffix(rest, known)
			return classifier, extension + end
		}
	}
	rest := strings.TrimPrefix(suffix, "-")
	for _, ext := range extensions {
		if strings.HasSuffix(rest, ext) {
			tail = ext
			break
		}
	}
	if tail == "" {
		dot := strings.LastIndexByte(rest, '.')
		if dot < 0 {
			return rest, ""
		}
		tail = rest[dot:]
	}
	return strings.TrimSuffix(rest, tail), strings.TrimPrefix(tail, ".")
}

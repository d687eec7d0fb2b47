package maven

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"entrepot/protocols"
	"entrepot/registry"
)

// maxPart is the longest groupId, artifactId, version or file name in bytes.
const maxPart = 255

// documentName is the name of the documents of groups, artifacts and
// snapshots.
const documentName = "maven-metadata.xml"

// kind is what a path leads to.
type kind int

const (
	// publishedFile is a file of a version.
	publishedFile kind = iota
	// artifactDocument lists the versions of an artifact; the same path, read
	// as a group's, lists the Maven plugins in it.
	artifactDocument
	// snapshotDocument lists the files of the latest builds of a snapshot.
	snapshotDocument
)

// location is what a path says.
type location struct {
	kind kind
	// group and artifact are the groupId and artifactId, version is the folder
	// of the file, with -SNAPSHOT for any build of a snapshot.
	group, artifact, version, file string
	// wholeGroup is the path to an artifactDocument read as a groupId. The
	// artifact is "" when there is no other way to read it.
	wholeGroup string
	// algorithm is set when a checksum of the file or document is meant.
	algorithm string
}

// name is the package's in the database. A colon stands in no coordinate, so
// that no two artifacts share a name.
func (l location) name() string { return l.group + ":" + l.artifact }

// isSnapshot tells whether a version is one that is built again and again.
func isSnapshot(version string) bool {
	return version == "SNAPSHOT" || strings.HasSuffix(version, "-SNAPSHOT")
}

// locate reads the request's path. Error: Invalid.
func locate(r *protocols.Request) (location, error) {
	// An escaped slash would be taken for the end of a segment.
	if strings.Contains(strings.ToLower(r.URL.EscapedPath()), "%2f") {
		return location{}, registry.FieldErrorf("path", "a coordinate has no slash in it")
	}
	return parsePath(r.Params["path"])
}

// parsePath takes a path apart: group segments, artifactId, version, file
// name. It is the only thing that says what they are; a POM may hold others,
// or expressions in their place.
func parsePath(path string) (location, error) {
	segments := strings.Split(path, "/")
	for _, s := range segments {
		if !validPart(s) {
			return location{}, registry.FieldErrorf("path", "%.60q cannot be part of a path: want 1 to %d bytes, no control characters, outer blanks or any of \\ / : \" < > | ? *", s, maxPart)
		}
	}
	l := location{}
	folder := segments[:len(segments)-1]
	l.file = segments[len(segments)-1]
	if of, algorithm, ok := protocols.CutChecksum(l.file); ok {
		l.file, l.algorithm = of, algorithm
		if !validPart(of) {
			return location{}, registry.FieldErrorf("path", "%.60q cannot be a file's name, so it has no checksum", of)
		}
	}
	n := len(folder)
	switch {
	case l.file == documentName && n >= 3 && isSnapshot(folder[n-1]):
		l.kind = snapshotDocument
		l.group, l.artifact, l.version = strings.Join(folder[:n-2], "."), folder[n-2], folder[n-1]
	case l.file == documentName && n >= 1:
		l.kind = artifactDocument
		l.wholeGroup = strings.Join(folder, ".")
		if n >= 2 {
			l.group, l.artifact = strings.Join(folder[:n-1], "."), folder[n-1]
		}
	case strings.HasPrefix(l.file, documentName):
		// A signature of a document, say: it belongs to no version.
		return location{}, registry.FieldErrorf("path", "%s is made by the server and has no other files beside it", documentName)
	case n >= 3:
		l.group, l.artifact, l.version = strings.Join(folder[:n-2], "."), folder[n-2], folder[n-1]
	default:
		return location{}, registry.FieldErrorf("path", "want a path of group, artifact, version and file")
	}
	if len(l.group) > maxPart || len(l.wholeGroup) > 2*maxPart {
		return location{}, registry.FieldErrorf("path", "the groupId is longer than %d bytes", maxPart)
	}
	return l, nil
}

func validPart(s string) bool {
	return s != "" && s != "." && s != ".." && len(s) <= maxPart && utf8.ValidString(s) &&
		strings.TrimSpace(s) == s && !strings.ContainsAny(s, "\\/:\"<>|?*") &&
		strings.IndexFunc(s, unicode.IsControl) < 0
}

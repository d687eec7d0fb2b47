package swift

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	manifestName = "Package.swift"
	maxManifest  = 128 << 10
	// maxManifests is how many manifests a release can have.
	maxManifests = 64
	// oldestTools is the version of a manifest that names none.
	oldestTools = "3.1.0"
)

var (
	// alternatePattern is the name of a manifest for a version of Swift.
	alternatePattern = regexp.MustCompile(`^Package@swift-([0-9]{1,6}(?:\.[0-9]{1,6}){0,2})\.swift$`)
	// toolsPattern is what a manifest says of itself in its first line (SE-0152).
	toolsPattern = regexp.MustCompile(`^//[ \t]*(?i:swift-tools-version)[ \t]*:[ \t]*([0-9]{1,6}(?:\.[0-9]{1,6}){0,2})`)
	swiftPattern = regexp.MustCompile(`^[0-9]{1,6}(?:\.[0-9]{1,6}){0,2}$`)
)

// manifest is one Package.swift of a release.
type manifest struct {
	// Swift is the version of Swift that an alternate is for, spelled as in its
	// name; "" for the one for all others.
	Swift string `json:"swift,omitempty"`
	// Tools is the tools version it names, or an alternate is for: by its name
	// the client looks for it, whatever stands in its first line.
	Tools   string `json:"tools"`
	Content string `json:"content"`
}

// newManifest reads a manifest. Error: an unprocessable one.
func newManifest(name string, content []byte) (manifest, error) {
	if !utf8.Valid(content) {
		return manifest{}, badArchive("%s is not UTF-8 text", name)
	}
	m := manifest{Content: string(content), Tools: oldestTools}
	if alternate := alternatePattern.FindStringSubmatch(name); alternate != nil {
		m.Swift, m.Tools = alternate[1], alternate[1]
		if !strings.Contains(m.Tools, ".") {
			m.Tools += ".0" // SwiftPM reads no tools version of one number
		}
		return m, nil
	}
	// Blank lines may stand before it.
	head := bytes.TrimLeft(bytes.TrimPrefix(content, []byte("\ufeff")), " \t\r\n")
	if tools := toolsPattern.FindSubmatch(head); tools != nil {
		m.Tools = string(tools[1])
	}
	return m, nil
}

// fileName is the manifest's name in the archive.
func (m manifest) fileName() string {
	if m.Swift == "" {
		return manifestName
	}
	return "Package@swift-" + m.Swift + ".swift"
}

// sortManifests puts the one for all first and the others in the order of
// their versions.
func sortManifests(all []manifest) {
	slices.SortFunc(all, func(a, b manifest) int {
		if a.Swift == "" || b.Swift == "" {
			return cmp.Compare(len(a.Swift), len(b.Swift))
		}
		return compareSwift(a.Swift, b.Swift)
	})
}

// compareSwift compares versions of Swift as numbers: 5, 5.0 and 5.0.0 are the
// same.
func compareSwift(a, b string) int {
	left, right := swiftNumbers(a), swiftNumbers(b)
	return slices.Compare(left[:], right[:])
}

func swiftNumbers(version string) (numbers [3]int) {
	for i, part := range strings.SplitN(version, ".", 3) {
		numbers[i], _ = strconv.Atoi(part) // the patterns allow six digits
	}
	return numbers
}

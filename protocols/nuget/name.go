package nuget

import (
	"regexp"
	"strings"
)

// maxID is the longest package id in characters.
const maxID = 100

// idGrammar is NuGet's own, narrowed to ASCII.
var idGrammar = regexp.MustCompile(`^[A-Za-z0-9_]+(?:[.-][A-Za-z0-9_]+)*$`)

// validID tells whether a package can have the id: letters, digits and _, with
// single dots and hyphens between them, at most 100 characters.
func validID(id string) bool { return len(id) <= maxID && idGrammar.MatchString(id) }

// fold is an id or a version as it is compared: without case.
func fold(text string) string { return strings.ToLower(text) }

// packageFile and nuspecFile are the names of a version's files, of an id and a
// version that are folded.
func packageFile(id, version string) string { return id + "." + version + ".nupkg" }

func nuspecFile(id string) string { return id + ".nuspec" }

func symbolsFile(id, version string) string { return id + "." + version + ".snupkg" }

package composer

import (
	"regexp"
	"slices"
	"strings"
)

// maxName is the longest package name in bytes.
const maxName = 255

// namePattern is the rule for names,
// https://getcomposer.org/doc/04-schema.md#name.
var namePattern = regexp.MustCompile(`^[a-z0-9]([_.-]?[a-z0-9]+)*/[a-z0-9](([_.]|-{1,2})?[a-z0-9]+)*$`)

// devices are what Windows takes for a device, whatever the folder.
var devices = regexp.MustCompile(`^(con|nul|aux|prn|com[1-9]|lpt[1-9])$`)

// validName tells whether a package can have the name. What ends in .json, or
// in ~dev, would be taken for a document's address; ~ is in no name anyway.
func validName(name string) bool {
	return len(name) <= maxName && namePattern.MatchString(name) && !strings.HasSuffix(name, ".json") &&
		!slices.ContainsFunc(strings.Split(name, "/"), devices.MatchString)
}

package helm

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"

	"entrepot/protocols"
	"entrepot/registry"
)

// The bounds of names and versions in bytes.
const (
	maxName    = 250
	maxVersion = 256
)

// chartName is what helm's loader takes, without what has no place in a path.
var chartName = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

func checkName(name string) error {
	if len(name) > maxName || !chartName.MatchString(name) || name == "." || name == ".." {
		return registry.FieldErrorf("name", "name: %.80q cannot be the name of a chart: use letters, digits and ._-, at most %d of them", name, maxName)
	}
	return nil
}

// parseVersion reads a version as helm does: 1.2 and v1.2.3 are versions too.
func parseVersion(version string) (*semver.Version, error) {
	v, err := semver.NewVersion(version)
	if err != nil || len(version) > maxVersion {
		return nil, registry.FieldErrorf("version", "version: %.80q is not a semantic version of at most %d bytes", version, maxVersion)
	}
	return v, nil
}

// normalize is the one spelling of a version. Build metadata belongs to it:
// 1.2.3+a and 1.2.3+b are two versions.
func normalize(v *semver.Version) string { return v.String() }

// The endings of file names.
const (
	chartEnding = ".tgz"
	provEnding  = ".prov"
)

// chartFile is the name of a chart's file.
func chartFile(name, version string) string { return name + "-" + version + chartEnding }

// escapeFile is a file name of ours as a segment of a URL. A plus is escaped,
// for some servers in between take it for a blank.
func escapeFile(file string) string { return strings.ReplaceAll(file, "+", "%2B") }

// fileProperty is the property of a chart's file by which it is found. A file
// name cannot be taken apart: a of version 1.0.0-b-2.0.0 and a-1.0.0-b of
// version 2.0.0 have the same.
const fileProperty = "helm.file"

func fileNamed(r *protocols.Request, file string) registry.Property {
	return registry.Property{Name: fileProperty, Value: strconv.FormatInt(r.Space.Owner.ID, 10) + "/" + file}
}

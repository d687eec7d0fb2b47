package cran

import (
	"regexp"
	"strings"

	"entrepot/registry"
)

// description is what is read of a DESCRIPTION.
type description struct {
	*record
	name, version string
}

// indexFields are those an index has of a package, in R's order; the digest
// stands before NeedsCompilation.
var indexFields = []string{
	"Package", "Version", "Priority", "Depends", "Imports", "LinkingTo", "Suggests", "Enhances",
	"License", "License_is_FOSS", "License_restricts_use", "OS_type", "Archs", "MD5sum", "NeedsCompilation", "Built",
}

// parseDescription reads a DESCRIPTION. Errors: Invalid, for the field that is
// wrong.
func parseDescription(raw []byte) (*description, error) {
	r, err := parseRecord(raw)
	if err != nil {
		return nil, err
	}
	d := &description{r, r.line("Package"), r.line("Version")}
	if err := checkName(d.name); err != nil {
		return nil, err
	}
	if err := checkVersion(d.version); err != nil {
		return nil, err
	}
	switch strings.ToLower(d.line("NeedsCompilation")) {
	case "", "yes", "no":
	default:
		return nil, registry.FieldErrorf("NeedsCompilation", "DESCRIPTION: NeedsCompilation is yes or no, not %.40q", d.line("NeedsCompilation"))
	}
	return d, nil
}

var builtFor = regexp.MustCompile(`^R ([0-9]+\.[0-9]+)(\.[0-9]+)?\s*;.*;\s*(windows|unix)$`)

// fits checks that the package is of the kind: a source, or what R has built
// for the platform and the version.
func (d *description) fits(k kind) error {
	built := d.line("Built")
	if k.isSource() {
		switch {
		case built != "":
			return registry.FieldErrorf("Built", "DESCRIPTION: Built says that this is a binary package (%.80s), which is uploaded to bin", built)
		case d.line("License") == "":
			return registry.FieldErrorf("License", "DESCRIPTION: License is missing")
		}
		return nil
	}
	m := builtFor.FindStringSubmatch(built)
	if m == nil {
		return registry.FieldErrorf("Built", "DESCRIPTION: Built is missing or not in the form that R writes: this is not a binary package")
	}
	if m[1] != k.rversion {
		return registry.FieldErrorf("rversion", "rversion: the package is built for R %s, not for %s", m[1], k.rversion)
	}
	if (m[3] == windows) != (k.platform == windows) {
		return registry.FieldErrorf("platform", "platform: the package is built for %s, not for %s", m[3], k.platform)
	}
	return nil
}

// entry is the record of the package in an index.
func (d *description) entry(md5 string) []byte {
	var b []byte
	for _, name := range indexFields {
		value := d.line(name)
		switch name {
		case "MD5sum":
			value = md5
		case "NeedsCompilation":
			value = strings.ToLower(value)
		}
		if value != "" {
			b = append(append(append(append(b, name...), ": "...), value...), '\n')
		}
	}
	return b
}

// relations are the fields that name other packages, and whether an install
// may do without them.
var relations = []struct {
	field    string
	optional bool
}{{"Depends", false}, {"Imports", false}, {"LinkingTo", false}, {"Suggests", true}, {"Enhances", true}}

// need is a package that another one names.
type need struct{ name, requirement string }

// needs are what a field names: divided by commas, with white space anywhere.
func needs(list string) (all []need) {
	for item := range strings.SplitSeq(list, ",") {
		name, requirement, _ := strings.Cut(item, "(")
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		requirement = strings.Join(strings.Fields(strings.TrimSuffix(strings.TrimSpace(requirement), ")")), " ")
		all = append(all, need{name, requirement})
	}
	return all
}

// requiredR is which R a package needs, "" for any, by its record in an index.
func requiredR(entry string) string {
	_, rest, ok := strings.Cut("\n"+entry, "\nDepends: ")
	if !ok {
		return ""
	}
	line, _, _ := strings.Cut(rest, "\n")
	for _, n := range needs(line) {
		if n.name == "R" {
			return strings.ReplaceAll(n.requirement, " ", "")
		}
	}
	return ""
}

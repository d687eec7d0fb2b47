package cargo

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/Masterminds/semver/v3"

	"entrepot/protocols"
	"entrepot/registry"
)

// upload is the metadata of a publish. Any member may be null or missing.
// https://doc.rust-lang.org/cargo/reference/registry-web-api.html#publish
type upload struct {
	Name          string              `json:"name"`
	Vers          string              `json:"vers"`
	Deps          []uploadDep         `json:"deps"`
	Features      map[string][]string `json:"features"`
	Authors       []string            `json:"authors"`
	Description   string              `json:"description"`
	Documentation string              `json:"documentation"`
	Homepage      string              `json:"homepage"`
	Readme        *string             `json:"readme"`
	ReadmeFile    string              `json:"readme_file"`
	Keywords      []string            `json:"keywords"`
	Categories    []string            `json:"categories"`
	License       string              `json:"license"`
	LicenseFile   string              `json:"license_file"`
	Repository    string              `json:"repository"`
	Links         *string             `json:"links"`
	RustVersion   string              `json:"rust_version"`

	version *semver.Version
}

// uploadDep is a dependency as a publish has it: under its own name, with the
// name that the crate knows it by beside it. In the index it is the other way
// around.
type uploadDep struct {
	Name            string          `json:"name"`
	Req             string          `json:"version_req"`
	Features        []string        `json:"features"`
	Optional        bool            `json:"optional"`
	DefaultFeatures *bool           `json:"default_features"`
	Target          *string         `json:"target"`
	Kind            string          `json:"kind"`
	Registry        *string         `json:"registry"`
	Alias           string          `json:"explicit_name_in_toml"`
	Artifact        json.RawMessage `json:"artifact"`
	BindepTarget    *string         `json:"bindep_target"`
	Lib             *bool           `json:"lib"`
}

// The most of a kind that an upload may have, and the longest of its texts in
// bytes. Longer texts for people are cut; longer texts for cargo are refused.
const (
	maxDeps     = 5000
	maxFeatures = 5000
	maxText     = 2000
	maxWords    = 1000
	maxReadme   = 1 << 20
)

// parseUpload reads and checks the metadata. Error: Invalid, with the member
// that is at fault.
func parseUpload(raw []byte) (*upload, error) {
	var u upload
	if err := json.Unmarshal(raw, &u); err != nil {
		return nil, registry.Errorf(registry.Invalid, "the metadata is not what cargo sends: %v", err)
	}
	if !validName(u.Name) {
		return nil, registry.FieldErrorf("name", "%.100q cannot be a crate's name: use 1 to %d letters, digits, - and _, a letter first, and no name of a device", u.Name, maxName)
	}
	valid := false
	if u.version, valid = parseVersion(u.Vers); !valid {
		return nil, registry.FieldErrorf("vers", "%.300q is no version: it takes three numbers and nothing in front, as Semantic Versioning has it", u.Vers)
	}
	if len(u.Deps) > maxDeps {
		return nil, registry.FieldErrorf("deps", "there are %d dependencies; at most %d are taken", len(u.Deps), maxDeps)
	}
	for i := range u.Deps {
		if err := u.Deps[i].check(); err != nil {
			return nil, err
		}
	}
	if err := u.checkFeatures(); err != nil {
		return nil, err
	}
	if u.RustVersion != "" && !rustVersion.MatchString(u.RustVersion) {
		return nil, registry.FieldErrorf("rust_version", "%.100q is no version of Rust: use one to three numbers", u.RustVersion)
	}
	if u.Links != nil && (*u.Links == "" || len(*u.Links) > maxText || strings.ContainsFunc(*u.Links, unicode.IsControl)) {
		return nil, registry.FieldErrorf("links", "%.100q is no name of a native library", *u.Links)
	}
	u.clean()
	return &u, nil
}

var (
	// aliasPattern is the rule for names that a crate gives its dependencies.
	aliasPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
	rustVersion  = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){0,2}$`)
	kinds        = []string{"normal", "dev", "build"}
)

// check refuses what cargo could not read in the index, and fills in what is
// missing.
func (d *uploadDep) check() error {
	if len(d.Name) > maxName || !aliasPattern.MatchString(d.Name) {
		return registry.FieldErrorf("deps", "%.100q cannot be a dependency's name", d.Name)
	}
	if d.Alias != "" && (len(d.Alias) > maxName || !aliasPattern.MatchString(d.Alias)) {
		return registry.FieldErrorf("deps", "the dependency %s cannot be renamed to %.100q", d.Name, d.Alias)
	}
	if !validRequirement(d.Req) {
		return registry.FieldErrorf("deps", "the dependency %s asks for %.200q, which is no version requirement", d.Name, d.Req)
	}
	if d.Kind == "" {
		d.Kind = "normal"
	}
	if !slices.Contains(kinds, d.Kind) {
		return registry.FieldErrorf("deps", "the dependency %s is of the kind %.100q: normal, dev and build are known", d.Name, d.Kind)
	}
	for _, f := range d.Features {
		if !validFeature(strings.TrimPrefix(f, "dep:")) && !validFeatureValue(f) {
			return registry.FieldErrorf("deps", "the dependency %s has the feature %.200q, which cannot be one", d.Name, f)
		}
	}
	if len(d.Artifact) > maxText {
		return registry.FieldErrorf("deps", "the dependency %s has too long an artifact", d.Name)
	}
	for _, text := range []*string{d.Target, d.Registry, d.BindepTarget} {
		if text != nil && (len(*text) > maxText || strings.ContainsFunc(*text, unicode.IsControl)) {
			return registry.FieldErrorf("deps", "the dependency %s has a target or a registry that cannot be one", d.Name)
		}
	}
	return nil
}

// comparator is one condition of a version requirement
// as the semver crate reads it (struct VersionReq).
var comparator = regexp.MustCompile(`^(=|>=|>|<=|<|~|\^)? *(` +
	`[0-9]{1,20}(\.[0-9]{1,20}(\.[0-9]{1,20}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?)?)?` +
	`|[0-9]{1,20}(\.[0-9]{1,20})?\.[*xX](\.[*xX])?)$`)

// validRequirement tells whether cargo can read a version requirement.
func validRequirement(req string) bool {
	if req = strings.TrimSpace(req); req == "*" || req == "x" || req == "X" {
		return true
	}
	conditions := strings.Split(req, ",")
	if len(req) > maxText || len(conditions) > 32 {
		return false
	}
	for _, c := range conditions {
		if !comparator.MatchString(strings.TrimSpace(c)) {
			return false
		}
	}
	return true
}

func (u *upload) checkFeatures() error {
	if len(u.Features) > maxFeatures {
		return registry.FieldErrorf("features", "there are %d features; at most %d are taken", len(u.Features), maxFeatures)
	}
	for name, values := range u.Features {
		if !validFeature(name) {
			return registry.FieldErrorf("features", "%.200q cannot be a feature's name", name)
		}
		for _, value := range values {
			if !validFeatureValue(value) {
				return registry.FieldErrorf("features", "the feature %s turns on %.200q, which is neither a feature nor a dependency", name, value)
			}
		}
	}
	return nil
}

// validFeature tells whether a feature can have the name,
// https://doc.rust-lang.org/cargo/reference/features.html#the-features-section.
func validFeature(name string) bool {
	for i, c := range name {
		switch {
		case c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c):
		case i > 0 && (c == '-' || c == '+' || c == '.'):
		default:
			return false
		}
	}
	return name != "" && len(name) <= 256
}

// validFeatureValue is validFeature for what a feature turns on: another one,
// a dependency ("dep:name"), or a feature of a dependency ("name/feature", or
// "name?/feature" where the dependency stays as it is).
func validFeatureValue(value string) bool {
	dep, feature, ofDep := strings.Cut(value, "/")
	if ofDep {
		return aliasPattern.MatchString(strings.TrimSuffix(dep, "?")) && validFeature(feature) && len(dep) <= maxName+1
	}
	if name, isDep := strings.CutPrefix(value, "dep:"); isDep {
		return aliasPattern.MatchString(name) && len(name) <= maxName
	}
	return validFeature(value)
}

// clean makes the texts for people fit to be kept and shown.
func (u *upload) clean() {
	for _, text := range []*string{&u.Description, &u.License, &u.LicenseFile} {
		*text = line(*text)
	}
	for _, link := range []*string{&u.Documentation, &u.Homepage, &u.Repository} {
		*link = protocols.WebURL(*link)
	}
	for _, list := range []*[]string{&u.Authors, &u.Keywords, &u.Categories} {
		*list = lines(*list)
	}
	if u.Readme != nil {
		*u.Readme = protocols.CutText(protocols.CleanText(*u.Readme), maxReadme)
	}
}

// line is the text on one line, cut.
func line(text string) string {
	return protocols.CutText(strings.Join(strings.Fields(protocols.CleanText(text)), " "), maxText)
}

func lines(list []string) []string {
	var all []string
	for _, text := range list[:min(len(list), maxWords)] {
		if text = line(text); text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

package vagrant

import (
	"regexp"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

const (
	maxName = 255
	// boxSuffix ends the paths of files.
	boxSuffix = ".box"
	// unknown is the architecture of a box that names none.
	unknown = "unknown"
)

var (
	wordPattern         = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	architecturePattern = regexp.MustCompile(`^[a-z0-9_]+$`)
)

// validName tells whether a box can have the name. The name of an endpoint is
// none.
func validName(name string) bool { return validWord(name) && fold(name) != "authenticate" }

func validWord(word string) bool {
	return len(word) <= maxName && wordPattern.MatchString(word) && word != "." && word != ".."
}

// fold is the name by which boxes, and providers, are told apart.
func fold(name string) string { return strings.ToLower(name) }

// coordinates say which file of which box is meant.
type coordinates struct {
	name     string
	version  version
	provider string
	// architecture is "" for a box that names none.
	architecture string
}

// parse reads the parts of a file's path. Error: Invalid, naming the part.
func parse(params protocols.Params) (c coordinates, err error) {
	if c.name, err = parseName(params); err != nil {
		return c, err
	}
	if c.version, err = parseVersion(params["version"]); err != nil {
		return c, err
	}
	last, isBox := strings.CutSuffix(params["file"], boxSuffix)
	if !isBox {
		return c, registry.FieldErrorf("file", "the path must end in PROVIDER.box or PROVIDER/ARCHITECTURE.box, not in %.200q", params["file"])
	}
	c.provider = last
	if provider, nested := params["provider"]; nested {
		c.provider, c.architecture = provider, last
		if !architecturePattern.MatchString(last) || len(last) > maxName {
			return c, registry.FieldErrorf("architecture", "invalid architecture %.200q: use a-z, 0-9 and _, as in amd64, arm64 or unknown", last)
		}
		if last == unknown {
			c.architecture = ""
		}
	}
	if !validWord(c.provider) {
		return c, registry.FieldErrorf("provider", "invalid provider %.200q: use letters, digits and . _ -", c.provider)
	}
	return c, nil
}

func parseName(params protocols.Params) (string, error) {
	name := params["name"]
	if !validName(name) {
		return name, registry.FieldErrorf("name", `invalid box name %.200q: use letters, digits and . _ -, at most %d, and not "authenticate"`, name, maxName)
	}
	return name, nil
}

// fileKey is the normalized name of the file.
func (c coordinates) fileKey() string { return fold(c.provider) + boxSuffix }

// compositeKey tells the files of one provider apart.
func (c coordinates) compositeKey() string { return fold(c.provider) + "/" + c.architecture }

// fileName is the name under which the file is saved.
func (c coordinates) fileName() string {
	name := c.name + "-" + c.version.text + "-" + c.provider
	if c.architecture != "" {
		name += "-" + c.architecture
	}
	return name + boxSuffix
}

// boxPath is the file's path below the type's root.
func boxPath(name, version, provider, architecture string) string {
	if architecture == "" {
		return protocols.JoinPath(name, version, provider+boxSuffix)
	}
	return protocols.JoinPath(name, version, provider, architecture+boxSuffix)
}

// findBox returns the box that the path names, if the viewer may do the action
// to it. No box has a name that is no good.
func findBox(r *protocols.Request, action access.Action) (*ent.Pkg, error) {
	return r.Space.Package(r.Context(), fold(r.Params["name"]), action)
}

// findFile returns the file that the path names, and its box.
func findFile(r *protocols.Request, action access.Action) (*ent.Pkg, *ent.PackageFile, error) {
	p, err := findBox(r, action)
	if err != nil {
		return nil, nil, err
	}
	c, err := parse(r.Params)
	if err != nil {
		return nil, nil, registry.Errorf(registry.NotFound, "file not found")
	}
	f, err := r.Space.File(r.Context(), p, c.version.canonical, c.fileKey(), c.compositeKey())
	return p, f, err
}

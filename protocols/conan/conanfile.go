package conan

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"entrepot/protocols"
	"entrepot/registry"
)

// recipe is what can be told of a conanfile.py without running it: attributes
// of its class whose values are written out there, and requirements
// (https://docs.conan.io/2/reference/conanfile/attributes.html). A recipe that
// computes them says less; none is an error.
type recipe struct {
	texts        map[string]string
	lists        map[string][]string
	options      []option
	requirements []registry.Dependency
}

// option is an option of a recipe with the values it may have, as written.
type option struct {
	Name   string `json:"name"`
	Values string `json:"values"`
}

// metadata is what is kept of a recipe beyond the facts of all types.
type metadata struct {
	PackageType string   `json:"package_type,omitempty"`
	Settings    []string `json:"settings,omitempty"`
	Options     []option `json:"options,omitempty"`
}

// The limits of what is kept of a recipe.
const (
	maxText  = 4 << 10
	maxItems = 200
)

var (
	attribute = regexp.MustCompile(`(?m)^[ \t]+(name|version|author|license|url|homepage|description|topics|package_type|settings|options|requires|tool_requires|build_requires|test_requires|python_requires)[ \t]*=[ \t]*`)
	required  = regexp.MustCompile(`\bself\.(requires|tool_requires|build_requires|test_requires)\([ \t\r\n]*`)
)

// parseConanfile reads the beginning of a recipe.
func parseConanfile(raw []byte) recipe {
	source := protocols.CleanText(string(raw))
	r := recipe{texts: map[string]string{}, lists: map[string][]string{}}
	for _, at := range attribute.FindAllStringSubmatchIndex(source, -1) {
		name, value := source[at[2]:at[3]], source[at[1]:]
		if name == "options" {
			r.options = parseOptions(value)
			continue
		}
		items := parseTexts(value)
		if len(items) == 0 || r.lists[name] != nil {
			continue
		}
		r.texts[name], r.lists[name] = items[0], items
	}
	for _, group := range []string{"requires", "tool_requires", "build_requires", "test_requires", "python_requires"} {
		for _, item := range r.lists[group] {
			r.require(group, item)
		}
	}
	for _, at := range required.FindAllStringSubmatchIndex(source, -1) {
		if text, _, ok := cutText(source[at[1]:]); ok {
			r.require(source[at[2]:at[3]], text)
		}
	}
	return r
}

// require notes what a recipe needs: name/version, the version being a range
// in brackets or not, and a user and channel.
func (r *recipe) require(group, text string) {
	name, requirement, ok := strings.Cut(strings.TrimSpace(text), "/")
	d := registry.Dependency{Group: group, Name: name, Requirement: requirement}
	if ok && word.MatchString(name) && len(requirement) <= maxText && len(r.requirements) < maxItems && !slices.Contains(r.requirements, d) {
		r.requirements = append(r.requirements, d)
	}
}

// parseTexts reads the strings that an expression begins with: one, or a tuple
// or list of them, with brackets or without.
func parseTexts(source string) []string {
	var items []string
	closing := byte(0)
	if source != "" && strings.IndexByte("([", source[0]) >= 0 {
		closing = map[byte]byte{'(': ')', '[': ']'}[source[0]]
		source = source[1:]
	}
	for len(items) < maxItems {
		source = skipBlanks(source, closing != 0)
		text, rest, ok := cutText(source)
		if !ok {
			break
		}
		// Strings that follow each other are one.
		for {
			more, after, ok := cutText(skipBlanks(rest, closing != 0))
			if !ok || len(text) > maxText {
				break
			}
			text, rest = text+more, after
		}
		items = append(items, protocols.CutText(text, maxText))
		rest = skipBlanks(rest, closing != 0)
		if !strings.HasPrefix(rest, ",") {
			break
		}
		source = rest[1:]
	}
	return items
}

// skipBlanks cuts blanks and, within brackets, line ends and comments.
func skipBlanks(source string, lines bool) string {
	for {
		source = strings.TrimLeftFunc(source, func(c rune) bool { return unicode.IsSpace(c) && (lines || c != '\n') })
		if !lines || !strings.HasPrefix(source, "#") {
			return source
		}
		_, rest, found := strings.Cut(source, "\n")
		if !found {
			return ""
		}
		source = rest
	}
}

// cutText reads a string literal at the beginning of the source: in single or
// double quotes, once or three times. It reports false for anything else, also
// for strings with a prefix such as f.
func cutText(source string) (text, rest string, ok bool) {
	quote := ""
	for _, q := range []string{`"""`, `'''`, `"`, `'`} {
		if strings.HasPrefix(source, q) {
			quote = q
			break
		}
	}
	if quote == "" {
		return "", source, false
	}
	var b strings.Builder
	for i := len(quote); i < len(source); i++ {
		switch {
		case strings.HasPrefix(source[i:], quote):
			return b.String(), source[i+len(quote):], true
		case source[i] == '\n' && len(quote) == 1:
			return "", source, false
		case source[i] == '\\' && i+1 < len(source):
			i++
			b.WriteString(unescape(source[i]))
		default:
			b.WriteByte(source[i])
		}
	}
	return "", source, false
}

// unescape is what a backslash and the character stand for, as far as it
// matters in a text for people.
func unescape(c byte) string {
	switch c {
	case '\n':
		return ""
	case 'n', 'r':
		return "\n"
	case 't':
		return " "
	}
	return string([]byte{c})
}

// parseOptions reads a dictionary whose keys are strings. The values are kept
// as they are written.
func parseOptions(source string) []option {
	source, ok := strings.CutPrefix(source, "{")
	if !ok {
		return nil
	}
	var all []option
	for len(all) < maxItems {
		name, rest, ok := cutText(skipBlanks(source, true))
		if !ok {
			break
		}
		rest, ok = strings.CutPrefix(skipBlanks(rest, true), ":")
		if !ok {
			break
		}
		value, after := cutValue(rest)
		all = append(all, option{protocols.CutText(name, maxText), protocols.CutText(protocols.OneLine(value), maxText)})
		if source, ok = strings.CutPrefix(after, ","); !ok {
			break
		}
	}
	return all
}

// cutValue returns an expression up to the comma or bracket that ends it.
func cutValue(source string) (value, rest string) {
	depth := 0
	for i := 0; i < len(source); i++ {
		switch source[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth < 0 {
				return source[:i], source[i:]
			}
		case ',':
			if depth == 0 {
				return source[:i], source[i:]
			}
		case '"', '\'':
			if _, after, ok := cutText(source[i:]); ok {
				i = len(source) - len(after) - 1
			}
		}
	}
	return source, ""
}

// facts are what all types know of a version.
func (r recipe) facts() registry.Facts {
	f := registry.Facts{
		Summary:       protocols.OneLine(r.texts["description"]),
		License:       strings.Join(r.lists["license"], ", "),
		Homepage:      protocols.WebURL(r.texts["homepage"]),
		RepositoryURL: protocols.WebURL(r.texts["url"]),
		Keywords:      r.lists["topics"],
		Dependencies:  r.requirements,
	}
	if author := protocols.OneLine(r.texts["author"]); author != "" {
		f.Authors = []string{author}
	}
	return f
}

// metadata is what is kept beyond the facts.
func (r recipe) metadata() metadata {
	return metadata{PackageType: r.texts["package_type"], Settings: r.lists["settings"], Options: r.options}
}

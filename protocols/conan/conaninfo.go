package conan

import (
	"bytes"
	"encoding/json"
	"strings"

	"entrepot/protocols"
)

// packageInfo is what a conaninfo.txt says of a binary: what it was built for
// and with. Its JSON is how searches describe the binary: content, the file as
// it is, is for clients of today, which take it apart themselves; the rest is
// for those before 1.48. What the file does not have is left out: clients stop
// at null, and take a binary with a recipe_hash for one of Conan 1.
type packageInfo struct {
	Content        string            `json:"content"`
	Settings       map[string]string `json:"settings,omitempty"`
	FullSettings   map[string]string `json:"full_settings,omitempty"`
	Options        map[string]string `json:"options,omitempty"`
	FullOptions    map[string]string `json:"full_options,omitempty"`
	Requires       []string          `json:"requires,omitempty"`
	FullRequires   []string          `json:"full_requires,omitempty"`
	BuildRequires  []string          `json:"build_requires,omitempty"`
	PythonRequires []string          `json:"python_requires,omitempty"`
	Conf           map[string]string `json:"conf,omitempty"`
	Env            map[string]string `json:"env,omitempty"`
	RecipeHash     string            `json:"recipe_hash,omitempty"`
}

// parsePackageInfo reads a conaninfo.txt: sections in brackets, below each a
// value a line, indented or not. It takes any text: unknown sections and lines
// that do not belong anywhere are only kept in Content.
func parsePackageInfo(raw []byte) packageInfo {
	text := protocols.CleanText(string(raw))
	info := packageInfo{Content: text}
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			section = line[1 : len(line)-1]
		default:
			info.add(section, line)
		}
	}
	return info
}

// add takes a line of a section.
func (info *packageInfo) add(section, line string) {
	pairs := map[string]*map[string]string{
		"settings": &info.Settings, "full_settings": &info.FullSettings, "options": &info.Options,
		"full_options": &info.FullOptions, "conf": &info.Conf, "env": &info.Env,
	}
	lists := map[string]*[]string{
		"requires": &info.Requires, "full_requires": &info.FullRequires,
		"build_requires": &info.BuildRequires, "python_requires": &info.PythonRequires,
	}
	switch {
	case section == "recipe_hash":
		info.RecipeHash = line
	case lists[section] != nil:
		*lists[section] = append(*lists[section], line)
	case pairs[section] != nil:
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return
		}
		if *pairs[section] == nil {
			*pairs[section] = map[string]string{}
		}
		(*pairs[section])[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
}

// describePackage is the fragment of a conaninfo.txt for searches, or nil when
// the file is too large for one; raw is its beginning.
func describePackage(raw []byte, size int64) []byte {
	if size > maxParsed {
		return nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(parsePackageInfo(raw)); err != nil {
		return nil // texts and maps of texts always can be encoded
	}
	return bytes.TrimSpace(b.Bytes())
}

package npm

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// The most of a kind that is lifted out of a manifest for people to see; the
// manifest itself keeps all.
const (
	maxLifted = 5000
	maxLine   = 2000
)

// liftFacts takes what all package types have in common out of a manifest. A
// member of an odd shape is passed over. The shapes are those of
// https://github.com/npm/cli/blob/latest/docs/lib/content/configuring-npm/package-json.md
// and of older clients.
func liftFacts(m manifest) registry.Facts {
	return registry.Facts{
		Summary:       protocols.CutText(protocols.OneLine(m.text("description")), maxLine),
		License:       protocols.CutText(license(m), maxLine),
		Homepage:      protocols.WebURL(m.text("homepage")),
		RepositoryURL: repositoryURL(m),
		Authors:       authors(m),
		Keywords:      keywords(m),
		Dependencies:  dependencies(m),
	}
}

func orElse(text, other string) string {
	if text != "" {
		return text
	}
	return other
}

// texts returns a member that is a list of texts, or one text.
func (m manifest) texts(key string) []string {
	var items []json.RawMessage
	if json.Unmarshal(m.get(key), &items) != nil {
		if one := m.text(key); one != "" {
			return []string{one}
		}
		return nil
	}
	var texts []string
	for _, item := range items {
		var text string
		if json.Unmarshal(item, &text) == nil && text != "" && len(texts) < maxLifted {
			texts = append(texts, protocols.CleanText(text))
		}
	}
	return texts
}

// objects returns the elements of a list as objects; an element that is none
// is an object without members.
func (m manifest) objects(key string) []manifest {
	var items []json.RawMessage
	if json.Unmarshal(m.get(key), &items) != nil {
		return nil
	}
	objects := make([]manifest, 0, min(len(items), maxLifted))
	for _, item := range items[:min(len(items), maxLifted)] {
		object, err := parseManifest(item)
		if err != nil {
			object = manifest{{key: "name", value: item}}
		}
		objects = append(objects, object)
	}
	return objects
}

// license is an SPDX expression; of the old forms the type counts.
func license(m manifest) string {
	if text := orElse(m.text("license"), m.object("license").text("type")); text != "" {
		return protocols.OneLine(text)
	}
	var types []string
	for _, l := range m.objects("licenses") {
		if text := orElse(l.text("type"), l.text("name")); text != "" {
			types = append(types, protocols.OneLine(text))
		}
	}
	return strings.Join(types, " OR ")
}

// authors are the names of the author and the contributors. Mail addresses
// are left where they are.
func authors(m manifest) []string {
	var names []string
	add := func(person string) {
		name, _, _ := strings.Cut(person, "<")
		name, _, _ = strings.Cut(name, "(")
		if name = protocols.CutText(protocols.OneLine(name), maxLine); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	add(orElse(m.text("author"), m.object("author").text("name")))
	for _, person := range m.objects("contributors") {
		add(person.text("name"))
	}
	return names
}

// keywords are a list, or in one text with commas or blanks between them.
func keywords(m manifest) []string {
	words := m.texts("keywords")
	if one := m.text("keywords"); one != "" {
		words = strings.FieldsFunc(one, func(c rune) bool { return c == ',' || c == ' ' })
	}
	var all []string
	for _, word := range words {
		if word = protocols.CutText(protocols.OneLine(word), maxLine); word != "" && !slices.Contains(all, word) {
			all = append(all, word)
		}
	}
	return all
}

// groups are the members that name dependencies.
var groups = []string{"dependencies", "optionalDependencies", "peerDependencies", "devDependencies"}

// dependencies lists what the package needs, in npm's groups.
func dependencies(m manifest) []registry.Dependency {
	var all []registry.Dependency
	optional := m.object("optionalDependencies")
	peers := m.object("peerDependenciesMeta")
	for _, group := range groups {
		for _, d := range m.object(group) {
			// npm lists optional dependencies among the others as well.
			if group == "dependencies" && optional.get(d.key) != nil || len(all) >= maxLifted {
				continue
			}
			var requirement string
			if json.Unmarshal(d.value, &requirement) != nil {
				continue
			}
			all = append(all, registry.Dependency{
				Group: group, Name: protocols.CleanText(d.key), Requirement: protocols.CleanText(requirement),
				Optional: group == "optionalDependencies" ||
					group == "peerDependencies" && string(peers.object(d.key).get("optional")) == "true",
			})
		}
	}
	return all
}

// hostedRepository is a repository named by its hosting service: "user/name"
// is GitHub's.
var hostedRepository = regexp.MustCompile(`^(?:(github|gitlab|bitbucket):)?([\w.-]+/[\w.-]+?)(?:\.git)?(?:#.*)?$`)

var hosts = map[string]string{
	"": "https://github.com/", "github": "https://github.com/", "gitlab": "https://gitlab.com/", "bitbucket": "https://bitbucket.org/",
}

// repositoryURL is where a browser finds the sources, or "".
func repositoryURL(m manifest) string {
	raw := orElse(m.text("repository"), m.object("repository").text("url"))
	if hosted := hostedRepository.FindStringSubmatch(raw); hosted != nil {
		return hosts[hosted[1]] + hosted[2]
	}
	raw = strings.TrimPrefix(raw, "git+")
	if host, path, ok := strings.Cut(strings.TrimPrefix(raw, "git@"), ":"); ok && strings.HasPrefix(raw, "git@") {
		raw = "https://" + host + "/" + path
	}
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	switch u.Scheme {
	case "git", "ssh", "git+ssh":
		u.Scheme = "https"
	}
	u.User, u.Fragment = nil, ""
	u.Path = strings.TrimSuffix(u.Path, ".git")
	return protocols.WebURL(u.String())
}

// facts are what a version's page shows beside the facts all types share.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	md, err := protocols.Metadata[metadata](v)
	if err != nil {
		return nil, err
	}
	var all protocols.Facts
	var engines []string
	for _, engine := range slices.Sorted(maps.Keys(md.Engines)) {
		engines = append(engines, engine+" "+md.Engines[engine])
	}
	all.Add("engines", "Runs on", strings.Join(engines, ", "))
	all.Add("os", "Systems", strings.Join(md.OS, ", "))
	all.Add("cpu", "Processors", strings.Join(md.CPU, ", "))
	all.Add("libc", "C library", strings.Join(md.Libc, ", "))
	all.Add("commands", "Commands", strings.Join(md.Commands, ", "))
	if md.Module == "module" {
		all.Add("module", "Modules", "ECMAScript")
	}
	if md.Types {
		all.Add("types", "Type declarations", "included")
	}
	if md.InstallScript {
		all.Add("install-script", "Install script", "runs when installed")
	}
	if md.Provenance {
		all.Add("provenance", "Provenance", "attestation attached")
	}
	all.Add("bugs", "Issues", md.Bugs)
	if md.FileCount > 0 {
		all.Add("unpacked", "Unpacked", fmt.Sprintf("%s in %s", sizeText(md.UnpackedSize), counted(md.FileCount, "file")))
	}
	return all, nil
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// sizeText is a size in binary units.
func sizeText(n int64) string {
	if n < 1<<10 {
		return counted(int(n), "byte")
	}
	size, unit := float64(n)/(1<<10), 0
	for size >= 1024 && unit < len(units)-1 {
		size /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %s", size, units[unit])
}

var units = []string{"KiB", "MiB", "GiB"}

package debian

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// maxRequest is the longest description of a distribution, in bytes.
const maxRequest = 256 << 10

// armoredKey serves the keys that sign the owner's distributions, as apt takes
// them for signed-by. While a key is being replaced there are two.
func armoredKey(w http.ResponseWriter, r *protocols.Request) error {
	return protocols.OpenPGPKeys(w, r, "repository.key", true)
}

// binaryKey is armoredKey for apt before 1.4.
func binaryKey(w http.ResponseWriter, r *protocols.Request) error {
	return protocols.OpenPGPKeys(w, r, "repository.gpg", false)
}

func body(r *protocols.Request) ([]byte, error) {
	raw, err := protocols.ReadLimited(r.Body, maxRequest)
	switch {
	case errors.Is(err, protocols.ErrTooMuch):
		return nil, registry.Errorf(registry.TooLarge, "the body is longer than %d bytes", maxRequest)
	case err != nil && !errors.Is(err, io.EOF):
		return nil, registry.Errorf(registry.Invalid, "the body broke off: %v", err)
	}
	return raw, nil
}

// distribution is a distribution as repository.json has it, and as PUT takes
// it.
type distribution struct {
	Name string `json:"name,omitempty"`
	// Origin, Label and Suite are frozen once the distribution is there.
	Origin string `json:"origin,omitempty"`
	Label  string `json:"label,omitempty"`
	Suite  string `json:"suite,omitempty"`
	// Description is for people.
	Description string `json:"description,omitempty"`
	// NotAutomatic keeps apt from installing of it unasked,
	// ButAutomaticUpgrades lets it upgrade what was.
	NotAutomatic         bool `json:"notAutomatic,omitempty"`
	ButAutomaticUpgrades bool `json:"butAutomaticUpgrades,omitempty"`
	// ValidDays is after how many days without a change clients begin to
	// mistrust it; 0 for never.
	ValidDays int `json:"validDays,omitempty"`
	// KeepVersions is how many versions of a package, by architecture, it
	// keeps; 0 for all.
	KeepVersions int `json:"keepVersions,omitempty"`
}

func describeDistribution(name string, s map[string]string) distribution {
	number := func(key string) int {
		n, _ := strconv.Atoi(s[key]) // what is stored is a number or absent
		return n
	}
	return distribution{
		Name: name, Origin: s[settingOrigin], Label: s[settingLabel], Suite: s[settingSuite], Description: s[settingDescription],
		NotAutomatic: s[settingManual] == "yes", ButAutomaticUpgrades: s[settingUpgrades] == "yes",
		ValidDays: number(settingValid), KeepVersions: number(registry.SettingKeep),
	}
}

// describe tells the keys and the distributions.
func describe(w http.ResponseWriter, r *protocols.Request) error {
	return protocols.DescribeIndexes(w, r, "distributions", func(root *ent.IndexRoot) distribution {
		return describeDistribution(root.Family, root.Settings)
	})
}

// configure makes a distribution with the labels of its owner's choice, or
// changes what may change of one.
func configure(w http.ResponseWriter, r *protocols.Request) error {
	name, err := index(r)
	if err != nil {
		return registry.FieldErrorf("distribution", "%q cannot be the name of a distribution", r.Params["distribution"])
	}
	raw, err := body(r)
	if err != nil {
		return err
	}
	var want distribution
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&want); err != nil {
		return registry.Errorf(registry.Invalid, "the body is not the description of a distribution: %v", err)
	}
	status := http.StatusOK
	var done map[string]string
	err = r.Space.ConfigureIndex(r.Context(), name, func(now map[string]string, made bool) (map[string]string, error) {
		status = http.StatusOK
		if made {
			status = http.StatusCreated
		}
		var err error
		done, err = want.settings(now, made)
		return done, err
	})
	if err != nil {
		return err
	}
	protocols.WriteJSON(w, r.Request, status, describeDistribution(name.Family, done))
	return nil
}

// settings are those of a distribution after the change.
func (d distribution) settings(now map[string]string, made bool) (map[string]string, error) {
	s := maps.Clone(now)
	for _, f := range []struct {
		key, value string
		frozen     bool
	}{
		{settingOrigin, d.Origin, true}, {settingLabel, d.Label, true}, {settingSuite, d.Suite, true}, {settingDescription, d.Description, false},
	} {
		switch {
		case len(f.value) > 200 || strings.ContainsFunc(f.value, func(c rune) bool { return c < ' ' || c == '\ufffd' }):
			return nil, registry.FieldErrorf(f.key, "%s: want one line of text of at most 200 bytes", f.key)
		case f.frozen && f.value == "", f.frozen && f.value == now[f.key]:
			continue
		case f.frozen && !made:
			return nil, &registry.Error{Code: registry.Conflict, Field: f.key,
				Message: f.key + " cannot change any more: apt would refuse the distribution on every machine that uses it"}
		}
		s[f.key] = f.value
	}
	for key, n := range map[string]int{settingValid: d.ValidDays, registry.SettingKeep: d.KeepVersions} {
		if n < 0 || n > 100_000 {
			return nil, registry.FieldErrorf(key, "%s: want a number from 0 on", key)
		}
		s[key] = strconv.Itoa(n)
	}
	for key, yes := range map[string]bool{settingManual: d.NotAutomatic, settingUpgrades: d.ButAutomaticUpgrades} {
		if delete(s, key); yes {
			s[key] = "yes"
		}
	}
	return s, nil
}

// remove gives a distribution up that holds no package any more. Until then
// an empty one is served, for apt stops at one that is not there.
func remove(w http.ResponseWriter, r *protocols.Request) error {
	name, err := index(r)
	if err != nil {
		return err
	}
	if err := r.Space.RemoveIndex(r.Context(), name.Family); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// sources serves {distribution}.sources: all that a machine needs, with the
// keys in it (deb822-style, sources.list(5), apt 2.4 and later).
func sources(w http.ResponseWriter, r *protocols.Request) error {
	name, ok := strings.CutSuffix(r.Params["file"], ".sources")
	if !ok || checkSegment("distribution", name) != nil {
		return nowhere()
	}
	snapshot, err := r.Snapshot(registry.IndexName{Family: name}, protocols.IndexSecondary)
	if err != nil {
		return err
	}
	var components, architectures []string
	for path := range snapshot.Paths() {
		component, rest, _ := strings.Cut(path, "/binary-")
		arch, file, ok := strings.Cut(rest, "/")
		if !ok || file != packagesName {
			continue
		}
		components = append(components, component)
		if arch != everyArch {
			architectures = append(architectures, arch)
		}
	}
	keys, err := r.Space.Keys(r.Context())
	if err != nil {
		return err
	}
	armored, err := registry.Armored(keys)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("Types: deb\nURIs: " + r.Root() + "\nSuites: " + name + "\n")
	b.WriteString("Components: " + strings.Join(unique(components), " ") + "\n")
	if len(architectures) > 0 {
		b.WriteString("Architectures: " + strings.Join(unique(architectures), " ") + "\n")
	}
	b.WriteString("Signed-By:\n")
	for line := range strings.SplitSeq(strings.TrimSpace(string(armored)), "\n") {
		if line == "" {
			line = "."
		}
		b.WriteString(" " + line + "\n")
	}
	h := w.Header()
	h.Set("Content-Type", textType)
	h.Set("Content-Disposition", protocols.Attachment(name+".sources"))
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		io.WriteString(w, b.String()) // the client has it or is gone
	}
	return nil
}

func unique(words []string) []string {
	slices.Sort(words)
	return slices.Compact(words)
}

package rpm

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// settingSign is what a group does about signatures of packages.
const settingSign = "sign"

// signPolicy says which packages are signed when they come into a group.
type signPolicy string

const (
	// signInherit: as the root group has it, and that as signNone has it.
	signInherit signPolicy = ""
	// signNone: a package stays as it was uploaded.
	signNone signPolicy = "none"
	// signAll: one without a signature gets one.
	signAll signPolicy = "all"
	// signAgain: every package is signed with the owner's key alone.
	signAgain signPolicy = "again"
)

func (p signPolicy) signs() bool { return p == signAll || p == signAgain }

// groupSettings are the settings of all groups of an owner.
type groupSettings map[string]map[string]string

// settingsOf reads the settings of the groups.
func settingsOf(r *protocols.Request) (groupSettings, error) {
	roots, err := r.Space.Indexes(r.Context())
	if err != nil {
		return nil, err
	}
	all := make(groupSettings, len(roots))
	for _, root := range roots {
		all[root.Family] = root.Settings
	}
	return all, nil
}

// policy is what a group does about signatures.
func (s groupSettings) policy(group string) signPolicy {
	for _, g := range []string{group, ""} {
		if p := signPolicy(s[g][settingSign]); p != signInherit {
			return p
		}
	}
	return signNone
}

// groupDescription is a group as repository.json has it, and as PUT takes it.
type groupDescription struct {
	// Group is its name; that of the root group is empty.
	Group string `json:"group"`
	// Sign says which packages are signed when they come: "none", "all" that
	// are not, or all "again". Empty is as the root group has it.
	Sign signPolicy `json:"sign,omitempty"`
	// KeepVersions is how many versions of a package, by architecture, it
	// keeps; 0 for all.
	KeepVersions int `json:"keepVersions,omitempty"`
}

func describeGroup(name string, s map[string]string) groupDescription {
	keep, _ := strconv.Atoi(s[registry.SettingKeep]) // what is stored is a number or absent
	return groupDescription{Group: name, Sign: signPolicy(s[settingSign]), KeepVersions: keep}
}

// describe tells the keys and the groups.
func describe(w http.ResponseWriter, r *protocols.Request) error {
	return protocols.DescribeIndexes(w, r, "groups", func(root *ent.IndexRoot) groupDescription {
		return describeGroup(root.Family, root.Settings)
	})
}

// maxSettings is the longest description of a group in bytes.
const maxSettings = 64 << 10

// configure makes a group before there is a package in it, or changes one.
func configure(w http.ResponseWriter, r *protocols.Request) error {
	group, err := groupOf(r.Params)
	if err != nil {
		return err
	}
	raw, err := protocols.ReadLimited(r.Body, maxSettings)
	if errors.Is(err, protocols.ErrTooMuch) {
		return registry.Errorf(registry.TooLarge, "the body is longer than %d bytes", maxSettings)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return registry.Errorf(registry.Invalid, "the body broke off: %v", err)
	}
	want := groupDescription{Group: group}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&want); err != nil {
		return registry.Errorf(registry.Invalid, "the body is not the description of a group: %v", err)
	}
	if want.Group != group {
		return registry.FieldErrorf("group", "group: the path names another group, %.80q", group)
	}
	if want.KeepVersions < 0 || want.KeepVersions > 100_000 {
		return registry.FieldErrorf("keepVersions", "keepVersions: want a number from 0 on")
	}
	switch want.Sign {
	case signInherit, signNone, signAll, signAgain:
	default:
		return registry.FieldErrorf("sign", `sign: want "none", "all" or "again", got %.40q`, want.Sign)
	}
	status := http.StatusOK
	err = r.Space.ConfigureIndex(r.Context(), registry.IndexName{Family: group}, func(now map[string]string, made bool) (map[string]string, error) {
		status = http.StatusOK
		if made {
			status = http.StatusCreated
		}
		s := map[string]string{}
		maps.Copy(s, now)
		s[registry.SettingKeep], s[settingSign] = strconv.Itoa(want.KeepVersions), string(want.Sign)
		return s, nil
	})
	if err != nil {
		return err
	}
	protocols.WriteJSON(w, r.Request, status, want)
	return nil
}

// remove gives a group up that holds no package any more. Until then an empty
// one is served, for clients stop at one that is not there.
func remove(w http.ResponseWriter, r *protocols.Request) error {
	group, err := groupOf(r.Params)
	if err != nil {
		return nowhere()
	}
	if err := r.Space.RemoveIndex(r.Context(), group); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// armoredKey serves the keys that sign the owner's groups. While a key is
// being replaced there are two.
func armoredKey(w http.ResponseWriter, r *protocols.Request) error {
	return protocols.OpenPGPKeys(w, r, "repository.key", true)
}

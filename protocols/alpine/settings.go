package alpine

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// settingsFile is a description of a repository, and takes changes of it. No
// architecture has a dot.
const settingsFile = "repository.json"

// maxSettings is the longest description of a repository, in bytes.
const maxSettings = 64 << 10

// settings are what an owner can say of a repository.
type settings struct {
	// KeepVersions is how many versions of a package, by architecture, it
	// keeps; 0 for all.
	KeepVersions int `json:"keepVersions"`
}

// description is a repository as JSON has it.
type description struct {
	settings
	// Architectures are those with an index of their own.
	Architectures []string `json:"architectures"`
}

// describe tells the architectures and settings of a repository.
func describe(w http.ResponseWriter, r *protocols.Request) error {
	at, err := parsePlace(r.Params)
	if err != nil {
		return nowhere()
	}
	roots, err := r.Space.Indexes(r.Context())
	if err != nil {
		return err
	}
	found := false
	d := description{Architectures: []string{}}
	for _, root := range roots {
		if root.Family != at.String() {
			continue
		}
		if found = true; root.Member != registry.EveryMember {
			d.Architectures = append(d.Architectures, root.Member)
			continue
		}
		d.KeepVersions, _ = strconv.Atoi(root.Settings[registry.SettingKeep]) // what is stored is a number or absent
	}
	if !found {
		return registry.Errorf(registry.NotFound, "there is no such repository")
	}
	w.Header().Set("Cache-Control", "no-cache")
	protocols.WriteJSON(w, r.Request, http.StatusOK, d)
	return nil
}

// configure changes the settings of a repository, for the architectures it has
// and for those to come.
func configure(w http.ResponseWriter, r *protocols.Request) error {
	at, err := parsePlace(r.Params)
	if err != nil {
		return err
	}
	want, err := readSettings(r.Body)
	if err != nil {
		return err
	}
	change := func(now map[string]string, _ bool) (map[string]string, error) {
		if now == nil {
			now = map[string]string{}
		}
		now[registry.SettingKeep] = strconv.Itoa(want.KeepVersions)
		return now, nil
	}
	// First for those to come: one that comes meanwhile has it from there.
	if err := r.Space.ConfigureIndex(r.Context(), registry.IndexName{Family: at.String(), Member: registry.EveryMember}, change); err != nil {
		return err
	}
	roots, err := r.Space.Indexes(r.Context())
	if err != nil {
		return err
	}
	for _, root := range roots {
		if root.Family != at.String() || root.Member == registry.EveryMember {
			continue
		}
		if err := r.Space.ConfigureIndex(r.Context(), registry.IndexName{Family: root.Family, Member: root.Member}, change); err != nil {
			return err
		}
	}
	protocols.WriteJSON(w, r.Request, http.StatusOK, want)
	return nil
}

func readSettings(body io.Reader) (settings, error) {
	var want settings
	raw, err := protocols.ReadLimited(body, maxSettings)
	switch {
	case errors.Is(err, protocols.ErrTooMuch):
		return want, registry.Errorf(registry.TooLarge, "the body is longer than %d bytes", maxSettings)
	case err != nil:
		return want, registry.Errorf(registry.Invalid, "the body broke off: %v", err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&want); err != nil {
		return want, registry.Errorf(registry.Invalid, "the body is not the description of a repository: %v", err)
	}
	if want.KeepVersions < 0 || want.KeepVersions > 100_000 {
		return want, registry.FieldErrorf("keepVersions", "keepVersions: want a number from 0 on")
	}
	return want, nil
}

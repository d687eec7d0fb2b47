package arch

import (
	"net/http"

	"entrepot/protocols"
	"entrepot/registry"
)

// The files of an owner, beside those of groups.
const (
	keyFile      = "repository.key"
	describeFile = "repository.json"
)

// repositoryKey serves the keys of the owner as pacman-key --add takes them:
// that which signs, and one it has replaced for as long as it is kept.
func repositoryKey(w http.ResponseWriter, r *protocols.Request) error {
	return protocols.OpenPGPKeys(w, r, keyFile, true)
}

// databaseDescription is a database as repository.json has it.
type databaseDescription struct {
	Group string `json:"group"`
	// Architecture is any for what architectures without packages are shown.
	Architecture string `json:"architecture"`
}

// describe tells the keys and the databases.
func describe(w http.ResponseWriter, r *protocols.Request) error {
	keys, err := protocols.DescribeKeys(r)
	if err != nil {
		return err
	}
	roots, err := r.Space.Indexes(r.Context())
	if err != nil {
		return err
	}
	answer := struct {
		Keys      []protocols.KeyDescription `json:"keys"`
		Databases []databaseDescription      `json:"databases"`
	}{keys, []databaseDescription{}}
	for _, root := range roots {
		arch := root.Member
		if arch == registry.EveryMember {
			arch = everyArch
		}
		answer.Databases = append(answer.Databases, databaseDescription{root.Family, arch})
	}
	w.Header().Set("Cache-Control", "no-cache")
	protocols.WriteJSON(w, r.Request, http.StatusOK, answer)
	return nil
}

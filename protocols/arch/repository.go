package arch

import (
	"net/http"

	"entrepot/ent"
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
	return protocols.DescribeIndexes(w, r, "databases", func(root *ent.IndexRoot) databaseDescription {
		arch := root.Member
		if arch == registry.EveryMember {
			arch = everyArch
		}
		return databaseDescription{root.Family, arch}
	})
}

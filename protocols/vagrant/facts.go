package vagrant

import (
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// metadata is what is kept of the first box of a version beside the facts all
// types share.
type metadata struct {
	// Vagrantfile tells that the box brings settings of its own.
	Vagrantfile bool `json:"vagrantfile,omitempty"`
	// Old tells that it has no metadata.json.
	Old bool `json:"old,omitempty"`
}

// facts are what a version's page shows beside the facts all types share.
func facts(v *ent.PackageVersion) ([]registry.Fact, error) {
	md, err := protocols.Metadata[metadata](v)
	if err != nil {
		return nil, err
	}
	var all []registry.Fact
	if md.Old {
		all = append(all, registry.Fact{Name: "format", Title: "Format", Value: "version 1: no metadata.json, " + oldBox})
	}
	if md.Vagrantfile {
		all = append(all, registry.Fact{Name: "vagrantfile", Title: "Vagrantfile", Value: "in the box"})
	}
	return all, nil
}

// oldBox is what clients make of a box without a metadata.json.
const oldBox = "so that Vagrant takes it for a box of VirtualBox"

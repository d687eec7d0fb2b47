// Package model holds the Go types behind GraphQL types that are no entity:
// hand-written ones in this file, generated ones in models.go.
package model

import (
	"entrepot/access"
	"entrepot/ent"
	"entrepot/registry"
)

// Viewer is the account that asks.
type Viewer struct {
	access.Viewer
	User *ent.User
}

// Search is what a search looks for; its fields do the searching.
type Search struct {
	// Words are in lower case.
	Words []string
	// Types and Owners narrow the search; nil does not. Owners are in lower
	// case.
	Types, Owners []string
}

// Dependency is a package that a version needs.
type Dependency struct {
	registry.Dependency
	// Version is the version that needs it.
	Version *ent.PackageVersion
}

// Readme is a version's readme.
type Readme struct {
	Raw     string
	Version *ent.PackageVersion
}

//go:build e2e

package registry

import (
	"testing"

	"entrepot/registry/database/databasetest"
)

func TestCleanupOnPostgres(t *testing.T) {
	for name, test := range map[string]func(*testing.T, *fixture){
		"versions": testCleanup, "bytes": testCleanupFrees, "too many": testCleanupHolds, "pins": testCleanupPins,
		"changes": testCleanupLooksAgain, "files": testCleanupFiles, "tags": testCleanupTags, "untagged": testUntagged,
	} {
		t.Run(name, func(t *testing.T) { test(t, newFixtureOn(t, databasetest.Postgres(t), Options{})) })
	}
}

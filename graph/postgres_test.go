//go:build e2e

package graph

import (
	"testing"

	"entrepot/registry/database/databasetest"
)

// TestOnPostgres runs what asks the database in more than ent's own words
// again on PostgreSQL.
func TestOnPostgres(t *testing.T) {
	before := databaseURL
	databaseURL = func(t testing.TB) string { return databasetest.Postgres(t) }
	defer func() { databaseURL = before }()
	for name, test := range map[string]func(*testing.T){
		"referrers": TestReferrers, "tag history": TestTagHistory, "copies": TestCopyVersion,
		"arguments":    TestArgumentErrors,
		"dependencies": TestPackage,
		"filters":      TestFiltersTellNothing,
		"instructions": TestFilesAndInstructions,
		"members":      TestPrivateMember,
		"mutations":    TestPackageMutations,
		"nodes":        TestNodes,
		"owners":       TestOwnerMutations,
		"paging":       TestPaging,
		"search":       TestSearch,
		"size":         TestSizeOfParts,
		"statements":   TestStatements,
		"tags":         TestVersionByTag,
		"tokens":       TestTokenMutations,
		"viewer":       TestViewer,
		"visibility":   TestVisibility,
	} {
		t.Run(name, test)
	}
}

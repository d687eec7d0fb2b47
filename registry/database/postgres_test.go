//go:build e2e

package database

import (
	"testing"

	"entrepot/registry/database/databasetest"
)

func TestPostgres(t *testing.T) {
	t.Run("fresh", func(t *testing.T) { testFresh(t, databasetest.Postgres(t)) })
	t.Run("no drift", func(t *testing.T) { testNoDrift(t, openTest(t, databasetest.Postgres(t))) })
	t.Run("upgrade", func(t *testing.T) { testUpgrade(t, openTest(t, databasetest.Postgres(t))) })
	t.Run("refuses newer", func(t *testing.T) { testRefusesNewer(t, databasetest.Postgres(t)) })
	t.Run("refuses other form", func(t *testing.T) { testRefusesOtherForm(t, databasetest.Postgres(t)) })
	t.Run("failed migration", func(t *testing.T) { testFailedMigration(t, openTest(t, databasetest.Postgres(t))) })
	t.Run("start together", func(t *testing.T) { testStartTogether(t, databasetest.Postgres(t)) })
}

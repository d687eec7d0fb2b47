//go:build e2e

package registry

import (
	"testing"

	"entrepot/registry/database/databasetest"
)

func TestSelectOnPostgres(t *testing.T) { testSelect(t, databasetest.Postgres(t)) }

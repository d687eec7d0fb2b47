package registry

import (
	"sync"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// Statements are built by many publishes at once; none may leave a trace in
// another.
func TestStatementsAreBuiltApart(t *testing.T) {
	build := func() string {
		query, _ := entsql.Dialect(dialect.Postgres).Insert("blobs").Columns("a", "b").Values(1, 2).OnConflict(onLiveBlob()...).Query()
		return query
	}
	want := build()
	var builders sync.WaitGroup
	for range 8 {
		builders.Go(func() {
			for range 1000 {
				if got := build(); got != want {
					t.Errorf("built %q, want %q", got, want)
					return
				}
			}
		})
	}
	builders.Wait()
}

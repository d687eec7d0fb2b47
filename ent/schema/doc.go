// Package schema is the data model: one entity a file, the same five
// (package, version, file, blob, property) for every package type.
//
// The generated client lies one folder up. A change here is followed by
// `go generate ./...` and by a new pair of migrations (docs/architecture.md,
// "Changing the data model").
package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/schema/field"
)

// now is the clock of the database: UTC, cut to the microseconds that
// PostgreSQL keeps, so that a value reads back as it was written on both
// databases.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// createdAt is the instant a row was written; it never changes.
func createdAt() ent.Field {
	return field.Time("created_at").Default(now).Immutable()
}

// updatedAt is the instant a row last changed.
func updatedAt() ent.Field {
	return field.Time("updated_at").Default(now).UpdateDefault(now)
}

package database

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// GaveUp tells whether the database ended a transaction because it stood in
// the way of another one: nothing of it has happened, and it may be run again.
// SQLite, where writing transactions queue, has no such case.
func GaveUp(err error) bool {
	// https://www.postgresql.org/docs/current/errcodes-appendix.html
	const (
		serializationFailure = "40001"
		deadlockDetected     = "40P01"
	)
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == serializationFailure || e.Code == deadlockDetected)
}

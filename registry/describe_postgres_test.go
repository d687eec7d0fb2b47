//go:build e2e

package registry

import "testing"

func TestAddedFileDescribesOnPostgres(t *testing.T) {
	f, _ := newPostgresFixture(t, Options{})
	testAddedFileDescribes(t, f)
}

//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

// TestMain builds the server once, runs the tests and ends what they shared.
// Should it not get that far, the kernel ends the children (see startProcess).
func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if err := useClients(); err != nil {
		return 1, err
	}
	if scratch, err = os.MkdirTemp("", "entrepot-e2e-"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	if err := os.Chmod(scratch, 0o755); err != nil {
		return 1, err
	}
	if binary, err = buildBinary(); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, sharedPostgres.end(), sharedS3.end()) }()
	return m.Run(), nil
}

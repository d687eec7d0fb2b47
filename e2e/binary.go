//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// binary is the path of the server under test, set by TestMain.
var binary string

// scratch is the directory for what all tests share, removed at the end. It is
// readable by everyone because PostgreSQL runs under another account.
var scratch string

// root is the directory of the module; tests run in the one of their package.
const root = ".."

// buildBinary builds the server and returns the absolute path of the program,
// which is alone in its directory and called entrepot, fit for PATH.
func buildBinary() (string, error) {
	dir := filepath.Join(scratch, "bin")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "entrepot")
	if built := os.Getenv("E2E_BINARY"); built != "" {
		built, err := filepath.Abs(built)
		if err != nil {
			return "", err
		}
		return path, os.Symlink(built, path)
	}
	args := []string{"build", "-o", path}
	if raceDetector() {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the server: %w\n%s", err, out)
	}
	return path, nil
}

// raceDetector tells whether the server is built with the race detector, which
// multiplies its memory.
func raceDetector() bool { return os.Getenv("E2E_RACE") != "" }

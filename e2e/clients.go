//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// clients are the programs the tests drive. All come from e2e/install.
var clients = []string{
	"curl", "wget",
	"mvn",
	"node", "npm", "pnpm", "yarn-classic", "yarn-berry", "bun",
	"cargo", "rustc", "go",
	"composer", "php", "unzip", "git",
	"apt-get", "dpkg-deb",
	"dnf", "zypper", "rpm", "rpmbuild", "rpmkeys", "rpm2cpio", "createrepo_c",
	"pacman", "pacman-key", "makepkg", "vercmp", "gpg", "gpgv", "xz",
	"python3", "pip", "twine", "uv", "poetry",
	"ruby", "gem", "bundle",
	"vagrant", "bsdtar",
	"nuget",
	"openssl",
	"conan", "conan1",
	"cph", "rattler-python",
	"R", "Rscript",
	"skopeo", "buildah", "crane", "oras", "regctl", "cosign", "helm", "helm4", "helm-cm-push", "apko",
	"versitygw", "chromium",
}

// useClients puts the project's own clients first in PATH and fails if any is
// missing: a test that quietly leaves a client out proves nothing.
func useClients() error {
	tools, err := filepath.Abs(filepath.Join(root, ".tools", "bin"))
	if err != nil {
		return err
	}
	if err := os.Setenv("PATH", tools+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		return err
	}
	var missing []string
	for _, name := range clients {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("missing clients: %s: run `make tools` first", strings.Join(missing, ", "))
	}
	return nil
}

// nowhere is an address that refuses connections at once (the discard port).
const nowhere = "http://127.0.0.1:9/"

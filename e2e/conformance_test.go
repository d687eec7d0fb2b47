//go:build e2e && conformance

package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestConformance runs the conformance program of the OCI distribution
// specification, built elsewhere, against each set-up and against three
// replicas:
//
//	CONFORMANCE=/path/to/program go test -tags 'e2e conformance' -run Conformance -v ./e2e
//
// Its settings (OCI_VERSION and so on) are taken from the environment.
func TestConformance(t *testing.T) {
	program := os.Getenv("CONFORMANCE")
	if program == "" {
		t.Fatal("CONFORMANCE does not name the program")
	}
	for _, setup := range setups {
		t.Run(setup.Name, func(t *testing.T) { conform(t, program, StartServer(t, setup)) })
	}
	t.Run("replicas", func(t *testing.T) { conform(t, program, StartReplicas(t, 3).Server) })
}

func conform(t *testing.T, program string, s *Server) {
	alice := startOrg(t, s)
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"OCI_REGISTRY="+s.Host, "OCI_TLS=disabled", "OCI_REPO1=acme/conformance/one", "OCI_REPO2=acme/conformance/two",
		"OCI_USERNAME="+alice.Name, "OCI_PASSWORD="+alice.Token, "OCI_RESULTS_DIR="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, line := range regexp.MustCompile(`(?m)^.*\.\.\.: .*$`).FindAllString(string(out), -1) {
		t.Log(strings.TrimSpace(line))
	}
	if err := s.Doctor(t.Context()); err != nil {
		t.Error(err)
	}
}

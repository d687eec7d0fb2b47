//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"testing"
)

// TestPackagesOnServices runs the tests that stand beside the code and need
// PostgreSQL or S3: migrations, concurrent publishes, the collector and the
// doctor on the one, the conformance of the storage on the other.
func TestPackagesOnServices(t *testing.T) {
	pg, err := sharedPostgres.get("postgres")
	if err != nil {
		t.Fatal(err)
	}
	s3, err := sharedS3.get("s3")
	if err != nil {
		t.Fatal(err)
	}
	bucket, _, err := s3.createBucket()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, run string
		packages  []string
		service   string
	}{
		{"postgres", "Postgres", []string{"./registry/...", "./graph"}, "ENTREPOT_TEST_POSTGRES=" + pg.url("postgres")},
		{"s3", "S3", []string{"./storage/..."}, "ENTREPOT_TEST_S3=" + bucket},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "go", append([]string{"test", "-tags", "e2e", "-count", "1", "-run", tt.run}, tt.packages...)...)
			cmd.Dir = root
			cmd.Env = append(os.Environ(), tt.service)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

//go:build e2e

package e2e

import (
	"database/sql"
	"fmt"
	"os/exec"
	"testing"
)

// The two services are themselves worth a test: when one is broken, this says
// so in one line instead of in every other test.
func TestServices(t *testing.T) {
	t.Run("postgres", func(t *testing.T) {
		pg, err := sharedPostgres.get("postgres")
		if err != nil {
			t.Fatal(err)
		}
		url, err := pg.createDatabase(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("pgx", url)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var tables int
		const userTables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
		if err := db.QueryRowContext(t.Context(), userTables).Scan(&tables); err != nil || tables != 0 {
			t.Fatalf("tables in a fresh database = %d, %v; want 0", tables, err)
		}
	})
	t.Run("s3", func(t *testing.T) {
		s3, err := sharedS3.get("s3")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s3.createBucket(); err != nil {
			t.Fatal(err)
		}
		object := fmt.Sprintf("http://%s/bucket-1/hello.txt", s3.address)
		signed := []string{"-sS", "--fail-with-body", "--aws-sigv4", "aws:amz:" + s3Region + ":s3", "--user", s3AccessKey + ":" + s3SecretKey,
			"-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"}
		put := append(signed, "-X", "PUT", "-d", "hello", object)
		if out, err := exec.CommandContext(t.Context(), "curl", put...).CombinedOutput(); err != nil {
			t.Fatalf("put: %v\n%s", err, out)
		}
		out, err := exec.CommandContext(t.Context(), "curl", append(signed, object)...).CombinedOutput()
		if err != nil || string(out) != "hello" {
			t.Fatalf("get: %q, %v; want hello", out, err)
		}
	})
}

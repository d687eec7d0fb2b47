package storagetest

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
)

// S3 starts an S3 server in memory that checks signatures, with one empty bucket, and returns it as a remote for
// storage.Open. It ends with the test.
func S3(t testing.TB) string {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(t.Context(), "bucket"); err != nil {
		t.Fatal(err)
	}
	fake := gofakes3.New(backend, gofakes3.WithV4Auth(map[string]string{"key": "secret"}))
	server := httptest.NewUnstartedServer(fake.Server())
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // it answers some errors twice
	server.Start()
	t.Cleanup(server.Close)
	return fmt.Sprintf(":s3,provider=Other,endpoint=%q,access_key_id=key,secret_access_key=secret,region=us-east-1:bucket/pre/fix", server.URL)
}

package generic_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"entrepot/server/servertest"
)

// BenchmarkDownload measures GETs of a file of 64 KiB against a bare Go file
// server in the same run.
func BenchmarkDownload(b *testing.B) {
	content := strings.Repeat("0123456789abcdef", 4096)
	s := servertest.New(b)
	path := root + "/app/1/f.bin"
	s.Want(b, 201, "wim", "PUT", path, content)
	etag := s.Want(b, 200, "", "HEAD", path, "").Header.Get("ETag")

	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f.bin"), []byte(content), 0o600); err != nil {
		b.Fatal(err)
	}
	bare := httptest.NewServer(http.FileServer(http.Dir(dir)))
	b.Cleanup(bare.Close)

	for _, bb := range []struct{ name, url, login, header, value string }{
		{"bare", bare.URL + "/f.bin", "", "", ""},
		{"anonymous", s.URL + path, "", "", ""},
		{"token", s.URL + path, "rea", "", ""},
		{"not-modified", s.URL + path, "", "If-None-Match", etag},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				get(b, bb.url, s.Tokens[bb.login], bb.header, bb.value)
			}
		})
	}
}

// get fetches a URL and throws the body away.
func get(b *testing.B, url, token, header, value string) {
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		b.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if header != "" {
		req.Header.Set(header, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		b.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 && res.StatusCode != 304 {
		b.Fatalf("status %d", res.StatusCode)
	}
}

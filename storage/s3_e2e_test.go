//go:build e2e

package storage_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"entrepot/storage"
	"entrepot/storage/storagetest"
)

// realS3 returns the remote of the S3 server that the end-to-end run has started, with a prefix of its own below it.
func realS3(t *testing.T) string {
	t.Helper()
	remote := os.Getenv("ENTREPOT_TEST_S3")
	if remote == "" {
		t.Fatal(`ENTREPOT_TEST_S3 must name an S3 remote, like :s3,provider=Other,endpoint="http://127.0.0.1:7070",access_key_id=k,secret_access_key=s:bucket`)
	}
	return strings.TrimRight(remote, "/") + "/" + storage.NewKey()
}

func TestConformanceOnRealS3(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store { return open(t, realS3(t)) })
}

// TestRealS3Link covers what the server in the process gets wrong: ranges of links, and tampering with them.
func TestRealS3Link(t *testing.T) {
	s := open(t, realS3(t))
	key, content := storage.NewKey(), storagetest.Content(1000)
	if _, err := s.Put(t.Context(), key, bytes.NewReader(content), 1000); err != nil {
		t.Fatal(err)
	}
	link, err := s.Link(t.Context(), key, storage.LinkOptions{ContentType: "text/x-test", Disposition: "attachment"})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Range", "bytes=100-199")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusPartialContent || !bytes.Equal(body, content[100:200]) {
		t.Errorf("range of a link: %s, %d bytes, %v", response.Status, len(body), err)
	}
	for name, changed := range map[string]string{
		"another type":   strings.Replace(link, "x-test", "html", 1),
		"another object": strings.Replace(link, key, storage.NewKey(), 1),
		"a longer life":  strings.Replace(link, "X-Amz-Expires=300", "X-Amz-Expires=3000", 1),
	} {
		if changed == link {
			t.Fatalf("%s: the link has another form: it cannot be changed", name)
		}
		response, err := http.Get(changed)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %s, want 403", name, response.Status)
		}
	}
}

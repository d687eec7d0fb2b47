package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func get(t *testing.T, target, encoding string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	r.Header.Set("Accept-Encoding", encoding)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestFingerprintedAssetIsImmutable(t *testing.T) {
	for name, a := range assets() {
		t.Run(name, func(t *testing.T) {
			res := get(t, URL(name), "")
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != 200 || !bytes.Equal(body, a.plain) {
				t.Fatalf("status %d, %d bytes of %d", res.StatusCode, len(body), len(a.plain))
			}
			if got := res.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
				t.Errorf("Cache-Control %q", got)
			}
			if res.Header.Get("Content-Type") == "" {
				t.Error("no Content-Type")
			}
		})
	}
}

func TestStaleFingerprintRevalidates(t *testing.T) {
	res := get(t, Prefix+"app.css?v=old", "")
	if got := res.Header.Get("Cache-Control"); got != "public, no-cache" {
		t.Errorf("Cache-Control %q", got)
	}
	again := get(t, Prefix+"app.css", "", "If-None-Match", res.Header.Get("ETag"))
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("status %d, want 304", again.StatusCode)
	}
}

func TestGzip(t *testing.T) {
	for encoding, want := range map[string]bool{
		"gzip, deflate, br": true, "*": true, "GZIP;q=0.5": true, "": false, "br": false, "gzip;q=0": false, "identity": false,
	} {
		t.Run(encoding, func(t *testing.T) {
			res := get(t, URL("app.js"), encoding)
			if got := res.Header.Get("Content-Encoding") == "gzip"; got != want {
				t.Fatalf("gzip %v, want %v", got, want)
			}
			if !want {
				return
			}
			zr, err := gzip.NewReader(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(zr)
			if err != nil || !bytes.Equal(body, assets()["app.js"].plain) {
				t.Errorf("the unpacked body differs: %v", err)
			}
		})
	}
}

func TestUnknownAsset(t *testing.T) {
	if res := get(t, Prefix+"nothing.css", ""); res.StatusCode != 404 {
		t.Errorf("status %d", res.StatusCode)
	}
}

// The whole of what a first visit loads besides the page stays under 150 kB, as sent.
func TestFirstLoadIsSmall(t *testing.T) {
	total := 0
	for _, a := range assets() {
		total += len(a.gzipped())
	}
	if total > 60_000 {
		t.Errorf("the assets are %d bytes compressed; a page of 90 kB would pass 150 kB", total)
	}
}

// Assets name no other host: the UI works in a network of its own. XML namespaces are names, not addresses.
func TestNoOtherHost(t *testing.T) {
	for _, name := range []string{"app.css", "app.js", "icons.svg", "logo.svg", "favicon.svg"} {
		text := strings.ReplaceAll(string(assets()[name].plain), "http://www.w3.org/2000/svg", "")
		if strings.HasPrefix(text, "/*!") { // a licence
			_, text, _ = strings.Cut(text, "*/")
		}
		for _, scheme := range []string{"http://", "https://", "url(//"} {
			if i := strings.Index(text, scheme); i >= 0 {
				t.Errorf("%s: ...%.60s", name, text[i:])
			}
		}
	}
}

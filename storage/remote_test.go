package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/net/webdav"

	"entrepot/storage"
	"entrepot/storage/storagetest"
)

// recorded puts a proxy that notes every request before an S3 remote.
type recorded struct {
	remote string

	mu       sync.Mutex
	requests []string
	fail     func(r *http.Request) int // a status other than 0 is answered instead of the server's
}

var endpointOf = regexp.MustCompile(`endpoint="([^"]+)"`)

func record(t *testing.T, remote string) *recorded {
	t.Helper()
	endpoint := endpointOf.FindStringSubmatch(remote)[1]
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	rec := &recorded{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is part of the signature
		},
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec.mu.Lock()
		rec.requests = append(rec.requests, r.Method)
		fail := rec.fail
		rec.mu.Unlock()
		if fail != nil {
			if status := fail(r); status != 0 {
				io.Copy(io.Discard, r.Body)
				w.WriteHeader(status)
				return
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	rec.remote = strings.Replace(remote, endpoint, server.URL, 1)
	return rec
}

// take returns the methods of the requests since the last call.
func (rec *recorded) take() string {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	methods := strings.Join(rec.requests, " ")
	rec.requests = nil
	return methods
}

func (rec *recorded) failWith(fail func(r *http.Request) int) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.fail = fail
}

// TestS3Requests keeps the number of requests per operation, which is money and latency.
func TestS3Requests(t *testing.T) {
	rec := record(t, storagetest.S3(t))
	s := open(t, rec.remote)
	if got := rec.take(); got != "" {
		t.Errorf("Open sent %q", got)
	}
	key, content := storage.NewKey(), storagetest.Content(100_000)
	steps := []struct {
		name string
		do   func() error
		want string
	}{
		{"Put", func() error { _, err := s.Put(t.Context(), key, bytes.NewReader(content), 100_000); return err }, "PUT"},
		{"Put of unknown, small size", func() error { _, err := s.Put(t.Context(), storage.NewKey(), bytes.NewReader(content), -1); return err }, "PUT"},
		{"Put of nothing", func() error { _, err := s.Put(t.Context(), storage.NewKey(), bytes.NewReader(nil), 0); return err }, "PUT"},
		{"Stat", func() error { _, err := s.Stat(t.Context(), key); return err }, "HEAD"},
		{"Open, seek and read", func() error {
			f, err := s.Open(t.Context(), key, 100_000)
			if err != nil {
				return err
			}
			defer f.Close()
			for _, whence := range []int{io.SeekEnd, io.SeekStart, io.SeekStart} {
				if _, err := f.Seek(0, whence); err != nil {
					return err
				}
			}
			_, err = io.Copy(io.Discard, f)
			return err
		}, "HEAD GET"},
		{"first Link", func() error { _, err := s.Link(t.Context(), key, storage.LinkOptions{}); return err }, "HEAD"},
		{"Link", func() error { _, err := s.Link(t.Context(), key, storage.LinkOptions{}); return err }, ""},
		{"Ping", func() error { return s.Ping(t.Context()) }, "GET"},
		{"Remove", func() error { return s.Remove(t.Context(), key) }, "HEAD DELETE"},
		{"Remove again", func() error { return s.Remove(t.Context(), key) }, "HEAD"},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := rec.take(); got != step.want {
			t.Errorf("%s sent %q, want %q", step.name, got, step.want)
		}
	}
}

func TestS3Failures(t *testing.T) {
	for _, test := range []struct {
		status int
		want   error
	}{
		{http.StatusServiceUnavailable, storage.ErrTemporary},
		{http.StatusInternalServerError, storage.ErrTemporary},
		{http.StatusTooManyRequests, storage.ErrTemporary},
		{http.StatusInsufficientStorage, storage.ErrNoSpace},
		{http.StatusForbidden, nil},
	} {
		t.Run(fmt.Sprint(test.status), func(t *testing.T) {
			t.Parallel()
			rec := record(t, storagetest.S3(t))
			s := open(t, rec.remote)
			rec.failWith(func(r *http.Request) int {
				if r.Method == http.MethodPut {
					return test.status
				}
				return 0
			})
			key := storage.NewKey()
			_, err := s.Put(t.Context(), key, strings.NewReader("hello"), 5)
			if err == nil || errors.Is(err, storage.ErrBody) || errors.Is(err, storage.ErrNotFound) {
				t.Errorf("Put answered with %d: %v", test.status, err)
			}
			for _, category := range []error{storage.ErrTemporary, storage.ErrNoSpace} {
				if errors.Is(err, category) != (category == test.want) {
					t.Errorf("Put answered with %d: %v, is %v: %v", test.status, err, category, errors.Is(err, category))
				}
			}
		})
	}
	// rclone remembers failures and slows down, so each operation gets a store of its own.
	for name, do := range map[string]func(s storage.Store) error{
		"Put": func(s storage.Store) error {
			_, err := s.Put(t.Context(), storage.NewKey(), strings.NewReader("hello"), 5)
			return err
		},
		"Open": func(s storage.Store) error { _, err := s.Open(t.Context(), storage.NewKey(), 5); return err },
		"Ping": func(s storage.Store) error { return s.Ping(t.Context()) },
	} {
		t.Run(name+" when nobody listens", func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.NotFoundHandler())
			server.Close()
			s := open(t, fmt.Sprintf(":s3,provider=Other,endpoint=%q,access_key_id=k,secret_access_key=s:bucket", server.URL))
			if err := do(s); !errors.Is(err, storage.ErrTemporary) {
				t.Errorf("%v, want ErrTemporary", err)
			}
		})
	}
}

// TestS3LostAcknowledgement: the server stored the object but the answer was an error. The caller's Put failed, so the
// object has to go.
func TestS3LostAcknowledgement(t *testing.T) {
	remote := storagetest.S3(t)
	rec := record(t, remote)
	s, direct := open(t, rec.remote), open(t, remote)
	key := storage.NewKey()
	rec.failWith(func(r *http.Request) int {
		if r.Method != http.MethodPut {
			return 0
		}
		body, _ := io.ReadAll(r.Body)
		if _, err := direct.Put(t.Context(), key, bytes.NewReader(body), int64(len(body))); err != nil {
			t.Error(err)
		}
		return http.StatusInternalServerError
	})
	if _, err := s.Put(t.Context(), key, strings.NewReader("hello"), 5); !errors.Is(err, storage.ErrTemporary) {
		t.Errorf("Put: %v", err)
	}
	if _, err := direct.Stat(t.Context(), key); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("the object of the failed Put is still there: %v", err)
	}
}

// TestS3Retry: a body that fits in memory survives two failures of the server.
func TestS3Retry(t *testing.T) {
	t.Parallel()
	rec := record(t, storagetest.S3(t))
	s := open(t, rec.remote)
	failures := 2
	rec.failWith(func(r *http.Request) int {
		if r.Method == http.MethodPut && failures > 0 {
			failures--
			return http.StatusServiceUnavailable
		}
		return 0
	})
	content, key := storagetest.Content(5<<20), storage.NewKey()
	if _, err := s.Put(t.Context(), key, bytes.NewReader(content), -1); err != nil {
		t.Fatal(err)
	}
	if got := rec.take(); got != "PUT PUT PUT" {
		t.Errorf("requests %q", got)
	}
	f, err := s.Open(t.Context(), key, 5<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
}

// TestS3BrokenBody: a small body that breaks off never reaches the server, a large one ends as an aborted upload even
// though the caller's context is gone.
func TestS3BrokenBody(t *testing.T) {
	for _, test := range []struct {
		sent int
		want string
	}{
		{4 << 20, "HEAD"}, // the look for remains
		// Begin, parts, abort. A part that was cancelled on its way may arrive
		// behind the abort, and is refused then.
		{30 << 20, "POST PUT PUT.* DELETE( PUT)* HEAD"},
	} {
		rec := record(t, storagetest.S3(t))
		s := open(t, rec.remote)
		ctx, cancel := context.WithCancel(t.Context())
		body := io.MultiReader(bytes.NewReader(storagetest.Content(test.sent)), onEnd(cancel), strings.NewReader("rest"))
		if _, err := s.Put(ctx, storage.NewKey(), body, 40<<20); !errors.Is(err, context.Canceled) {
			t.Errorf("Put: %v", err)
		}
		if got := rec.take(); !regexp.MustCompile("^" + test.want + "$").MatchString(got) {
			t.Errorf("%d bytes, then cancelled: requests %q, want %q", test.sent, got, test.want)
		}
	}
}

func TestS3PingNoticesAMissingBucket(t *testing.T) {
	remote := strings.Replace(storagetest.S3(t), ":bucket/", ":mistyped/", 1)
	s := open(t, remote)
	if err := s.Ping(t.Context()); err == nil {
		t.Error("Ping succeeds without a bucket")
	}
	if _, err := s.Put(t.Context(), storage.NewKey(), strings.NewReader("x"), 1); err == nil {
		t.Error("Put made the mistyped bucket")
	}
}

func TestS3Link(t *testing.T) {
	remote := storagetest.S3(t)
	s, err := storage.Open(t.Context(), remote, storage.Options{PublicEndpoint: "https://cdn.example.com/", LinkTTL: 7 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	key := storage.NewKey()
	if _, err := s.Put(t.Context(), key, strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		ttl  time.Duration
		want string
	}{
		{0, "420"}, {time.Minute, "60"}, {time.Hour, "900"},
	} {
		link, err := s.Link(t.Context(), key, storage.LinkOptions{TTL: test.ttl})
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		if u.Scheme != "https" || u.Host != "cdn.example.com" || u.Path != "/bucket/pre/fix/"+key {
			t.Errorf("link goes to %s://%s%s", u.Scheme, u.Host, u.Path)
		}
		if got := u.Query().Get("X-Amz-Expires"); got != test.want {
			t.Errorf("TTL %v gives a link of %s s, want %s", test.ttl, got, test.want)
		}
		if signed := u.Query().Get("X-Amz-SignedHeaders"); signed != "host" {
			t.Errorf("clients would have to send %s", signed)
		}
	}
	for _, endpoint := range []string{"cdn.example.com", "ftp://cdn.example.com", "https://"} {
		if s, err := storage.Open(t.Context(), remote, storage.Options{PublicEndpoint: endpoint}); err == nil {
			s.Close()
			t.Errorf("public endpoint %q accepted", endpoint)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	const secret = "do-not-show-me"
	for name, remote := range map[string]string{
		"empty":              "",
		"unknown backend":    ":nosuch,secret_access_key=" + secret + ":bucket",
		"unknown name":       "nosuch,secret_access_key=" + secret + ":bucket",
		"broken string":      ":s3,secret_access_key='" + secret + ":bucket",
		"whole-object reads": ":s3,no_head_object=true,secret_access_key=" + secret + ":bucket",
		"key without id":     ":s3,provider=Other,endpoint='http://127.0.0.1:1',secret_access_key=" + secret + ":bucket",
		"unquoted endpoint":  ":s3,provider=Other,endpoint=http://127.0.0.1:1,access_key_id=k,secret_access_key=" + secret + ":bucket",
		"a bad size":         ":s3,chunk_size=huge,secret_access_key=" + secret + ":bucket",
		"too small a chunk":  ":s3,chunk_size=1Ki,secret_access_key=" + secret + ",access_key_id=k:bucket",
	} {
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		s, err := storage.Open(t.Context(), remote, storage.Options{Logger: logger})
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", name)
			continue
		}
		if strings.Contains(err.Error(), secret) || strings.Contains(log.String(), secret) {
			t.Errorf("%s: the secret shows: %v\n%s", name, err, log.String())
		}
	}
}

func TestOpenRcloneConfig(t *testing.T) {
	objects := t.TempDir()
	config := filepath.Join(t.TempDir(), "rclone.conf")
	text := "[disk" + filepath.Base(filepath.Dir(config)) + "]\ntype = alias\nremote = " + objects + "\n"
	if err := os.WriteFile(config, []byte(text), 0o400); err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(t.Context(), "disk"+filepath.Base(filepath.Dir(config))+":sub", storage.Options{RcloneConfig: config})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	key := storage.NewKey()
	if _, err := s.Put(t.Context(), key, strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(objects, "sub", filepath.FromSlash(key))); err != nil {
		t.Error(err)
	}
	f, err := s.Open(t.Context(), key, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, ok := f.(*os.File); !ok {
		t.Errorf("an alias of a directory opens as %T, not on the fast path", f)
	}
	if after, err := os.ReadFile(config); err != nil || string(after) != text {
		t.Errorf("the configuration was changed to %q, %v", after, err)
	}
	if _, err := storage.Open(t.Context(), "x:", storage.Options{RcloneConfig: config + ".missing"}); err == nil {
		t.Error("a missing configuration file is no error")
	}
}

// TestSpool stores bodies of unknown length on a backend that must know it: they wait in the spool, and nothing
// stays there.
func TestSpool(t *testing.T) {
	spool := t.TempDir()
	s, err := storage.Open(t.Context(), webDAV(t), storage.Options{SpoolDir: spool})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	content, key := storagetest.Content(6<<20), storage.NewKey()
	spooled := 0
	look := func() {
		entries, _ := os.ReadDir(spool)
		spooled = len(entries)
	}
	if n, err := s.Put(t.Context(), key, io.MultiReader(bytes.NewReader(content), onEnd(look)), -1); err != nil || n != 6<<20 {
		t.Fatalf("Put: %d, %v", n, err)
	}
	f, err := s.Open(t.Context(), key, 6<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
	if spooled != 1 {
		t.Errorf("%d files in the spool at the end of the body", spooled)
	}
	if err := s.Remove(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("reset")
	if _, err := s.Put(t.Context(), key, io.MultiReader(bytes.NewReader(content), iotest.ErrReader(broken)), -1); !errors.Is(err, broken) {
		t.Errorf("failing Put: %v", err)
	}
	if look(); spooled != 0 {
		t.Errorf("%d files stay in the spool", spooled)
	}
}

// webDAV starts a server of the kind that must know a body's length before it comes.
func webDAV(t *testing.T) string {
	server := httptest.NewServer(&webdav.Handler{FileSystem: webdav.NewMemFS(), LockSystem: webdav.NewMemLS()})
	t.Cleanup(server.Close)
	return fmt.Sprintf(":webdav,vendor=other,url=%q:objects", server.URL)
}

// onEnd calls f when it is read, and ends.
type onEnd func()

func (f onEnd) Read([]byte) (int, error) { f(); return 0, io.EOF }

func TestMemoryStoresAreSeparate(t *testing.T) {
	a, b := open(t, ":memory:"), open(t, ":memory:")
	key := storage.NewKey()
	if _, err := a.Put(t.Context(), key, strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Stat(t.Context(), key); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("another store has it: %v", err)
	}
}

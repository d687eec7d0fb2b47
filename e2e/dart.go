//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// pubClient speaks the protocol of hosted pub repositories, version 2, as
// strictly as Dart's own client: JSON of the exact types, URLs that are
// absolute, and the token only for what lies below the hosted URL.
type pubClient struct {
	hosted string // with a final slash
	token  string
}

// pubMedia is what the client asks for.
const pubMedia = "application/vnd.pub.v2+json"

// pubRetries is how often a request is sent that the server cannot answer now.
const pubRetries = 7

// do sends one request and wants a status. What the server says to people
// becomes the error.
func (c pubClient) do(ctx context.Context, want int, method, target, contentType string, body []byte) (Response, error) {
	var last error
	for range pubRetries {
		request, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
		if err != nil {
			return Response{}, err
		}
		if !request.URL.IsAbs() {
			return Response{}, fmt.Errorf("the URL %q is not absolute", target)
		}
		request.Header.Set("Accept", pubMedia)
		if contentType != "" {
			request.Header.Set("Content-Type", contentType)
		}
		if c.token != "" && strings.HasPrefix(target, c.hosted) {
			request.Header.Set("Authorization", "Bearer "+c.token)
		}
		client := newHTTPClient()
		response, err := client.Do(request)
		if err != nil {
			return Response{}, err
		}
		content, err := io.ReadAll(response.Body)
		response.Body.Close()
		client.CloseIdleConnections()
		if err != nil {
			return Response{}, err
		}
		if response.StatusCode == want {
			return Response{response.StatusCode, response.Header, content}, nil
		}
		last = fmt.Errorf("%s %s: %d: %s", method, target, response.StatusCode, pubMessage(response, content))
		if s := response.StatusCode; s < 500 && s != http.StatusRequestTimeout && s != http.StatusTooManyRequests {
			return Response{}, last
		}
	}
	return Response{}, last
}

// pubMessage is what the client prints of an answer that is an error.
func pubMessage(r *http.Response, body []byte) string {
	if challenge := r.Header.Get("WWW-Authenticate"); challenge != "" {
		if _, rest, ok := strings.Cut(challenge, `Bearer realm="pub", message="`); ok {
			return strings.TrimSuffix(rest, `"`)
		}
		return "a challenge of another kind: " + challenge
	}
	var store struct{ Code, Message string }
	if xml.Unmarshal(body, &store) == nil {
		return store.Message
	}
	var e struct {
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Error.Message == "" {
		return fmt.Sprintf("no message in %.300q", body)
	}
	return e.Error.Message
}

// get reads a JSON document.
func (c pubClient) get(ctx context.Context, target string, v any) error {
	response, err := c.do(ctx, http.StatusOK, http.MethodGet, target, "", nil)
	if err != nil {
		return err
	}
	if got := response.Header.Get("Content-Type"); got != pubMedia+"; charset=utf-8" {
		return fmt.Errorf("%s is of the type %q", target, got)
	}
	if err := json.Unmarshal(response.Body, v); err != nil {
		return fmt.Errorf("%s: %w", target, err)
	}
	return nil
}

// publish sends an archive in the protocol's three steps and returns the
// server's message.
func (c pubClient) publish(ctx context.Context, archive []byte) (string, error) {
	var begun struct {
		URL    string            `json:"url"`
		Fields map[string]string `json:"fields"`
	}
	if err := c.get(ctx, c.hosted+"api/packages/versions/new", &begun); err != nil {
		return "", err
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range begun.Fields {
		if err := form.WriteField(name, value); err != nil {
			return "", err
		}
	}
	w, err := form.CreateFormFile("file", "package.tar.gz")
	if err != nil {
		return "", err
	}
	if _, err := w.Write(archive); err != nil {
		return "", err
	}
	if err := form.Close(); err != nil {
		return "", err
	}
	uploaded, err := c.do(ctx, http.StatusNoContent, http.MethodPost, begun.URL, form.FormDataContentType(), body.Bytes())
	if err != nil {
		return "", err
	}
	var done struct {
		Success struct{ Message string }
	}
	if err := c.get(ctx, uploaded.Header.Get("Location"), &done); err != nil {
		return "", err
	}
	if done.Success.Message == "" {
		return "", errors.New("the last step of the publish says nothing")
	}
	return done.Success.Message, nil
}

// pubVersion and pubListing are documents as the client reads them.
type (
	pubVersion struct {
		Version   string         `json:"version"`
		Retracted bool           `json:"retracted"`
		URL       string         `json:"archive_url"`
		SHA256    string         `json:"archive_sha256"`
		Pubspec   map[string]any `json:"pubspec"`
		Published time.Time      `json:"published"`
	}
	pubListing struct {
		Name         string       `json:"name"`
		Discontinued bool         `json:"isDiscontinued"`
		ReplacedBy   string       `json:"replacedBy"`
		Latest       pubVersion   `json:"latest"`
		Versions     []pubVersion `json:"versions"`
	}
)

// list reads a package's listing and refuses one that the client would.
func (c pubClient) list(ctx context.Context, name string) (pubListing, error) {
	var l pubListing
	if err := c.get(ctx, c.hosted+"api/packages/"+name, &l); err != nil {
		return l, err
	}
	if l.Name != name || len(l.Versions) == 0 {
		return l, fmt.Errorf("the listing of %s is that of %q with %d versions", name, l.Name, len(l.Versions))
	}
	for _, v := range append(l.Versions, l.Latest) {
		if v.Pubspec["name"] != name || v.Pubspec["version"] != v.Version || v.Published.IsZero() || !strings.HasPrefix(v.URL, c.hosted) {
			return l, fmt.Errorf("the listing of %s has a version that is no good: %+v", name, v)
		}
	}
	return l, nil
}

// fetch downloads a version's archive and holds it against its checksum.
func (c pubClient) fetch(ctx context.Context, v pubVersion) ([]byte, error) {
	response, err := c.do(ctx, http.StatusOK, http.MethodGet, v.URL, "", nil)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(response.Body); hex.EncodeToString(sum[:]) != v.SHA256 {
		return nil, fmt.Errorf("the archive of %s has the SHA-256 %x, the listing %s", v.Version, sum, v.SHA256)
	}
	return response.Body, nil
}

// pub [-t TOKEN] publish HOSTED DIR
// pub [-t TOKEN] list HOSTED NAME
// pub [-t TOKEN] get HOSTED NAME [VERSION]
//
// publishes the package in a directory and prints what the server says; prints
// the versions of a package, one a line, and what else there is to tell of it;
// downloads a version, or the latest, checks it, and prints its SHA-256 and its
// pubspec. With "!" the command must fail; it prints why.
func cmdPub(ts *testscript.TestScript, neg bool, args []string) error {
	flags := flag.NewFlagSet("pub", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	token := flags.String("t", "", "token")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() < 3 {
		return errors.New("usage: pub [-t TOKEN] publish|list|get HOSTED DIR|NAME [VERSION]")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := pubClient{hosted: strings.TrimSuffix(flags.Arg(1), "/") + "/", token: *token}
	err := c.run(ctx, ts, flags.Arg(0), flags.Arg(2), flags.Arg(3))
	switch {
	case neg && err == nil:
		return errors.New("it succeeded")
	case neg:
		fmt.Fprintln(ts.Stdout(), err)
		return nil
	}
	return err
}

func (c pubClient) run(ctx context.Context, ts *testscript.TestScript, command, what, version string) error {
	if command == "publish" {
		var archive bytes.Buffer
		if err := packFolder(&archive, os.DirFS(ts.MkAbs(what))); err != nil {
			return err
		}
		message, err := c.publish(ctx, archive.Bytes())
		if err == nil {
			fmt.Fprintln(ts.Stdout(), message)
		}
		return err
	}
	l, err := c.list(ctx, what)
	if err != nil {
		return err
	}
	switch command {
	case "list":
		for _, v := range l.Versions {
			fmt.Fprintf(ts.Stdout(), "%s retracted=%t\n", v.Version, v.Retracted)
		}
		fmt.Fprintf(ts.Stdout(), "latest=%s discontinued=%t replaced=%s\n", l.Latest.Version, l.Discontinued, l.ReplacedBy)
		return nil
	case "get":
		v := l.Latest
		for _, each := range l.Versions {
			if each.Version == version {
				v = each
			}
		}
		if version != "" && v.Version != version {
			return fmt.Errorf("%s has no version %s", what, version)
		}
		archive, err := c.fetch(ctx, v)
		if err != nil {
			return err
		}
		fmt.Fprintf(ts.Stdout(), "%s %s\n", v.Version, v.SHA256)
		return copyEntry(ts.Stdout(), archive, "pubspec.yaml")
	}
	return fmt.Errorf("there is no command %q", command)
}

// packFolder packs a folder as `dart pub publish` does: gzip, tar, the files
// alone, with paths from the folder on.
func packFolder(out io.Writer, folder fs.FS) error {
	z := gzip.NewWriter(out)
	archive := tar.NewWriter(z)
	err := fs.WalkDir(folder, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(folder, path)
		if err != nil {
			return err
		}
		if err := archive.WriteHeader(&tar.Header{Name: path, Mode: 0o644, Size: int64(len(content))}); err != nil {
			return err
		}
		_, err = archive.Write(content)
		return err
	})
	return errors.Join(err, archive.Close(), z.Close())
}

// copyEntry copies a file out of an archive.
func copyEntry(w io.Writer, archive []byte, name string) error {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return err
	}
	for entries := tar.NewReader(z); ; {
		h, err := entries.Next()
		if err != nil {
			return fmt.Errorf("look for %s: %w", name, err)
		}
		if h.Name == name {
			_, err := io.Copy(w, entries)
			return err
		}
	}
}

// publishPub publishes a package the way dart does.
func publishPub(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	name = strings.ReplaceAll(name, "-", "_")
	var archive bytes.Buffer
	z := gzip.NewWriter(&archive)
	entries := tar.NewWriter(z)
	for _, file := range []struct {
		name string
		body []byte
	}{
		{"pubspec.yaml", fmt.Appendf(nil, "name: %s\nversion: %s\n", name, version)},
		{"lib/" + name + ".dart", fmt.Appendf(nil, "// %s\n", randomBytes(1+rand.IntN(32<<10)))},
	} {
		if err := entries.WriteHeader(&tar.Header{Name: file.name, Mode: 0o644, Size: int64(len(file.body))}); err != nil {
			return nil, err
		}
		if _, err := entries.Write(file.body); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(entries.Close(), z.Close()); err != nil {
		return nil, err
	}
	hosted := "/api/packages/" + owner + "/pub/"
	_, err := pubClient{hosted: s.URL + hosted, token: as.Token}.publish(ctx, archive.Bytes())
	path := hosted + "api/packages/" + name + "/files/" + strings.ReplaceAll(version, "+", "%2B") + ".tar.gz"
	return []Published{{path, sha256.Sum256(archive.Bytes())}}, err
}

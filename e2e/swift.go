//go:build e2e

package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/rogpeppe/go-internal/testscript"
)

// swiftClient speaks the Swift package registry service, version 1, as
// strictly as SwiftPM: it wants the version of the protocol in each answer, the
// exact types, links of so many parts, times in whole seconds and checksums
// that agree, and it skips releases with a problem.
type swiftClient struct {
	root  string // without a final slash
	token string
}

const (
	swiftMedia     = "application/vnd.swift.registry.v1"
	swiftSignature = "cms-1.0.0"
)

// do sends one request and wants a status. What the server says to people
// becomes the error.
func (c swiftClient) do(ctx context.Context, want int, method, target, accept, contentType string, body []byte) (Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return Response{}, err
	}
	if accept != "" {
		request.Header.Set("Accept", swiftMedia+accept)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
		request.Header.Set("Expect", "100-continue")
		request.Header.Set("Prefer", "respond-async")
		if bytes.Contains(body, []byte(`name="source-archive-signature"`)) {
			request.Header.Set("X-Swift-Package-Signature-Format", swiftSignature)
		}
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	client := newHTTPClient()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return Response{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return Response{}, err
	}
	h := response.Header
	if version := h.Get("Content-Version"); version != "1" && !(accept == "+zip" && response.StatusCode == http.StatusOK) {
		return Response{}, fmt.Errorf("%s %s: %d with Content-Version %q", method, target, response.StatusCode, version)
	}
	if response.StatusCode != want {
		var problem struct {
			Status        int
			Title, Detail string
		}
		if h.Get("Content-Type") != "application/problem+json" || json.Unmarshal(content, &problem) != nil || problem.Status != response.StatusCode {
			return Response{}, fmt.Errorf("%s %s: %d without a problem: %.300s", method, target, response.StatusCode, content)
		}
		return Response{}, fmt.Errorf("%d %s: %s", problem.Status, problem.Title, problem.Detail)
	}
	return Response{response.StatusCode, h, content}, nil
}

// packageURL is the URL of scope.name, and of what is below.
func (c swiftClient) packageURL(id string, more ...string) (string, error) {
	scope, name, ok := strings.Cut(id, ".")
	if !ok {
		return "", fmt.Errorf("%q is no identifier", id)
	}
	return strings.Join(append([]string{c.root, scope, name}, more...), "/"), nil
}

// swiftRelease is what a publish sends; without what is nil.
type swiftRelease struct {
	archive, signature, metadata, metadataSignature []byte
}

// publish sends a release, in parts without file names. As SwiftPM's, its
// metadata is plain JSON that is called quoted-printable.
func (c swiftClient) publish(ctx context.Context, id, version string, release swiftRelease) (string, error) {
	target, err := c.packageURL(id, version)
	if err != nil {
		return "", err
	}
	const boundary = "entrepot-boundary"
	var body bytes.Buffer
	for _, part := range []struct {
		name, mediaType, encoding string
		content                   []byte
	}{
		{"source-archive", "application/zip", "binary", release.archive},
		{"source-archive-signature", "application/octet-stream", "binary", release.signature},
		{"metadata", "application/json", "quoted-printable", release.metadata},
		{"metadata-signature", "application/octet-stream", "binary", release.metadataSignature},
	} {
		if part.content != nil {
			fmt.Fprintf(&body, "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\nContent-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n%s\r\n",
				boundary, part.name, part.mediaType, part.encoding, part.content)
		}
	}
	fmt.Fprintf(&body, "--%s--\r\n", boundary)
	done, err := c.do(ctx, http.StatusCreated, http.MethodPut, target, "+json", `multipart/form-data;boundary="`+boundary+`"`, body.Bytes())
	if err != nil {
		return "", err
	}
	return done.Header.Get("Location"), nil
}

// releases lists the versions that can be chosen, and those with a problem.
func (c swiftClient) releases(ctx context.Context, id string) (good, gone []*semver.Version, err error) {
	target, err := c.packageURL(id)
	if err != nil {
		return nil, nil, err
	}
	for target != "" {
		response, err := c.do(ctx, http.StatusOK, http.MethodGet, target, "+json", "", nil)
		if err != nil {
			return nil, nil, err
		}
		var list struct {
			Releases map[string]struct {
				URL     string
				Problem *struct{ Status int }
			}
		}
		if err := json.Unmarshal(response.Body, &list); err != nil || response.Header.Get("Content-Type") != "application/json" {
			return nil, nil, fmt.Errorf("the list is no good: %w, %s", err, response.Body)
		}
		for text, release := range list.Releases {
			v, err := semver.StrictNewVersion(text)
			if err != nil {
				return nil, nil, err
			}
			if release.Problem != nil {
				gone = append(gone, v)
			} else {
				good = append(good, v)
			}
		}
		links, err := swiftLinks(response.Header.Get("Link"), 2)
		if err != nil {
			return nil, nil, err
		}
		target = links["next"]
	}
	for _, all := range [][]*semver.Version{good, gone} {
		slices.SortFunc(all, func(a, b *semver.Version) int { return b.Compare(a) })
	}
	return good, gone, nil
}

// swiftTools is a version of the tools: SwiftPM wants two numbers or three.
var swiftTools = regexp.MustCompile(`^[0-9]+\.[0-9]+(\.[0-9]+)?$`)

// swiftLinks splits a Link header as SwiftPM does: at commas, and each entry
// into so many parts at semicolons.
func swiftLinks(header string, parts int) (map[string]string, error) {
	links := map[string]string{}
	if header == "" {
		return links, nil
	}
	for entry := range strings.SplitSeq(header, ",") {
		fields := strings.Split(entry, ";")
		if len(fields) != parts {
			return nil, fmt.Errorf("the link %q has %d parts, want %d", entry, len(fields), parts)
		}
		key := strings.Trim(strings.TrimPrefix(strings.TrimSpace(fields[1]), "rel="), `"`)
		if parts == 4 { // manifests are known by the version of the tools
			key = strings.Trim(strings.TrimPrefix(strings.TrimSpace(fields[3]), "swift-tools-version="), `"`)
			if !swiftTools.MatchString(key) {
				return nil, fmt.Errorf("the link %q names no version of the tools", entry)
			}
		}
		links[key] = strings.Trim(strings.TrimSpace(fields[0]), "<>")
	}
	return links, nil
}

// get downloads a release and checks it against what is told of it. It returns
// the document, the archive and its signature, nil for none.
func (c swiftClient) get(ctx context.Context, id, version string) (document, archive, signature []byte, err error) {
	target, err := c.packageURL(id, version)
	if err != nil {
		return nil, nil, nil, err
	}
	told, err := c.do(ctx, http.StatusOK, http.MethodGet, target, "+json", "", nil)
	if err != nil {
		return nil, nil, nil, err
	}
	var release struct {
		ID, Version string
		Resources   []struct {
			Name, Type, Checksum string
			Signing              *struct {
				SignatureBase64Encoded []byte
				SignatureFormat        string
			}
		}
		Metadata *struct {
			Author *struct{ Name *string }
		}
		PublishedAt string
	}
	if err := json.Unmarshal(told.Body, &release); err != nil {
		return nil, nil, nil, err
	}
	_, err = time.Parse("2006-01-02T15:04:05Z", release.PublishedAt)
	switch m := release.Metadata; {
	case err != nil || strings.Contains(release.PublishedAt, "."):
		return nil, nil, nil, fmt.Errorf("publishedAt is %q", release.PublishedAt)
	case !strings.EqualFold(release.ID, id) || release.Version != version || m == nil || m.Author != nil && m.Author.Name == nil:
		return nil, nil, nil, fmt.Errorf("the release is no good: %s", told.Body)
	case len(release.Resources) != 1 || release.Resources[0].Name != "source-archive" || release.Resources[0].Type != "application/zip":
		return nil, nil, nil, fmt.Errorf("the release's resources are no good: %s", told.Body)
	}
	zipped, err := c.do(ctx, http.StatusOK, http.MethodGet, target+".zip", "+zip", "", nil)
	if err != nil {
		return nil, nil, nil, err
	}
	sum, resource, h := sha256.Sum256(zipped.Body), release.Resources[0], zipped.Header
	if hex.EncodeToString(sum[:]) != resource.Checksum || h.Get("Content-Type") != "application/zip" ||
		h.Get("Digest") != "sha-256="+base64.StdEncoding.EncodeToString(sum[:]) {
		return nil, nil, nil, fmt.Errorf("the archive of %s %s has the SHA-256 %x and the head %v", id, version, sum, h)
	}
	format := ""
	if s := resource.Signing; s != nil {
		signature, format = s.SignatureBase64Encoded, s.SignatureFormat
		if len(signature) == 0 || format != swiftSignature {
			return nil, nil, nil, fmt.Errorf("the signature is no good: %s", told.Body)
		}
	}
	if h.Get("X-Swift-Package-Signature-Format") != format || h.Get("X-Swift-Package-Signature") != base64.StdEncoding.EncodeToString(signature) {
		return nil, nil, nil, fmt.Errorf("the archive of %s %s comes with another signature than the document: %v", id, version, h)
	}
	return told.Body, zipped.Body, signature, nil
}

// manifest reads the manifest that a version of Swift takes: the alternate with
// the highest tools version that is not higher, else the one for all.
func (c swiftClient) manifest(ctx context.Context, id, version, swift string) ([]byte, error) {
	target, err := c.packageURL(id, version, "Package.swift")
	if err != nil {
		return nil, err
	}
	plain, err := c.do(ctx, http.StatusOK, http.MethodGet, target, "+swift", "", nil)
	if err != nil {
		return nil, err
	}
	links, err := swiftLinks(plain.Header.Get("Link"), 4)
	if err != nil {
		return nil, err
	}
	mine, err := semver.NewVersion(swift)
	if err != nil {
		return nil, err
	}
	tools := regexp.MustCompile(`^// *swift-tools-version: *([0-9.]+)`).FindSubmatch(plain.Body)
	if tools == nil {
		return nil, fmt.Errorf("the manifest names no version: %s", plain.Body)
	}
	best, body := semver.MustParse(string(tools[1])), plain
	for text := range links {
		if v := semver.MustParse(text); !v.GreaterThan(mine) && v.GreaterThan(best) {
			// SwiftPM makes the URL itself, and always of three numbers.
			if body, err = c.do(ctx, http.StatusOK, http.MethodGet, target+"?swift-version="+v.String(), "+swift", "", nil); err != nil {
				return nil, err
			}
			best = v
		}
	}
	if body.Header.Get("Content-Type") != "text/x-swift" {
		return nil, fmt.Errorf("the manifest is of the type %q", body.Header.Get("Content-Type"))
	}
	return body.Body, nil
}

// swift [-t TOKEN] login ROOT
// swift [-t TOKEN] [-s FILE] [-m FILE] publish ROOT SCOPE.NAME VERSION DIR|ARCHIVE [METADATA]
// swift [-t TOKEN] list ROOT SCOPE.NAME
// swift [-t TOKEN] get ROOT SCOPE.NAME CONSTRAINT [ARCHIVE [SIGNATURE]]
// swift [-t TOKEN] manifest ROOT SCOPE.NAME VERSION SWIFT
// swift [-t TOKEN] identifiers ROOT URL
// swift pack DIR ARCHIVE
//
// tries a token; publishes a folder or an archive, with the signatures of the
// archive (-s) and the metadata (-m), and prints where it is; prints the
// releases of a package, one a line; downloads the highest release that a
// constraint allows, checks it, and prints its version, its checksum and its
// document; prints the manifest for a version of Swift; prints the packages of
// a repository; packs a folder. With "!" the command must fail; it prints why.
func cmdSwift(ts *testscript.TestScript, neg bool, args []string) error {
	flags := flag.NewFlagSet("swift", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	token := flags.String("t", "", "token")
	signature := flags.String("s", "", "file with the archive's signature")
	metadataSignature := flags.String("m", "", "file with the metadata's signature")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() < 2 {
		return errors.New("usage: swift [-t TOKEN] login|publish|list|get|manifest|identifiers|pack ROOT [ARGUMENTS]")
	}
	if flags.Arg(0) == "pack" && flags.NArg() == 3 && !neg {
		archive, err := swiftArchive(ts.MkAbs(flags.Arg(1)), "package")
		if err != nil {
			return err
		}
		return os.WriteFile(ts.MkAbs(flags.Arg(2)), archive, 0o644)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := swiftClient{root: strings.TrimSuffix(flags.Arg(1), "/"), token: *token}
	var signatures swiftRelease
	for file, to := range map[string]*[]byte{*signature: &signatures.signature, *metadataSignature: &signatures.metadataSignature} {
		if file != "" {
			*to = []byte(ts.ReadFile(file))
		}
	}
	out, err := c.run(ctx, ts, flags.Arg(0), flags.Args()[2:], signatures)
	switch {
	case neg && err == nil:
		return errors.New("it succeeded")
	case neg:
		fmt.Fprintln(ts.Stdout(), err)
		return nil
	}
	fmt.Fprint(ts.Stdout(), out)
	return err
}

func (c swiftClient) run(ctx context.Context, ts *testscript.TestScript, command string, args []string, release swiftRelease) (string, error) {
	switch command + fmt.Sprint(len(args)) {
	case "login0":
		_, err := c.do(ctx, http.StatusOK, http.MethodPost, c.root, "", "", nil)
		return "", err
	case "publish3", "publish4":
		if len(args) == 4 {
			release.metadata = []byte(ts.ReadFile(args[3]))
		}
		var err error
		release.archive, err = swiftArchive(ts.MkAbs(args[2]), args[0])
		if err != nil {
			return "", err
		}
		where, err := c.publish(ctx, args[0], args[1], release)
		return where + "\n", err
	case "list1":
		good, gone, err := c.releases(ctx, args[0])
		var out strings.Builder
		for _, v := range good {
			fmt.Fprintln(&out, v)
		}
		for _, v := range gone {
			fmt.Fprintln(&out, v, "gone")
		}
		return out.String(), err
	case "get2", "get3", "get4":
		wanted, err := semver.NewConstraint(args[1])
		if err != nil {
			return "", err
		}
		good, _, err := c.releases(ctx, args[0])
		if err != nil {
			return "", err
		}
		for _, v := range good {
			if wanted.Check(v) {
				told, archive, signature, err := c.get(ctx, args[0], v.Original())
				for i, content := range [][]byte{archive, signature} {
					if err == nil && len(args) > 2+i {
						err = os.WriteFile(ts.MkAbs(args[2+i]), content, 0o644)
					}
				}
				return fmt.Sprintf("%s %x\n%s", v, sha256.Sum256(archive), told), err
			}
		}
		return "", fmt.Errorf("%s has no release %s", args[0], args[1])
	case "manifest3":
		manifest, err := c.manifest(ctx, args[0], args[1], args[2])
		return string(manifest), err
	case "identifiers1":
		response, err := c.do(ctx, http.StatusOK, http.MethodGet, c.root+"/identifiers?url="+url.QueryEscape(args[0]), "+json", "", nil)
		return string(response.Body), err
	}
	return "", fmt.Errorf("there is no command %q with %d arguments", command, len(args))
}

// zipFolder packs a folder as `swift package archive-source` does: in one folder
// of the package's name.
func zipFolder(folder fs.FS, top string) ([]byte, error) {
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	err := fs.WalkDir(folder, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(folder, path)
		if err != nil {
			return err
		}
		w, err := archive.Create(top + "/" + path)
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	})
	err = errors.Join(err, archive.Close()) // which writes the rest
	return out.Bytes(), err
}

// swiftArchive is an archive, or what a folder is packed into.
func swiftArchive(source, top string) ([]byte, error) {
	if strings.HasSuffix(source, ".zip") {
		return os.ReadFile(source)
	}
	return zipFolder(os.DirFS(source), top)
}

// publishSwift publishes a release the way SwiftPM does.
func publishSwift(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for file, body := range map[string][]byte{"Package.swift": []byte("// swift-tools-version:5.9\n"), "data": randomBytes(8 << 10)} {
		w, err := archive.Create(file)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(body); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	root := "/api/packages/" + owner + "/swift"
	_, err := swiftClient{s.URL + root, as.Token}.publish(ctx, "scope."+name, version, swiftRelease{archive: out.Bytes()})
	return []Published{{root + "/scope/" + name + "/" + version + ".zip", sha256.Sum256(out.Bytes())}}, err
}

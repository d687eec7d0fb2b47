package graph

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"entrepot/access"
)

// serve runs the API's handlers; X-Who says who is asking.
func (f *fixture) serve() *httptest.Server {
	mux := http.NewServeMux()
	mux.Handle("/graphql", f.Handler())
	mux.Handle(FilesPrefix, f.Files())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(w, r.WithContext(access.NewContext(r.Context(), access.FromContext(f.as(r.Header.Get("X-Who"))))))
	}))
	f.t.Cleanup(srv.Close)
	return srv
}

func (f *fixture) request(srv *httptest.Server, who, method, path, contentType string, body io.Reader) (*http.Response, string) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, srv.URL+path, body)
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("X-Who", who)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := srv.Client().Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp, readAll(f.t, resp.Body)
}

func TestTransports(t *testing.T) {
	f := newFixture(t)
	srv := f.serve()
	post := func(query string) io.Reader {
		b, _ := json.Marshal(vars{"query": query})
		return bytes.NewReader(b)
	}
	const mutation = `mutation{createOrganization(input:{name:"acme"}){owner{name}}}`
	for _, tt := range []struct {
		name, method, path, contentType string
		body                            io.Reader
		status                          int
		want                            string
	}{
		{"JSON", "POST", "/graphql", "application/json", post(`{viewer{login}}`), 200, `{"data":{"viewer":{"login":"ann"}}}`},
		{"JSON of a charset", "POST", "/graphql", "application/json; charset=utf-8", post(`{__typename}`), 200, `{"data":{"__typename":"Query"}}`},
		{"a query by GET", "GET", "/graphql?query=" + url.QueryEscape(`{viewer{login}}`), "", nil, 200, `{"data":{"viewer":{"login":"ann"}}}`},
		{"no mutation by GET", "GET", "/graphql?query=" + url.QueryEscape(mutation), "", nil, 406, "GET requests only allow query operations"},
		{"no form, which any site can send", "POST", "/graphql", "application/x-www-form-urlencoded", strings.NewReader("query=" + url.QueryEscape(mutation)), 400, "transport not supported"},
		{"no plain text, which any site can send", "POST", "/graphql", "text/plain", post(mutation), 400, "transport not supported"},
		{"no type", "POST", "/graphql", "", post(mutation), 400, "transport not supported"},
		{"broken JSON", "POST", "/graphql", "application/json", strings.NewReader("{"), 400, "could not be decoded"},
		{"a body that is too large", "POST", "/graphql", "application/json", post("{" + strings.Repeat(" ", maxBody) + "viewer{login}}"), 200, "request body too large"},
		{"a query that is not valid", "POST", "/graphql", "application/json", post(`{nothing}`), 422, "GRAPHQL_VALIDATION_FAILED"},
		{"invalid UTF-8 by GET", "GET", "/graphql?query=%7Bowner(name:%22%ff%22)%7Bid%7D%7D", "", nil, 200, "UTF-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := f.request(srv, "ann", tt.method, tt.path, tt.contentType, tt.body)
			if resp.StatusCode != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("%d %s, want %d and %s", resp.StatusCode, body, tt.status, tt.want)
			}
			if resp.Header.Get("Cache-Control") != "no-store" {
				t.Error("the answer may be cached")
			}
		})
	}
	f.want("ann", `{owner(name:"acme"){id}}`, nil, `{"owner":null}`)
}

// A query that was sent once may be named by its hash from then on.
func TestPersistedQueries(t *testing.T) {
	f := newFixture(t)
	srv := f.serve()
	const query = `{viewer{login}}`
	sum := sha256.Sum256([]byte(query))
	hash := hex.EncodeToString(sum[:])
	ask := func(query string) string {
		b, _ := json.Marshal(vars{"query": query, "extensions": vars{"persistedQuery": vars{"version": 1, "sha256Hash": hash}}})
		_, body := f.request(srv, "ann", "POST", "/graphql", "application/json", bytes.NewReader(b))
		return body
	}
	if got := ask(""); !strings.Contains(got, "PERSISTED_QUERY_NOT_FOUND") {
		t.Errorf("unknown hash: %s", got)
	}
	if got := ask(query + " "); !strings.Contains(got, "hash") {
		t.Errorf("wrong hash: %s", got)
	}
	for _, q := range []string{query, ""} {
		if got := ask(q); got != `{"data":{"viewer":{"login":"ann"}}}` {
			t.Errorf("query %q: %s", q, got)
		}
	}
}

// form writes a multipart request up to the beginning of its file.
func form(w *multipart.Writer, input vars, mapping string) (io.Writer, error) {
	operations, err := json.Marshal(vars{
		"query":     `mutation($input:UploadFileInput!){uploadFile(input:$input){file{name blob{size}} version{version fileCount} package{name versionCount}}}`,
		"variables": vars{"input": input},
	})
	if err != nil {
		return nil, err
	}
	for _, part := range []struct{ name, value string }{{"operations", string(operations)}, {"map", mapping}} {
		if err := w.WriteField(part.name, part.value); err != nil {
			return nil, err
		}
	}
	return w.CreateFormFile("0", "C:\\dir/my file.txt")
}

func (f *fixture) upload(srv *httptest.Server, who string, input vars, mapping, content string) string {
	f.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	file, err := form(w, input, mapping)
	if err != nil {
		f.t.Fatal(err)
	}
	io.WriteString(file, content)
	w.Close()
	_, answer := f.request(srv, who, "POST", "/graphql", w.FormDataContentType(), &body)
	return answer
}

func TestUpload(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Public)
	srv := f.serve()
	input := func(change vars) vars {
		in := vars{"owner": "acme", "type": "plain", "package": "app", "version": "1.0", "name": "f.txt", "file": nil}
		for k, v := range change {
			if in[k] = v; v == "" {
				delete(in, k)
			}
		}
		return in
	}
	const place = `{"0":["variables.input.file"]}`
	for _, tt := range []struct {
		name, who, mapping string
		input              vars
		want               string
	}{
		{"a file", "ann", place, input(nil),
			`{"data":{"uploadFile":{"file":{"name":"f.txt","blob":{"size":5}},"version":{"version":"1.0","fileCount":1},"package":{"name":"app","versionCount":1}}}}`},
		{"named by the client", "ann", place, input(vars{"name": ""}), `"name":"my file.txt"`},
		{"that is there", "ann", place, input(nil), `"code":"CONFLICT"`},
		{"by a stranger", "eve", place, input(nil), `"code":"FORBIDDEN"`},
		{"by nobody", "", place, input(nil), `"code":"UNAUTHENTICATED"`},
		{"of a type without single files", "ann", place, input(vars{"type": "tagged"}), `"code":"INVALID","field":"type"`},
		{"to an unknown owner", "ann", place, input(vars{"owner": "none"}), `"code":"NOT_FOUND"`},
		{"for no variable", "ann", `{"0":["variables.input.elsewhere"]}`, input(nil), `no variable that waits for a file`},
		{"over another value", "ann", `{"0":["variables.input.name"]}`, input(nil), `no variable that waits for a file`},
		{"outside of the variables", "ann", `{"0":["query"]}`, input(nil), `no variable that waits for a file`},
		{"in two places", "ann", `{"0":["variables.input.file","variables.input.name"]}`, input(nil), `it can have one`},
		{"with another", "ann", `{"0":["variables.input.file"],"1":["variables.other"]}`, input(nil), `a request has one`},
		{"under another name", "ann", `{"1":["variables.input.file"]}`, input(nil), `must be the file`},
		{"map that is none", "ann", `[]`, input(nil), `cannot be read`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := f.upload(srv, tt.who, tt.input, tt.mapping, "hello"); !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	f.wantError("ann", `mutation($i:UploadFileInput!){uploadFile(input:$i){file{id}}}`, vars{"i": input(vars{"file": "text"})}, "INVALID", "")
}

// The operation runs while its file arrives: nothing waits for the whole.
func TestUploadStreams(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Public)
	arrived := make(chan string)
	f.opts.Uploaders["plain"] = uploaderFunc(func(body io.Reader) error {
		b := make([]byte, 5)
		_, err := io.ReadFull(body, b)
		arrived <- string(b)
		return err
	})
	srv := f.serve()
	r, w := io.Pipe()
	parts := multipart.NewWriter(w)
	sent := make(chan error, 1)
	go func() {
		file, err := form(parts, vars{"owner": "acme", "type": "plain", "package": "a", "version": "1", "file": nil}, `{"0":["variables.input.file"]}`)
		if err == nil {
			// More than any buffer on the way holds back.
			_, err = io.WriteString(file, "first"+strings.Repeat("x", 64<<10))
		}
		if err == nil && <-arrived != "first" {
			err = fmt.Errorf("the first bytes did not arrive")
		}
		if err == nil {
			_, err = io.WriteString(file, "the rest")
		}
		parts.Close()
		w.Close()
		sent <- err
	}()
	_, body := f.request(srv, "ann", "POST", "/graphql", parts.FormDataContentType(), r)
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(body, `"code":"CONFLICT"`) {
		t.Errorf("answer %s", body)
	}
}

// A body that breaks off publishes nothing.
func TestUploadBreaksOff(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Public)
	srv := f.serve()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	file, err := form(w, vars{"owner": "acme", "type": "plain", "package": "a", "version": "1", "file": nil}, `{"0":["variables.input.file"]}`)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(file, "half a fi")
	_, answer := f.request(srv, "ann", "POST", "/graphql", w.FormDataContentType(), &body)
	if !strings.Contains(answer, `"code":"INVALID"`) {
		t.Errorf("answer %s", answer)
	}
	f.want("ann", `{search{packages(first:1){totalCount}}}`, nil, `{"search":{"packages":{"totalCount":0}}}`)
}

func TestFiles(t *testing.T) {
	f := newFixture(t)
	f.org("acme", access.Private)
	f.publish("acme", "plain", "app", "1.0", nil)
	srv := f.serve()
	id := f.fileID("acme", "plain", "app", "1.0")
	path := FilesPrefix + id + "/f.txt"
	for _, tt := range []struct {
		name, who, method, path string
		status                  int
		want                    string
	}{
		{"a member", "ann", "GET", path, 200, "content of app 1.0"},
		{"its head", "ann", "HEAD", path, 200, ""},
		{"a stranger", "eve", "GET", path, 404, "file not found\n"},
		{"nobody", "", "GET", path, 404, "file not found\n"},
		{"a token without read", "ann/write:package", "GET", path, 404, "file not found\n"},
		{"another name", "ann", "GET", FilesPrefix + id + "/g.txt", 404, "file not found\n"},
		{"no name", "ann", "GET", FilesPrefix + id, 404, "file not found\n"},
		{"no id", "ann", "GET", FilesPrefix + "x/f.txt", 404, "file not found\n"},
		{"no file's id", "ann", "GET", FilesPrefix + f.packageID("acme", "plain", "app") + "/f.txt", 404, "file not found\n"},
		{"no change", "ann", "POST", path, 405, "only GET and HEAD\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := f.request(srv, tt.who, tt.method, tt.path, "", nil)
			if resp.StatusCode != tt.status || body != tt.want {
				t.Errorf("%d %q, want %d %q", resp.StatusCode, body, tt.status, tt.want)
			}
			if resp.StatusCode == 200 && (resp.Header.Get("Content-Type") != "application/octet-stream" || resp.Header.Get("X-Content-Type-Options") != "nosniff" ||
				!strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") || resp.Header.Get("Content-Length") != "18") {
				t.Errorf("headers %v", resp.Header)
			}
		})
	}
	if err := f.reg.FlushDownloads(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.want("ann", `{package(owner:"acme",type:"plain",name:"app"){downloads latest{downloads files(first:1){edges{node{downloads}}}}}}`, nil,
		`{"package":{"downloads":1,"latest":{"downloads":1,"files":{"edges":[{"node":{"downloads":1}}]}}}}`)
}

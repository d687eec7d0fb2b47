package server_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"entrepot/server"
	"entrepot/server/servertest"
)

// visitor is a client with cookies of the whole server.
type visitor struct {
	t *testing.T
	s *servertest.Server
	*http.Client
}

func newVisitor(t *testing.T, s *servertest.Server) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, s, &http.Client{Jar: jar}}
}

func (v *visitor) send(method, path, contentType, body string, headers ...string) (int, string) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.s.URL+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := v.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func (v *visitor) ask(query string, headers ...string) (int, string) {
	v.t.Helper()
	return v.send("POST", "/graphql", "application/json", fmt.Sprintf(`{"query":%q}`, query), headers...)
}

func (v *visitor) signIn(login string) {
	v.t.Helper()
	form := url.Values{"login": {login}, "password": {servertest.Password}}
	if status, _ := v.send("POST", "/sign-in", "application/x-www-form-urlencoded", form.Encode()); status != 200 {
		v.t.Fatalf("signing in: %d", status)
	}
}

func TestGraphQLCredentials(t *testing.T) {
	s := servertest.New(t)
	browser := newVisitor(t, s)
	browser.signIn("ann")
	const mutation = `mutation{createOrganization(input:{name:"made"}){owner{name}}}`
	for _, tt := range []struct {
		name, query string
		headers     []string
		client      *visitor
		status      int
		want        string
	}{
		{"nobody", `{viewer{login}}`, nil, newVisitor(t, s), 200, `{"data":{"viewer":null}}`},
		{"a token", `{viewer{login scopes}}`, []string{"Authorization", "Bearer " + s.Tokens["wim"]}, newVisitor(t, s), 200, `"login":"wim","scopes":["read:package"`},
		{"a wrong token", `{viewer{login}}`, []string{"Authorization", "Bearer ent-x"}, newVisitor(t, s), 401, `"code":"UNAUTHENTICATED"`},
		{"a session", `{viewer{login scopes}}`, nil, browser, 200, `{"data":{"viewer":{"login":"ann","scopes":null}}}`},
		{"a session on another site's page", mutation, []string{"Sec-Fetch-Site", "cross-site"}, browser, 403, ""},
		{"a session, said by the origin", mutation, []string{"Origin", "https://evil.example"}, browser, 403, ""},
		{"a session on our own page", mutation, []string{"Sec-Fetch-Site", "same-origin"}, browser, 200, `"name":"made"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body := tt.client.ask(tt.query, tt.headers...)
			if status != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("%d %s, want %d %s", status, body, tt.status, tt.want)
			}
		})
	}
}

// A server that asks everybody to sign in keeps its API shut as well.
func TestGraphQLWithoutAnonymousRead(t *testing.T) {
	s := servertest.New(t, func(c *server.Config) { c.Auth.AnonymousRead = false })
	stranger, ann := newVisitor(t, s), newVisitor(t, s)
	ann.signIn("ann")
	if status, body := stranger.ask(`{owners(first:9){totalCount}}`); status != 401 || !strings.Contains(body, `"code":"UNAUTHENTICATED"`) {
		t.Errorf("nobody: %d %s", status, body)
	}
	if status, _ := stranger.send("GET", "/-/files/AQ/x", "", ""); status != 401 {
		t.Errorf("a file for nobody: %d", status)
	}
	if status, body := ann.ask(`{viewer{login}}`); status != 200 || body != `{"data":{"viewer":{"login":"ann"}}}` {
		t.Errorf("ann: %d %s", status, body)
	}
}

// What a browser uploads through the API it downloads with the same session.
func TestGraphQLUploadAndDownload(t *testing.T) {
	s := servertest.New(t)
	ann := newVisitor(t, s)
	ann.signIn("ann")
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	w.WriteField("operations", `{"query":"mutation($input:UploadFileInput!){uploadFile(input:$input){file{url}}}","variables":{"input":{"owner":"ann","package":"app","version":"1.0","file":null}}}`)
	w.WriteField("map", `{"0":["variables.input.file"]}`)
	file, err := w.CreateFormFile("0", "hello.txt")
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(file, "hello")
	w.Close()
	status, answer := ann.send("POST", "/graphql", w.FormDataContentType(), body.String(), "Sec-Fetch-Site", "same-origin")
	_, path, ok := strings.Cut(answer, s.URL)
	if status != 200 || !ok {
		t.Fatalf("upload: %d %s", status, answer)
	}
	path, _, _ = strings.Cut(path, `"`)
	if status, got := ann.send("GET", path, "", ""); status != 200 || got != "hello" {
		t.Errorf("download: %d %q", status, got)
	}
	if status, _ := ann.send("POST", "/graphql", w.FormDataContentType(), body.String(), "Sec-Fetch-Site", "cross-site"); status != 403 {
		t.Errorf("an upload from another site's page: %d", status)
	}
}

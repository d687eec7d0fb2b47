package web_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"entrepot/server/servertest"
)

// app is a whole server, as people meet it.
type app struct {
	*servertest.Server
	t *testing.T
}

func newApp(t *testing.T, opts ...servertest.Option) *app {
	t.Helper()
	return &app{Server: servertest.New(t, opts...), t: t}
}

// browser keeps cookies and follows redirects, as people's do.
type browser struct {
	a      *app
	client *http.Client
	header http.Header
}

func (a *app) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		a.t.Fatal(err)
	}
	return &browser{a: a, client: &http.Client{Jar: jar}, header: http.Header{}}
}

// as is a browser in which the user has signed in.
func (a *app) as(login string) *browser {
	a.t.Helper()
	b := a.browser()
	if login != "" {
		b.post("/sign-in", "login", login, "password", servertest.Password).want(200)
	}
	return b
}

// document is an answer, read as HTML.
type document struct {
	*goquery.Document
	t      *testing.T
	path   string // where redirects have led
	status int
	header http.Header
	text   string
}

func (b *browser) get(path string) *document {
	b.a.t.Helper()
	return b.do(http.MethodGet, path, nil)
}

// post sends a form, given as names and values.
func (b *browser) post(path string, fields ...string) *document {
	b.a.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return b.do(http.MethodPost, path, form)
}

func (b *browser) do(method, path string, form url.Values) *document {
	t := b.a.t
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.a.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range b.header {
		req.Header[name] = values
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return &document{Document: doc, t: t, path: res.Request.URL.RequestURI(), status: res.StatusCode, header: res.Header, text: string(raw)}
}

// want fails the test when the answer has another status.
func (d *document) want(status int) *document {
	d.t.Helper()
	if d.status != status {
		d.t.Fatalf("%s answered %d, want %d: %s", d.path, d.status, status, wordsOf(d.Find("main")))
	}
	return d
}

// has fails the test when nothing that the selector finds holds the text.
func (d *document) has(selector, text string) *document {
	d.t.Helper()
	var found []string
	ok := false
	d.Find(selector).Each(func(_ int, s *goquery.Selection) {
		found = append(found, wordsOf(s))
		ok = ok || strings.Contains(found[len(found)-1], text)
	})
	if !ok {
		d.t.Errorf("%s: no %q with %q; there is %.500q", d.path, selector, text, found)
	}
	return d
}

// wordsOf is the text of a selection with one space between words, and between what different elements say.
func wordsOf(s *goquery.Selection) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
		for c := range n.ChildNodes() {
			walk(c)
		}
	}
	for _, n := range s.Nodes {
		walk(n)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// hasNot fails the test when the selector finds something.
func (d *document) hasNot(selector string) *document {
	d.t.Helper()
	if n := d.Find(selector).Length(); n > 0 {
		d.t.Errorf("%s: %q is there %d times", d.path, selector, n)
	}
	return d
}

// attr gives an attribute of the first thing the selector finds.
func (d *document) attr(selector, name string) string {
	d.t.Helper()
	value, ok := d.Find(selector).First().Attr(name)
	if !ok {
		d.t.Errorf("%s: no %q with an attribute %q", d.path, selector, name)
	}
	return value
}

// at fails the test when redirects have led elsewhere.
func (d *document) at(path string) *document {
	d.t.Helper()
	if d.path != path {
		d.t.Errorf("led to %q, want %q", d.path, path)
	}
	return d
}

// publish puts a generic file into a package, as the user.
func (a *app) publish(login, owner, name, version, file, content string) {
	a.t.Helper()
	path := fmt.Sprintf("/api/packages/%s/generic/%s/%s/%s", owner, name, version, file)
	a.Want(a.t, http.StatusCreated, login, http.MethodPut, path, content)
}

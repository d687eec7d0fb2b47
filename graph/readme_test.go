package graph

import (
	"strings"
	"testing"

	"entrepot/graph/model"
)

func TestReadme(t *testing.T) {
	r := newReadmes()
	for _, tt := range []struct {
		name, raw, public, private string
	}{
		{"Markdown", "# Hi\n\n*a* `b`", "<h1 id=\"readme-hi\">Hi</h1>\n<p><em>a</em> <code>b</code></p>\n", ""},
		{"a table", "|a|\n|-|\n|1|", "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n</tr>\n</tbody>\n</table>\n", ""},
		{"code in a language", "```go\nx\n```", "<pre><code class=\"language-go\">x\n</code></pre>\n", ""},
		{"a link", "[a](https://e.test/?a=1&b=2)", "<p><a href=\"https://e.test/?a=1&amp;b=2\" rel=\"nofollow noreferrer\">a</a></p>\n", ""},
		{"a link without brackets", "https://e.test", "<p><a href=\"https://e.test\" rel=\"nofollow noreferrer\">https://e.test</a></p>\n", ""},
		{"a link within", "[a](#hi)", "<p><a href=\"#readme-hi\" rel=\"nofollow noreferrer\">a</a></p>\n", ""},
		{"a link into the source", "[a](docs/a.md)", "<p><a rel=\"nofollow noreferrer\">a</a></p>\n", ""},
		{"a link without a scheme", "[a](//e.test/x)", "<p><a rel=\"nofollow noreferrer\">a</a></p>\n", ""},
		{"a script for a link", "[a](javascript:alert(1))", "<p>a</p>\n", ""},
		{"an image", "![alt](https://e.test/i.png)",
			"<p><img src=\"https://e.test/i.png\" alt=\"alt\" loading=\"lazy\" referrerpolicy=\"no-referrer\"></p>\n",
			"<p><a href=\"https://e.test/i.png\" rel=\"nofollow noreferrer\">alt</a></p>\n"},
		{"an image in the source", "![alt](i.png)", "<p>alt</p>\n", ""},
		{"an image in HTML", "<p align=\"center\"><img src=\"https://e.test/i.png\" onerror=\"x()\" usemap=\"#m\"></p>",
			"<p align=\"center\"><img src=\"https://e.test/i.png\" loading=\"lazy\" referrerpolicy=\"no-referrer\"></p>",
			"<p align=\"center\"><a href=\"https://e.test/i.png\" rel=\"nofollow noreferrer\">image</a></p>"},
		{"an image of data", "<img src=\"data:image/svg+xml,x\">", "", ""},
		{"a script", "a <script>alert(1)</script> b", "<p>a  b</p>\n", ""},
		{"an event", "<b onclick=\"x()\">b</b>", "<p><b>b</b></p>\n", ""},
		{"a style", "<style>*{color:red}</style><i style=\"color:red\">i</i>", "<i>i</i>", ""},
		{"a form", "<form action=\"/x\"><input name=q></form>", "", ""},
		{"a frame", "<iframe src=\"https://e.test\"></iframe>x", "x", ""},
		{"a name of the page's own", "<h2 id=\"results\">x</h2>", "<h2 id=\"readme-results\">x</h2>", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.private == "" {
				tt.private = tt.public
			}
			for images, want := range map[bool]string{true: tt.public, false: tt.private} {
				got, err := r.render(tt.raw, images)
				if err != nil || got != want {
					t.Errorf("with images %v: %q, %v, want %q", images, got, err, want)
				}
			}
		})
	}
}

func TestLongReadme(t *testing.T) {
	r := newReadmes()
	raw := "<script>" + strings.Repeat("é", maxReadme)
	got, err := r.render(raw, true)
	if err != nil || len(got) > maxReadme+100 || !strings.HasPrefix(got, "<pre>&lt;script&gt;éé") || !strings.HasSuffix(got, "é</pre>") {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if readmeFormat(raw) != model.ReadmeFormatText || readmeFormat("x") != model.ReadmeFormatMarkdown {
		t.Error("wrong format")
	}
}

func TestReadmeIsKept(t *testing.T) {
	r := newReadmes()
	for _, want := range []string{"<p>a</p>\n", "<p>a</p>\n"} {
		if got, err := r.html(1, "a", true); err != nil || got != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	if got, _ := r.html(2, "b", true); got != "<p>b</p>\n" {
		t.Errorf("another version's readme: %q", got)
	}
}

// harmful are what no readme may leave in a page.
var harmful = []string{"<script", "<iframe", "<style", "<form", "<input", "<object", "<svg", "<meta", "<base", "<link", "javascript:", " onerror", " onclick", " style="}

// FuzzReadme looks for a readme that breaks out, or takes long.
func FuzzReadme(f *testing.F) {
	for _, seed := range []string{
		"# a\n\n![x](https://e.test/i.png)\n<script>x</script>", "<img src=x onerror=y>", "[a]: javascript:x\n[a]",
		"<svg><style><img src=x onerror=y>", "<a href=\"jAvAsCrIpT:x\">", "|a|b|\n|-|-|\n", "<<a|ascript>", "<math><mi//xlink:href=\"data:x\">",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	r := newReadmes()
	f.Fuzz(func(t *testing.T, raw string, images bool) {
		out, err := r.render(raw, images)
		if err != nil {
			t.Fatal(err)
		}
		if !images && strings.Contains(out, "<img") {
			t.Errorf("%q has an image: %q", raw, out)
		}
		tags := tagsOf(out)
		for _, word := range harmful {
			if strings.Contains(tags, word) {
				t.Errorf("%q became %q", raw, out)
			}
		}
	})
}

// tagsOf is what stands between < and > in HTML, in lower case.
func tagsOf(out string) string {
	var b strings.Builder
	in := false
	for _, c := range strings.ToLower(out) {
		if c == '<' {
			in = true
		}
		if in {
			b.WriteRune(c)
		}
		if c == '>' {
			in = false
		}
	}
	return b.String()
}

package graph

import (
	"bytes"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/maypok86/otter/v2"
	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	gmhtml "github.com/yuin/goldmark/renderer/html"
	nethtml "golang.org/x/net/html"

	"entrepot/graph/model"
)

const (
	// maxReadme is the longest readme in bytes that is rendered.
	maxReadme = 512 << 10
	// readmeCache bounds the memory for rendered readmes in bytes.
	readmeCache = 8 << 20
	// idPrefix keeps the ids in a readme apart from those of the page.
	idPrefix = "readme-"
)

// readmes renders readmes and keeps what it has rendered.
type readmes struct {
	markdown goldmark.Markdown
	policy   *bluemonday.Policy
	kept     *otter.Cache[readmeKey, string]
}

type readmeKey struct {
	versionID int64
	images    bool
	length    int
}

func newReadmes() *readmes {
	// Raw HTML passes the renderer because it passes the policy next; nothing
	// reaches a page around that.
	r := &readmes{
		markdown: goldmark.New(
			goldmark.WithExtensions(extension.GFM),
			goldmark.WithParserOptions(parser.WithAutoHeadingID()),
			goldmark.WithRendererOptions(gmhtml.WithUnsafe()),
		),
		policy: bluemonday.UGCPolicy(),
		kept: otter.Must(&otter.Options[readmeKey, string]{
			MaximumWeight: readmeCache,
			Weigher:       func(_ readmeKey, html string) uint32 { return uint32(len(html) + 64) },
		}),
	}
	r.policy.AllowAttrs("class").Matching(regexp.MustCompile(`^language-[\w+.#-]+$`)).OnElements("code")
	r.policy.AllowAttrs("align").Matching(regexp.MustCompile(`^(left|center|right)$`)).OnElements("p", "div", "h1", "h2", "h3")
	r.policy.RequireNoReferrerOnLinks(true)
	return r
}

func readmeFormat(raw string) model.ReadmeFormat {
	if len(raw) > maxReadme {
		return model.ReadmeFormatText
	}
	return model.ReadmeFormatMarkdown
}

// html renders a readme as HTML that is safe to put into a page. Without
// images, what would load from another host becomes a link.
func (r *readmes) html(versionID int64, raw string, images bool) (string, error) {
	key := readmeKey{versionID, images, len(raw)}
	if kept, ok := r.kept.GetIfPresent(key); ok {
		return kept, nil
	}
	out, err := r.render(raw, images)
	if err == nil {
		r.kept.Set(key, out)
	}
	return out, err
}

func (r *readmes) render(raw string, images bool) (string, error) {
	if readmeFormat(raw) == model.ReadmeFormatText {
		return "<pre>" + html.EscapeString(strings.ToValidUTF8(raw[:maxReadme], "")) + "</pre>", nil
	}
	var rendered bytes.Buffer
	if err := r.markdown.Convert([]byte(raw), &rendered); err != nil {
		return "", fmt.Errorf("render readme: %w", err)
	}
	return settle(r.policy.SanitizeReader(&rendered), images), nil
}

// settle fits clean HTML into a page that is not its own: ids are set apart,
// addresses relative to the source's folder, which lead nowhere here, are
// removed, and so are, if images may not load, all images.
func settle(clean *bytes.Buffer, images bool) string {
	var out strings.Builder
	tokens := nethtml.NewTokenizer(clean)
	for {
		kind := tokens.Next()
		if kind == nethtml.ErrorToken {
			return out.String()
		}
		t := tokens.Token()
		if kind != nethtml.StartTagToken && kind != nethtml.SelfClosingTagToken {
			out.WriteString(t.String())
			continue
		}
		if t.Data == "img" {
			out.WriteString(image(t, images))
			continue
		}
		t.Attr = slices.DeleteFunc(t.Attr, func(a nethtml.Attribute) bool {
			return a.Key == "href" && !strings.HasPrefix(a.Val, "#") && !absolute(a.Val)
		})
		for i, a := range t.Attr {
			switch {
			case a.Key == "id", a.Key == "name":
				t.Attr[i].Val = idPrefix + a.Val
			case a.Key == "href" && strings.HasPrefix(a.Val, "#"):
				t.Attr[i].Val = "#" + idPrefix + a.Val[1:]
			}
		}
		out.WriteString(t.String())
	}
}

// image is what becomes of an image: itself, a link to it, or the text that
// stands for it.
func image(t nethtml.Token, images bool) string {
	var src, alt string
	for _, a := range t.Attr {
		switch a.Key {
		case "src":
			src = a.Val
		case "alt":
			alt = a.Val
		}
	}
	switch {
	case !absolute(src):
		return html.EscapeString(alt)
	case images:
		t.Attr = slices.DeleteFunc(t.Attr, func(a nethtml.Attribute) bool { return a.Key == "usemap" || a.Key == "id" })
		t.Attr = append(t.Attr, nethtml.Attribute{Key: "loading", Val: "lazy"}, nethtml.Attribute{Key: "referrerpolicy", Val: "no-referrer"})
		return t.String()
	}
	if alt == "" {
		alt = "image"
	}
	return `<a href="` + html.EscapeString(src) + `" rel="nofollow noreferrer">` + html.EscapeString(alt) + `</a>`
}

// absolute tells whether an address says which host it is on.
func absolute(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http" || u.Scheme == "mailto")
}

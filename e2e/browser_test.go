//go:build e2e

package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBrowser proves the harness: the browser reaches our server, in the window
// and colours that were asked for, and nothing but our server.
func TestBrowser(t *testing.T) {
	s := StartServer(t, setups[0])
	ctx := StartBrowser(t, Viewport{Name: "phone, dark", Width: Phone.Width, Height: Phone.Height, Dark: true})
	var width int64
	var dark bool
	var elsewhere string
	err := chromedp.Run(ctx,
		chromedp.Navigate(s.URL+"/readyz"),
		chromedp.Evaluate(`innerWidth`, &width),
		chromedp.Evaluate(`matchMedia("(prefers-color-scheme: dark)").matches`, &dark),
		chromedp.Evaluate(`fetch("http://example.com/", {mode: "no-cors"}).then(() => "reached", () => "refused")`, &elsewhere, awaitPromise),
	)
	if err != nil {
		t.Fatal(err)
	}
	if width != Phone.Width || !dark || elsewhere != "refused" {
		t.Errorf("width %d, dark %t, another host %s; want %d, true, refused", width, dark, elsewhere, Phone.Width)
	}
}

//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Viewport is a size of window and a colour scheme that pages are looked at in.
type Viewport struct {
	Name          string
	Width, Height int64
	Dark          bool
}

// The windows that pages must look right in.
var (
	Desktop = Viewport{Name: "desktop", Width: 1440, Height: 900}
	Phone   = Viewport{Name: "phone", Width: 390, Height: 844}
)

// screenshots is where pictures of failed tests go, below the tools that git ignores.
var screenshots = filepath.Join(root, ".tools", "screenshots")

// StartBrowser starts Chromium without a window and with a fresh profile, and
// ends it with the test. The returned context is what chromedp.Run takes; it
// expires after two minutes. If the test fails, a picture of the page is left in .tools/screenshots.
func StartBrowser(t *testing.T, v Viewport) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, // the sandbox refuses to run as root, as in a container
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("disable-component-update", true),
		// No page of ours may fetch anything from elsewhere; if one tries, it fails.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
	)
	ctx, cancelTimeout := context.WithTimeout(context.Background(), 2*time.Minute)
	ctx, cancelProcess := chromedp.NewExecAllocator(ctx, options...)
	ctx, cancelTab := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if t.Failed() {
			saveScreenshot(t, ctx)
		}
		// Cancel closes the browser and waits for it; the profile can be removed then.
		if err := chromedp.Cancel(ctx); err != nil {
			t.Log("close the browser:", err)
		}
		cancelTab()
		cancelProcess()
		cancelTimeout()
	})
	scheme := "light"
	if v.Dark {
		scheme = "dark"
	}
	if err := chromedp.Run(ctx, chromedp.EmulateViewport(v.Width, v.Height), colorScheme(scheme)); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return ctx
}

// saveScreenshot leaves a picture of the whole page, named after the test.
func saveScreenshot(t *testing.T, ctx context.Context) {
	t.Helper()
	var png []byte
	if err := chromedp.Run(ctx, chromedp.FullScreenshot(&png, 100)); err != nil {
		t.Log("no screenshot:", err)
		return
	}
	path := filepath.Join(screenshots, strings.ReplaceAll(t.Name(), "/", "_")+".png")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Log(err)
		return
	}
	if err := os.WriteFile(path, png, 0o600); err != nil {
		t.Log(err)
		return
	}
	t.Log("screenshot:", path)
}

// colorScheme makes pages believe that the user prefers "light" or "dark".
func colorScheme(scheme string) chromedp.Action {
	feature := &emulation.MediaFeature{Name: "prefers-color-scheme", Value: scheme}
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{feature})
}

// awaitPromise makes chromedp.Evaluate wait for the promise its script returns.
func awaitPromise(p *runtime.EvaluateParams) *runtime.EvaluateParams {
	return p.WithAwaitPromise(true)
}

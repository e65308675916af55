package lab

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	chromiumStart   = time.Minute // how long the browser may take to start on a busy machine
	chromiumGoodbye = 10 * time.Second
)

// Chromium starts a browser with a profile of its own and returns the chromedp context of its first tab. Camera and
// microphone are made up by the browser and allowed without asking. What pages write to the console, and the errors
// that nobody catches there, go to the log of t.
func Chromium(t testing.TB) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(tool(t, "chromium", "chromium")),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WSURLReadTimeout(chromiumStart),
		chromedp.Flag("headless", "new"),
		chromedp.Flag("no-sandbox", true), // tests may run as root
		chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("disable-component-update", true),
	)
	ctx, cancel := untilDeadline(t)
	ctx, release := chromedp.NewExecAllocator(ctx, options...)
	ctx, _ = chromedp.NewContext(ctx)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	logged := make(chan struct{})
	go logConsole(t, chromedp.Console(ctx), logged)
	t.Cleanup(func() {
		closing, stop := context.WithTimeout(ctx, chromiumGoodbye)
		if err := chromedp.Cancel(closing); err != nil {
			t.Logf("close chromium: %v", err)
		}
		stop()
		release()
		cancel()
		<-logged
	})
	return ctx
}

// logConsole logs what pages say until the browser is closed.
func logConsole(t testing.TB, messages iter.Seq2[chromedp.ConsoleMessage, error], done chan<- struct{}) {
	defer close(done)
	for m, err := range messages {
		if err != nil {
			return
		}
		t.Log("page: ", m)
	}
}

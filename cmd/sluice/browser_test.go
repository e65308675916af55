package main

import (
	"os"
	"testing"

	"github.com/chromedp/chromedp"

	"sluice/internal/lab"
)

func TestTheStockClientWorksInABrowserOnEveryTransport(t *testing.T) {
	s := lab.Sluice(t)
	stock := lab.PackageFile(t, "socket.io-client/dist/socket.io.js")
	script, err := os.ReadFile("testdata/browser.js")
	if err != nil {
		t.Fatal(err)
	}
	ctx := lab.Chromium(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(s.URL)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](string(stock)+"; null")); err != nil {
		t.Fatal(err)
	}
	results, err := chromedp.Run(ctx, chromedp.Evaluate[map[string]bool](string(script), chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	for path, same := range results {
		if !same {
			t.Errorf("%s: other bytes came", path)
		}
	}
	if len(results) != 9 {
		t.Errorf("%d paths of 9 were tried: %v", len(results), results)
	}
}

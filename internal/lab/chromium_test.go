package lab

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestTheBrowserHasACameraAndAMicrophone(t *testing.T) {
	const script = `console.log("asked"), navigator.mediaDevices.getUserMedia({audio: true, video: true}).then(s => s.getTracks().length)`
	ctx := Chromium(t)
	// Media devices need a secure context: the loopback interface is one.
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	if err := chromedp.Do(ctx, chromedp.Navigate(s.URL)); err != nil {
		t.Fatal(err)
	}
	tracks, err := chromedp.Run(ctx, chromedp.Evaluate[int](script, chromedp.EvalAwaitPromise))
	if err != nil || tracks != 2 {
		t.Errorf("%d tracks, %v; want 2", tracks, err)
	}
}

package main

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"sluice/internal/lab"
)

// viewed is what view of live.js tells.
type viewed struct {
	Took    float64 // ms from joining to the first picture
	Type    string
	Width   int
	Colours int
	Audio   int
	Events  []struct {
		Gap       string
		From, To  int64
		Offset    int64
		Init, Key bool
		Bytes     int64
	}
}

// TestWhoJoinsALiveCameraLateSeesIt has a camera recorded in one page and looked at in another, with stock clients: who comes in
// the middle is given the init segment and the newest key chunk, and plays.
func TestWhoJoinsALiveCameraLateSeesIt(t *testing.T) {
	const late = 3 * time.Second
	s := lab.Sluice(t)
	camera := lab.Chromium(t)
	for i, mediaType := range []string{"video/webm;codecs=vp8,opus", "video/webm;codecs=vp9,opus", "video/mp4;codecs=avc1.42E01E,opus", "audio/webm;codecs=opus"} {
		t.Run(mediaType, func(t *testing.T) {
			room := fmt.Sprint("live-", i)
			publisher := livePage(t, camera, s.URL)
			evaluate[string](t, publisher, "record(%q, %q)", room, mediaType)
			evaluate[bool](t, publisher, "new Promise((resolve) => setTimeout(resolve, %d, true))", late.Milliseconds())
			v := evaluate[viewed](t, livePage(t, camera, s.URL), "view(%q)", room)
			v.check(t, mediaType)
		})
	}
}

func (v *viewed) check(t *testing.T, mediaType string) {
	t.Helper()
	video := mediaType[:5] == "video"
	t.Logf("%s as %s: a picture of %d pixels' width after %.0f ms", mediaType, v.Type, v.Width, v.Took)
	if video && (v.Width == 0 || v.Colours < 10) {
		t.Errorf("a picture %d pixels wide, of %d colours", v.Width, v.Colours)
	}
	if v.Audio == 0 {
		t.Error("no sound was decoded")
	}
	inits := 0 // chunks of the init segment: copies of it, or itself where the newest key chunk is the first
	for inits < len(v.Events) && v.Events[inits].Gap == "" && !v.Events[inits].Key {
		inits++
	}
	if len(v.Events) < inits+3 || inits == 0 || v.Events[0].Offset != 0 {
		t.Fatalf("events: %+v; want the init segment first", v.Events)
	}
	rest := v.Events[inits:]
	at := v.Events[inits-1].Offset + v.Events[inits-1].Bytes
	if v.Events[0].Init {
		gap := rest[0]
		if gap.Gap != "joined" || gap.From != 0 || gap.To == 0 {
			t.Errorf("then came %+v; want a gap", gap)
		}
		rest, at = rest[1:], gap.To
	}
	if !rest[0].Key {
		t.Errorf("then came %+v; want the newest key chunk", rest[0])
	}
	for _, e := range rest {
		if e.Gap != "" {
			t.Errorf("a gap of %q in the middle", e.Gap)
		}
		if e.Offset != at {
			t.Errorf("a chunk at %d; want %d", e.Offset, at)
		}
		at = e.Offset + e.Bytes
	}
}

// livePage opens a page of the server with what live.js has, in a tab that is closed with the test.
func livePage(t *testing.T, browser context.Context, url string) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	script, err := os.ReadFile("testdata/live.js")
	if err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(lab.PackageFile(t, "socket.io-client/dist/socket.io.js")), string(script)} {
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](text+"; null")); err != nil {
			t.Fatal(err)
		}
	}
	return ctx
}

func evaluate[T any](t *testing.T, page context.Context, format string, args ...any) T {
	t.Helper()
	v, err := chromedp.Run(page, chromedp.Evaluate[T](fmt.Sprintf(format, args...), chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

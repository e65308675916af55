package main

import (
	"context"
	"fmt"
	"os"
	"sync"
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

// TestAViewerThatStallsPlaysOnAfterAGap has a viewer's line carry nothing for longer than a reader of a live stream may be behind. It is
// told what it is not given, and its picture goes on with the newest key chunk.
func TestAViewerThatStallsPlaysOnAfterAGap(t *testing.T) {
	const room, stall = "stall", 5 * time.Second
	s := lab.Sluice(t)
	browser := lab.Chromium(t)
	line := startProxy(t, s.Addr, 0)
	publisher, viewer := livePage(t, browser, s.URL), livePage(t, browser, line.URL)
	evaluate[string](t, publisher, "record(%q, %q)", room, "video/webm;codecs=vp8,opus")
	before := evaluate[int](t, viewer, "begin(%q)", room)
	line.valve.Lock()
	open := sync.OnceFunc(line.valve.Unlock)
	defer open()
	evaluate[bool](t, publisher, "new Promise((resolve) => setTimeout(resolve, %d, true))", stall.Milliseconds())
	open()
	v := evaluate[viewed](t, viewer, "goOn()")
	if v.Width == 0 || v.Colours < 10 {
		t.Errorf("a picture %d pixels wide, of %d colours", v.Width, v.Colours)
	}
	v.checkGap(t, before)
}

// checkGap checks what came from the first gap on, which is not among the first events: key chunks after gaps, of which a machine that
// is busy may cause more, and no hole anywhere else.
func (v *viewed) checkGap(t *testing.T, before int) {
	t.Helper()
	gap := before
	for v.Events[gap].Gap == "" {
		gap++
	}
	t.Logf("%d chunks, then a gap of %d bytes", gap, v.Events[gap].To-v.Events[gap].From)
	var at int64
	jumped := false
	for _, e := range v.Events[gap:] {
		switch {
		case e.Gap != "":
			if e.Gap != "behind" || e.To <= e.From || at > 0 && e.From != at {
				t.Fatalf("a gap %+v at %d", e, at)
			}
			at, jumped = e.To, true
			continue
		case e.Init: // a copy, out of turn
			continue
		case e.Offset != at:
			t.Fatalf("then came %+v; want a chunk at %d", e, at)
		case jumped && !e.Key:
			t.Errorf("the first chunk after a gap is %+v; want a key", e)
		}
		at, jumped = e.Offset+e.Bytes, false
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

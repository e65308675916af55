package web

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"sluice/internal/lab"
)

var update = flag.Bool("update", false, "write the screenshots in testdata")

// maxScreenshotBytes keeps the repository small.
const maxScreenshotBytes = 300_000

// countShifts adds up what moved without anybody having asked for it (Cumulative Layout Shift).
const countShifts = `{
	window.shifted = 0;
	new PerformanceObserver((list) => {
		for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
	}).observe({ type: "layout-shift" });
}`

func TestTheRoomFitsEveryScreenAndNothingJumps(t *testing.T) {
	s := lab.Sluice(t)
	tabs := newTabs(t, "Mara Lindqvist", "Tomás", "Ines")
	mara, tomas, ines := tabs[0], tabs[1], tabs[2]
	for _, p := range tabs {
		p.enter(s, "harbour-film")
	}
	folder := t.TempDir()
	tables := write(t, folder, "Tide tables, week 47.csv", bytes.Repeat([]byte("05:42,0.6 m\n11:58,3.1 m\n"), 600))
	photo := write(t, folder, "Harbour at six.jpg", harbour(t, 1440, 810))
	interview := copyOf(t, folder, "Interview, first take.ogg", "tone.ogg")
	take := copyOf(t, folder, "Pier, take 3.webm", "vp9_opus.webm")
	for i, step := range []struct {
		p    *tab
		file string
	}{{ines, take}, {mara, tables}, {ines, interview}, {tomas, photo}} {
		step.p.choose(step.file)
		mara.wait(`document.querySelectorAll(".entry[data-state=archived]").length === %d`, i+1)
	}
	mara.wait(`%s?.naturalWidth > 0 && %s?.videoWidth > 0`, within("Harbour at six.jpg", "img"), within("Pier, take 3.webm", "video"))
	sendHalf(tomas, "Ferry from the pier.mov", 24_600_000, 0.64)
	sendHalf(mara, "Field recording.wav", 12_300_000, 0.34)
	mara.wait(`%s?.value > 0.6 && %s?.value > 0.3`, within("Ferry from the pier.mov", "progress"), within("Field recording.wav", "progress"))

	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 390} {
			mara.screen(scheme, width)
			mara.wait(`document.documentElement.scrollWidth <= %d && document.getAnimations().length === 0`, width)
			mara.save(fmt.Sprintf("room-%s-%d.png", scheme, width))
		}
	}
	mara.screen("light", 1280)
	run[any](mara, countShifts)
	for _, p := range []*tab{mara, tomas} {
		run[any](p, `window.release()`)
	}
	mara.wait(`document.querySelectorAll(".entry[data-state=archived]").length === 6`)
	if shifted := run[float64](mara, `window.shifted`); shifted > 0.1 {
		t.Errorf("the page moved by %.3f by itself; want at most 0.1", shifted)
	}
}

// sendHalf drops a file of which only a part is read until the page is told to release the rest.
func sendHalf(p *tab, name string, size int, part float64) {
	p.t.Helper()
	run[any](p, stall, int(part*float64(size)))
	run[any](p, dropFile, size, js(name))
}

// screen is what the page is looked at on.
func (p *tab) screen(scheme string, width int64) {
	p.t.Helper()
	height := int64(1180)
	var options []chromedp.EmulateViewportOption
	if width < 600 {
		height, options = 844, append(options, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.do(chromedp.EmulateViewport(width, height, options...))
	p.wait(`innerWidth === %d && matchMedia("(prefers-color-scheme: %s)").matches`, width, scheme)
}

// save writes what the page looks like now if that was asked for.
func (p *tab) save(name string) {
	p.t.Helper()
	if !*update {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if len(png) > maxScreenshotBytes {
		p.t.Errorf("%s has %d bytes; want at most %d", name, len(png), maxScreenshotBytes)
	}
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		p.t.Fatal(err)
	}
	write(p.t, "testdata", name, png)
}

func write(t *testing.T, folder, name string, data []byte) string {
	t.Helper()
	file := filepath.Join(folder, name)
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func copyOf(t *testing.T, folder, name, of string) string {
	t.Helper()
	data, err := os.ReadFile(sample(t, of))
	if err != nil {
		t.Fatal(err)
	}
	return write(t, folder, name, data)
}

// harbour paints hills before an evening sky and their reflection, so that there is a picture worth looking at which is nobody
// else's.
func harbour(t *testing.T, width, height int) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	horizon := 0.62
	for y := range height {
		for x := range width {
			u, v := float64(x)/float64(width), float64(y)/float64(height)
			if v > horizon { // water mirrors, with ripples
				ripple := 0.006 * math.Sin(v*420+6*math.Sin(u*9)) * (v - horizon) * 3
				c := land(u+ripple, 2*horizon-v+ripple)
				picture.SetRGBA(x, y, mix(c, color.RGBA{14, 44, 52, 255}, 0.25+0.5*(v-horizon)))
				continue
			}
			picture.SetRGBA(x, y, land(u, v))
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: 88}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// land is the colour at (u, v) of sky, sun and three ranges of hills, the nearest last.
func land(u, v float64) color.RGBA {
	c := mix(color.RGBA{38, 84, 104, 255}, color.RGBA{247, 203, 156, 255}, math.Pow(max(0, min(1, v/0.6)), 1.3))
	if d := math.Hypot((u-0.68)*1.78, v-0.44); d < 0.055 {
		c = color.RGBA{255, 236, 205, 255}
	} else {
		c = mix(c, color.RGBA{255, 224, 178, 255}, 0.5*math.Exp(-d*6))
	}
	for i, hill := range []color.RGBA{{118, 141, 146, 255}, {66, 101, 110, 255}, {24, 58, 66, 255}} {
		n := float64(i)
		ridge := 0.47 + 0.045*n + 0.05*math.Sin(u*(4.1+n)+n*2.3) + 0.022*math.Sin(u*(13-n)+n) + 0.006*math.Sin(u*47+n*5)
		if v > ridge {
			c = hill
		}
	}
	return c
}

func mix(a, b color.RGBA, share float64) color.RGBA {
	of := func(x, y uint8) uint8 { return uint8(float64(x)*(1-share) + float64(y)*share) }
	return color.RGBA{of(a.R, b.R), of(a.G, b.G), of(a.B, b.B), 255}
}

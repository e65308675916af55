//go:build !race

package chunker

import "testing"

func TestScanAllocatesNothing(t *testing.T) {
	for _, name := range []string{"live_unknown_size.webm", "frag.mp4", "clip.ts", "tone.ogg", "tone.mp3", "tone.aac", "tone.flac"} {
		data := sample(t, name)
		s := NewSplitter(Sniff(data).Type)
		s.Scan(data[:5000])
		at := 5000
		n := testing.AllocsPerRun(100, func() {
			s.Scan(data[at : at+250])
			at += 250
		})
		if n != 0 {
			t.Errorf("%s: %v times; want 0", name, n)
		}
	}
}

func TestSniffAllocatesForContainersThatItLooksIntoOnly(t *testing.T) {
	for name, want := range map[string]float64{
		"image.png": 0, "clip.ts": 0, "tone.mp3": 0, "vp9_opus.webm": 10, "prog_faststart.mp4": 10, // once a stream
	} {
		head := sample(t, name)[:SniffBytes]
		if n := testing.AllocsPerRun(100, func() { Sniff(head) }); n != want {
			t.Errorf("%s: %v times; want %v", name, n, want)
		}
	}
}

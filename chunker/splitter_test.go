package chunker

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// scanAll scans data in pieces, whose sizes come from next, checks what every Splitter promises, and returns all cuts and
// whether the stream proved joinable.
func scanAll(t testing.TB, s *Splitter, data []byte, next func() int) ([]Cut, bool) {
	t.Helper()
	var all []Cut
	var seen, settled int64
	for len(data) > 0 {
		n := min(max(1, next()), len(data))
		cuts, now := s.Scan(data[:n:n])
		seen += int64(n)
		for _, c := range cuts {
			if c.At < settled || c.At > seen {
				t.Fatalf("cut %+v after %d of %d bytes were settled", c, settled, seen)
			}
			if len(all) > 0 && c.At < all[len(all)-1].At {
				t.Fatalf("cut %+v after %+v; want them in order", c, all[len(all)-1])
			}
			all = append(all, c)
		}
		if now < settled || now > seen {
			t.Fatalf("settled = %d after %d, of %d bytes; want it to grow, up to them", now, settled, seen)
		}
		if seen-now > MaxUnsettledBytes {
			t.Fatalf("%d bytes are unsettled; want %d at most", seen-now, MaxUnsettledBytes)
		}
		settled = now
		data = data[n:]
	}
	checkBounds(t, s)
	return all, s.Joinable()
}

// checkBounds fails when s keeps more than it may. What it keeps only ever grows, or fits what the stream says of itself.
func checkBounds(t testing.TB, s *Splitter) {
	t.Helper()
	check := func(what string, n, limit int) {
		if n > limit {
			t.Errorf("room for %d %s is kept; want %d at most", n, what, limit)
		}
	}
	check("bytes", cap(s.held), 2*maxHeldBytes)
	switch f := s.format.(type) {
	case *matroska:
		check("elements", cap(f.open), 2*maxElementDepth)
		check("bytes of a name", len(f.docType), 8)
	case *mp4:
		check("boxes", cap(f.open), 2*maxBoxDepth)
		check("tracks", cap(f.tracks), 2*maxTracks)
	case *ogg:
		check("streams", cap(f.streams), 2*maxTracks)
	case *mpegts:
		check("bytes of a map", cap(f.section), 2*(maxSectionBytes+tsPacketBytes))
	}
}

// counted counts what a format looks at.
type counted struct {
	format
	steps int
}

func (c *counted) next(s *Splitter, b []byte) int64 {
	c.steps++
	return c.format.next(s, b)
}

func TestHostileInputTakesFewSteps(t *testing.T) {
	const many = 100_000
	init := mp4Init(syncSample, mp4Trak(1, "vide", 1000))
	for _, c := range []struct{ name, mediaType, head, tiny string }{
		{"void elements", "video/webm", string(webmInit(trackVideo)), "\xec\x80"},
		{"void elements of a cluster", "video/webm", string(slices.Concat(webmInit(trackVideo), clusterOf(1))), "\xec\x80"},
		{"clusters", "video/webm", string(webmInit(trackVideo)), "\x1f\x43\xb6\x75\x80"},
		{"beginnings of clusters behind damage", "video/webm", string(webmInit(trackVideo)) + "\x00", "\x1f\x43\xb6\x75"},
		{"EBML headers", "video/webm", "", "\x1a\x45\xdf\xa3\x80"},
		{"boxes", "video/mp4", string(init), "\x00\x00\x00\x08free"},
		{"fragments", "video/mp4", string(init), "\x00\x00\x00\x08moof"},
		{"movies", "video/mp4", string(init), "\x00\x00\x00\x08moov"},
		{"pages", "audio/ogg", string(opusHeaders(1)), string(oggPageOf(0, 1, 0))},
		{"pages that begin streams", "audio/ogg", "", string(oggPageOf(oggBegins, 1, 0))},
		{"half a page's mark", "audio/ogg", string(opusHeaders(1)), "Ogg"},
		{"sync bytes", "video/mp2t", "", "G"},
		{"no sync bytes", "video/mp2t", "", "g"},
		{"sync words", "audio/mpeg", "", "\xff\xfb"},
		{"tags", "audio/mpeg", "", "ID3\x04\x00\x00\x00\x00\x00\x00"},
		{"sync words", "audio/aac", "", "\xff\xf1"},
		{"frames without content", "audio/aac", "", "\xff\xf1\x4c\x40\x00\xff\xfc"},
		{"sync words", "audio/flac", "fLaC\x80\x00\x00\x22" + string(make([]byte, 34)), "\xff\xf8"},
		{"chunks", "audio/wav", "RIFF\xff\xff\xff\xffWAVE", "JUNK\x00\x00\x00\x00"},
	} {
		data := append([]byte(c.head), bytes.Repeat([]byte(c.tiny), many)...)
		for _, piece := range []int{len(data), 1000, 1} {
			if piece == 1 {
				data = data[:many] // the test shall not take for ever, either
			}
			f, init := newFormat(c.mediaType)
			count := &counted{format: f}
			s := newSplitter(count, init)
			scanAll(t, s, data, always(piece))
			s.format = f
			checkBounds(t, s)
			if count.steps > 2*len(data) {
				t.Errorf("%s of %s in pieces of %d: %d steps for %d bytes", c.name, c.mediaType, piece, count.steps, len(data))
			}
		}
	}
}

// always returns a size of pieces that does not change.
func always(n int) func() int { return func() int { return n } }

// cutsOf scans data at once.
func cutsOf(t testing.TB, mediaType string, data []byte) []Cut {
	t.Helper()
	cuts, _ := scanAll(t, NewSplitter(mediaType), data, always(len(data)))
	return cuts
}

// offsets returns where the cuts of a kind are.
func offsets(cuts []Cut, kind Kind) (at []int64) {
	for _, c := range cuts {
		if c.Kind == kind {
			at = append(at, c.At)
		}
	}
	return at
}

// pieced scans data in pieces of many sizes and fails when the cuts differ.
func pieced(t testing.TB, mediaType string, data []byte) {
	t.Helper()
	want, joinable := scanAll(t, NewSplitter(mediaType), data, always(len(data)))
	random := rand.New(rand.NewPCG(1, uint64(len(data))))
	for name, next := range map[string]func() int{
		"1": always(1), "2": always(2), "7": always(7), "189": always(189), "1021": always(1021), "65537": always(65537),
		"random": func() int { return 1 + random.IntN(5000) },
		"wild":   func() int { return 1 << random.IntN(16) },
	} {
		got, gotJoinable := scanAll(t, NewSplitter(mediaType), data, next)
		if !slices.Equal(got, want) || gotJoinable != joinable {
			t.Errorf("in pieces of %s: cuts %v, joinable %v; want %v, %v", name, got, gotJoinable, want, joinable)
		}
	}
}

func TestCutsDoNotDependOnThePieces(t *testing.T) {
	for _, c := range samples {
		t.Run(c.name, func(t *testing.T) { pieced(t, c.mediaType, sample(t, c.name)) })
	}
}

func TestPiecesBetweenCutsMakeTheWhole(t *testing.T) {
	for _, c := range samples {
		data := sample(t, c.name)
		var got []byte
		from := int64(0)
		for _, cut := range append(cutsOf(t, c.mediaType, data), Cut{At: int64(len(data))}) {
			got = append(got, data[from:cut.At]...)
			from = cut.At
		}
		if !bytes.Equal(got, data) {
			t.Errorf("%s: the pieces make %d bytes that differ from the %d of the file", c.name, len(got), len(data))
		}
	}
}

func TestSamplesAreCutAtTheirKeyFrames(t *testing.T) {
	for _, c := range []struct {
		name string
		init int64   // its end; -1: none
		keys []int64 // the samples have a key frame in each of their four seconds
	}{
		{"vp8_opus.webm", 659, []int64{659, 38756, 79110, 120485}},
		{"live_unknown_size.webm", 574, []int64{574, 38681, 79045, 120430}},
		{"av1.webm", 489, []int64{489, 15489, 30113, 47022}},
		{"frag.mp4", 1269, []int64{1269, 42163, 85912, 135221}},
		{"frag_cmaf.mp4", 1269, []int64{1269, 42215, 86076, 135497}},
		{"clip.ts", 564, []int64{564, 46624, 93060, 148708}},
		{"tone.ogg", 137, []int64{137, 7484, 14751, 22375, 30459}},
		{"tone_vorbis.ogg", 3240, []int64{3240, 5191, 7053, 8917}},
		{"tone.wav", 78, []int64{78, 48078, 96078, 144078}},
		{"tone.mp3", -1, []int64{61, 4093, 8125, 12157, 16189, 20221, 24253, 28285, 32317}},
		{"tone.aac", -1, []int64{0, 4364, 8698, 13001, 17265, 21556, 25811, 30083}},
	} {
		data := sample(t, c.name)
		cuts := cutsOf(t, Sniff(data).Type, data)
		if got := offsets(cuts, Key); !slices.Equal(got, c.keys) {
			t.Errorf("%s: key points at %v; want %v", c.name, got, c.keys)
		}
		var ends []int64
		if c.init >= 0 {
			ends = []int64{c.init}
		}
		if got := offsets(cuts, InitEnd); !slices.Equal(got, ends) {
			t.Errorf("%s: init segments end at %v; want %v", c.name, got, ends)
		}
	}
}

func TestKeyPointsCarryTheTimeOfTheMedia(t *testing.T) {
	for _, name := range []string{"vp9_opus.webm", "clip.mkv", "frag_cmaf.mp4", "clip.ts", "tone.aac", "tone.flac", "tone.ogg"} {
		data := sample(t, name)
		var first, last time.Duration = -1, -1
		for _, c := range cutsOf(t, Sniff(data).Type, data) {
			switch {
			case c.Kind != Key:
			case first < 0:
				first, last = c.Time, c.Time
			case c.Time <= last || c.Time > first+4*time.Second:
				t.Errorf("%s: key point at %v after %v", name, c.Time, last)
			default:
				last = c.Time
			}
		}
		if last < first+time.Second {
			t.Errorf("%s: key points from %v to %v; want seconds between them", name, first, last)
		}
	}
}

func TestProgressiveFilesAreNotJoinable(t *testing.T) {
	for _, name := range []string{"prog_faststart.mp4", "prog_moovlast.mp4", "clip.mov", "tone.m4a", "image.avif"} {
		data := sample(t, name)
		s := NewSplitter("video/mp4")
		cuts, settled := s.Scan(data)
		if len(offsets(cuts, Key)) > 0 || s.Joinable() || settled != int64(len(data)) {
			t.Errorf("%s: cuts %v, joinable %v, settled %d; want no key point, all settled", name, cuts, s.Joinable(), settled)
		}
	}
}

func TestOtherTypesHaveNoCuts(t *testing.T) {
	for _, mediaType := range []string{"image/png", "text/plain; charset=utf-8", octetStream, "", "nonsense"} {
		s := NewSplitter(mediaType)
		cuts, settled := s.Scan(sample(t, "vp8_opus.webm"))
		if len(cuts) > 0 || settled != 161424 || s.Joinable() {
			t.Errorf("%q: cuts %v, settled %d, joinable %v; want none, all, false", mediaType, cuts, settled, s.Joinable())
		}
	}
}

func TestOneFormatTakenForAnotherHasNoKeyPoints(t *testing.T) {
	for _, c := range samples {
		for _, mediaType := range []string{"video/webm", "video/mp4", "audio/ogg", "video/mp2t", "audio/flac", "audio/wav"} {
			data := sample(t, c.name)
			if sameFormat(c.mediaType, mediaType) {
				continue
			}
			if got := offsets(cutsOf(t, mediaType, data), Key); len(got) > 0 {
				t.Errorf("%s as %s: key points at %v; want none", c.name, mediaType, got)
			}
		}
	}
}

// sameFormat reports whether two types are scanned alike.
func sameFormat(a, b string) bool {
	group := func(mediaType string) string {
		switch mediaType {
		case "video/x-matroska":
			return "video/webm"
		case "audio/mp4", "video/quicktime":
			return "video/mp4"
		}
		return mediaType
	}
	return group(a) == group(b)
}

// fuzzPieces feeds data whole and in pieces to a Splitter and compares.
func fuzzPieces(f *testing.F, mediaType string) {
	f.Fuzz(func(t *testing.T, data []byte, piece uint16) {
		want, _ := scanAll(t, NewSplitter(mediaType), data, always(len(data)))
		got, _ := scanAll(t, NewSplitter(mediaType), data, always(1+int(piece)%4096))
		if !slices.Equal(got, want) {
			t.Fatalf("in pieces of %d: cuts %v; want %v", 1+int(piece)%4096, got, want)
		}
		if len(want) > 2+len(data)/8 {
			t.Fatalf("%d cuts in %d bytes", len(want), len(data))
		}
	})
}

// addSamples seeds a fuzz target with the beginnings of samples, short enough to be mutated to effect.
func addSamples(f *testing.F, names ...string) {
	for _, name := range names {
		data := sample(f, name)
		f.Add(data[:min(len(data), 3000)], uint16(6))
	}
}

func BenchmarkSplitter(b *testing.B) {
	for _, name := range []string{
		"vp9_opus.webm", "live_unknown_size.webm", "frag.mp4", "clip.ts", "tone.mp3", "tone.aac", "tone.ogg", "tone.flac", "tone.wav", "image.png",
	} {
		b.Run(name, func(b *testing.B) {
			data := sample(b, name)
			mediaType := Sniff(data).Type
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				s := NewSplitter(mediaType)
				for rest := data; len(rest) > 0; {
					n := min(len(rest), 32<<10)
					s.Scan(rest[:n])
					rest = rest[n:]
				}
			}
		})
	}
}

// Each iteration is a piece of a stream that goes on.
func BenchmarkScan(b *testing.B) {
	data := sample(b, "frag.mp4")
	const first, piece = 5000, 250
	s, at := NewSplitter(Sniff(data).Type), 0
	b.SetBytes(piece)
	b.ReportAllocs()
	for b.Loop() {
		if at+piece > len(data) || at == 0 {
			b.StopTimer()
			s, at = NewSplitter(Sniff(data).Type), first
			s.Scan(data[:first])
			b.StartTimer()
		}
		s.Scan(data[at : at+piece])
		at += piece
	}
}

func BenchmarkSniff(b *testing.B) {
	for _, name := range []string{"vp9_opus.webm", "prog_faststart.mp4", "image.png", "clip.ts", "tone.mp3"} {
		b.Run(name, func(b *testing.B) {
			head := sample(b, name)[:SniffBytes]
			b.ReportAllocs()
			for b.Loop() {
				Sniff(head)
			}
		})
	}
}

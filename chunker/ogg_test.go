package chunker

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"
)

// oggPageOf encodes a page of whole packets.
func oggPageOf(flags byte, serial uint32, granule uint64, packets ...[]byte) []byte {
	var lacing, body []byte
	for _, p := range packets {
		body = append(body, p...)
		for n := len(p); ; n -= 255 {
			lacing = append(lacing, byte(min(n, 255)))
			if n < 255 {
				break
			}
		}
	}
	b := append([]byte("OggS\x00"), flags)
	b = binary.LittleEndian.AppendUint64(b, granule)
	b = binary.LittleEndian.AppendUint32(b, serial)
	b = append(b, make([]byte, 8)...) // number, checksum: not looked at
	return slices.Concat(b, []byte{byte(len(lacing))}, lacing, body)
}

const oggEnds = 0x04

// opusHeaders encodes the pages before the sound.
func opusHeaders(serial uint32) []byte {
	head := []byte("OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00")
	return append(oggPageOf(oggBegins, serial, 0, head), oggPageOf(0, serial, 0, []byte("OpusTags"))...)
}

// theoraHead encodes the identification header of 15 frames a second, a key every 64 at most.
func theoraHead() []byte {
	b := append([]byte("\x80theora"), make([]byte, 35)...)
	binary.BigEndian.PutUint32(b[22:], 15)
	binary.BigEndian.PutUint32(b[26:], 1)
	binary.BigEndian.PutUint16(b[40:], 6<<5)
	return b
}

var sound = make([]byte, 300)

func TestPagesOfSoundAreKeyPointsHalfASecondApart(t *testing.T) {
	data := opusHeaders(1)
	var want []int64
	for i := range 20 { // of 100 ms each
		if i%5 == 0 {
			want = append(want, int64(len(data)))
		}
		data = append(data, oggPageOf(0, 1, uint64(i+1)*4800+312, sound)...)
	}
	cuts := cutsOf(t, "audio/ogg", data)
	// The first page begins 312 granules late, by the pre-skip: its time is 0, like that of what comes before 6.5 ms.
	if got := offsets(cuts, Key); !slices.Equal(got, want) {
		t.Errorf("key points at %v; want %v", got, want)
	}
	if got := cuts[len(cuts)-1].Time; got != 1500*time.Millisecond {
		t.Errorf("time of the last = %v; want 1.5s", got)
	}
	pieced(t, "audio/ogg", data)
}

func TestAPageThatGoesOnWithAPacketIsNoKeyPoint(t *testing.T) {
	data := append(opusHeaders(1), oggPageOf(oggContinued, 1, 48000, sound)...)
	at := int64(len(data))
	data = append(data, oggPageOf(0, 1, 96000, sound)...)
	if got := offsets(cutsOf(t, "audio/ogg", data), Key); !slices.Equal(got, []int64{at}) {
		t.Errorf("key points at %v; want %d", got, at)
	}
}

func TestChainedStreamsBeginAnew(t *testing.T) {
	song := slices.Concat(opusHeaders(1), oggPageOf(0, 1, 48000, sound), oggPageOf(oggEnds, 1, 96000, sound))
	next := slices.Concat(opusHeaders(2), oggPageOf(0, 2, 48000, sound))
	data := append(song, next...)
	if got, want := offsets(cutsOf(t, "audio/ogg", data), Init), []int64{0, int64(len(song))}; !slices.Equal(got, want) {
		t.Errorf("init segments at %v; want %v", got, want)
	}
	pieced(t, "audio/ogg", data)
}

func TestFilmInOggIsCutAtItsOwnKeys(t *testing.T) {
	frame := func(first byte) []byte { return append([]byte{first}, make([]byte, 400)...) }
	data := slices.Concat(
		oggPageOf(oggBegins, 7, 0, theoraHead()),
		oggPageOf(oggBegins, 8, 0, []byte("OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00")),
		oggPageOf(0, 7, 0, []byte("\x81theora"), []byte("\x82theora")),
		oggPageOf(0, 8, 0, []byte("OpusTags")),
		oggPageOf(0, 8, 48000, sound))
	init := int64(len(data) - len(oggPageOf(0, 8, 48000, sound)))
	at := []int64{int64(len(data))}
	data = append(data, oggPageOf(0, 7, 1<<6|14, frame(0x00))...)
	data = append(data, oggPageOf(0, 7, 1<<6|20, frame(0x40))...)
	at = append(at, int64(len(data)))
	data = append(data, oggPageOf(0, 7, 30<<6, frame(0x30))...)
	cuts := cutsOf(t, "video/ogg", data)
	if got := offsets(cuts, Key); !slices.Equal(got, at) {
		t.Errorf("key points at %v; want %v", got, at)
	}
	if got := offsets(cuts, InitEnd); !slices.Equal(got, []int64{init}) {
		t.Errorf("init ends at %v; want %d", got, init)
	}
	if got := cuts[len(cuts)-1].Time; got != 21*time.Second/15 {
		t.Errorf("time of the last = %v; want 1.4s", got)
	}
	if got := Sniff(data).Type; got != "video/ogg" {
		t.Errorf("Sniff = %s; want video/ogg", got)
	}
	pieced(t, "video/ogg", data)
}

func TestPagesAreFoundAgainAfterDamage(t *testing.T) {
	data := slices.Concat(opusHeaders(1), oggPageOf(0, 1, 48000, sound), []byte("Ogg, no page: OggSOgg"), make([]byte, 500))
	at := int64(len(data))
	data = append(data, oggPageOf(0, 1, 96000, sound)...)
	if got := offsets(cutsOf(t, "audio/ogg", data), Key); len(got) != 2 || got[1] != at {
		t.Errorf("key points at %v; want the second at %d", got, at)
	}
	pieced(t, "audio/ogg", data)
}

func TestLogicalStreamsAreBounded(t *testing.T) {
	o := &ogg{}
	s := newSplitter(o, true)
	for serial := range uint32(1000) {
		s.Scan(oggPageOf(oggBegins, serial, 0, []byte("OpusHead\x01\x01\x38\x01")))
	}
	if len(o.streams) > maxTracks {
		t.Errorf("%d logical streams are remembered; want %d at most", len(o.streams), maxTracks)
	}
}

func FuzzOgg(f *testing.F) {
	addSamples(f, "tone.ogg", "tone_vorbis.ogg")
	f.Add(slices.Concat(opusHeaders(1), oggPageOf(0, 1, 48000, sound), opusHeaders(2)), uint16(5))
	f.Add(append(oggPageOf(oggBegins, 7, 0, theoraHead()), oggPageOf(0, 7, 0, []byte("\x81theora"), []byte("\x82theora"))...), uint16(5))
	fuzzPieces(f, "audio/ogg")
}

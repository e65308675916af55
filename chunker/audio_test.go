package chunker

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"
)

func TestFrameHeadersSaySizeAndRate(t *testing.T) {
	for _, c := range []struct {
		name  string
		parse func([]byte) (frame, bool)
		head  []byte
		size  int // 0: it is none
		rate  int
		lasts time.Duration
	}{
		{"MPEG-1 layer III, 128 kbit/s, 44.1 kHz", parseMP3, []byte{0xff, 0xfb, 0x90, 0x64}, 417, 44100, 26122448},
		{"the same, padded", parseMP3, []byte{0xff, 0xfb, 0x92, 0x64}, 418, 44100, 26122448},
		{"MPEG-1 layer II, 192 kbit/s, 48 kHz", parseMP3, []byte{0xff, 0xfd, 0xa4, 0x00}, 576, 48000, 24 * time.Millisecond},
		{"MPEG-2 layer III, 64 kbit/s, 24 kHz", parseMP3, []byte{0xff, 0xf3, 0x84, 0xc4}, 192, 24000, 24 * time.Millisecond},
		{"MPEG-2.5 layer III, 8 kbit/s, 8 kHz", parseMP3, []byte{0xff, 0xe3, 0x18, 0xc4}, 72, 8000, 72 * time.Millisecond},
		{"layer I", parseMP3, []byte{0xff, 0xff, 0x90, 0x64}, 0, 0, 0},
		{"free format", parseMP3, []byte{0xff, 0xfb, 0x00, 0x64}, 0, 0, 0},
		{"reserved bit rate", parseMP3, []byte{0xff, 0xfb, 0xf0, 0x64}, 0, 0, 0},
		{"reserved sample rate", parseMP3, []byte{0xff, 0xfb, 0x9c, 0x64}, 0, 0, 0},
		{"reserved version", parseMP3, []byte{0xff, 0xeb, 0x90, 0x64}, 0, 0, 0},
		{"ADTS, 48 kHz", parseADTS, []byte{0xff, 0xf1, 0x4c, 0x40, 0x2c, 0x9f, 0xfc}, 356, 48000, 21333333},
		{"ADTS with a layer", parseADTS, []byte{0xff, 0xf7, 0x4c, 0x40, 0x2c, 0x9f, 0xfc}, 0, 0, 0},
		{"ADTS shorter than its header", parseADTS, []byte{0xff, 0xf1, 0x4c, 0x40, 0x00, 0xdf, 0xfc}, 0, 0, 0},
		{"ADTS, reserved rate", parseADTS, []byte{0xff, 0xf1, 0x7c, 0x40, 0x2c, 0x9f, 0xfc}, 0, 0, 0},
	} {
		got, ok := c.parse(append(c.head, 0, 0, 0))
		if ok != (c.size > 0) || got.size != c.size || got.rate != c.rate || ok && got.duration() != c.lasts {
			t.Errorf("%s: %+v, %v; want %d bytes at %d Hz for %v", c.name, got, ok, c.size, c.rate, c.lasts)
		}
	}
}

func TestFramesAreFoundAgainAfterDamage(t *testing.T) {
	for _, c := range []struct {
		name, mediaType string
		at              int // where a frame begins
	}{{"tone.mp3", "audio/mpeg", 61 + 10*192}, {"tone.aac", "audio/aac", 4364}} {
		whole := sample(t, c.name)
		tag := append([]byte("ID3\x04\x00\x00\x00\x00\x01\x00"), make([]byte, 128)...)
		for _, foreign := range [][]byte{[]byte("foreign \xff\xfb\x90\x64"), tag} {
			data := slices.Concat(whole[:c.at], foreign, whole[c.at:])
			cuts := cutsOf(t, c.mediaType, data)
			if got, want := len(offsets(cuts, Key)), len(offsets(cutsOf(t, c.mediaType, whole), Key)); got < want-1 || got > want {
				t.Errorf("%s: %d key points; want about %d", c.name, got, want)
			}
			pieced(t, c.mediaType, data)
		}
	}
}

func TestNoiseHasHardlyAFrame(t *testing.T) {
	noise := sample(t, "photo.jpg")
	for _, mediaType := range []string{"audio/mpeg", "audio/aac"} {
		if got := offsets(cutsOf(t, mediaType, noise), Key); len(got) > 0 {
			t.Errorf("%s: key points at %v; want none", mediaType, got)
		}
	}
}

func TestATagMayBeOfAnySize(t *testing.T) {
	tag := []byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f")
	s := NewSplitter("audio/mpeg")
	s.Scan(tag)
	if cuts, settled := s.Scan(sample(t, "tone.mp3")); len(cuts) > 0 || settled != s.seen {
		t.Errorf("cuts %v, settled %d; want none within the tag, all", cuts, settled)
	}
}

func TestWAVIsCutBetweenSamples(t *testing.T) {
	const align = 6
	header := slices.Concat([]byte("RIFF\xff\xff\xff\xffWAVEJUNK\x03\x00\x00\x00abc\x00fmt \x10\x00\x00\x00"),
		[]byte{1, 0, 3, 0}, binary.LittleEndian.AppendUint32(nil, 8000), binary.LittleEndian.AppendUint32(nil, 8000*align),
		[]byte{align, 0, 16, 0})
	for size, keys := range map[uint32]int{0: 5, riffUnknownSize: 5, 50_000: 3} {
		data := binary.LittleEndian.AppendUint32(append(slices.Clone(header), "data"...), size)
		init := int64(len(data))
		data = append(data, make([]byte, 100_000)...)
		got := offsets(cutsOf(t, "audio/wav", data), Key)
		if len(got) != keys {
			t.Errorf("size %d: key points at %v; want %d", size, got, keys)
		}
		for _, at := range got {
			if (at-init)%align != 0 {
				t.Errorf("size %d: key point at %d is within a sample", size, at-init)
			}
		}
		pieced(t, "audio/wav", data)
	}
}

func TestFLACFramesMustFollowEachOther(t *testing.T) {
	whole := sample(t, "tone.flac")
	keys := offsets(cutsOf(t, "audio/flac", whole), Key)
	// The same frame once more is no frame: its number does not go on.
	data := slices.Concat(whole[:keys[2]], whole[keys[0]:keys[1]], whole[keys[2]:])
	for _, at := range offsets(cutsOf(t, "audio/flac", data), Key) {
		if at >= keys[2] && at < keys[2]+keys[1]-keys[0] {
			t.Errorf("key point at %d, where an old frame stands", at)
		}
	}
	pieced(t, "audio/flac", data)
}

func FuzzFrames(f *testing.F) {
	addSamples(f, "tone.mp3")
	f.Add(append([]byte("ID3\x04\x00\x00\x00\x00\x00\x05"), make([]byte, 100)...), uint16(9))
	fuzzPieces(f, "audio/mpeg")
}

func FuzzADTS(f *testing.F) {
	addSamples(f, "tone.aac")
	fuzzPieces(f, "audio/aac")
}

func FuzzWAV(f *testing.F) {
	addSamples(f, "tone.wav")
	fuzzPieces(f, "audio/wav")
}

func FuzzFLAC(f *testing.F) {
	whole := sample(f, "tone.flac")
	f.Add(whole[:8300], uint16(9))
	f.Add(slices.Concat(whole[:42], []byte{0x81, 0, 0, 0}, whole[8288:9600]), uint16(9))
	fuzzPieces(f, "audio/flac")
}

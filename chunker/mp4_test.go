package chunker

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"
)

// Sample flags as muxers write them.
const (
	syncSample    = 0x02000000
	nonSyncSample = 0x01010000
)

// traf encodes one, at a time in ticks, with a run of two samples that carry flags where the arguments say.
func traf(track uint32, at uint32, header, run []byte) []byte {
	return mp4Box("traf", mp4Box("tfhd", header[:4], words(track), header[4:]), mp4Box("tfdt", words(0, at)), mp4Box("trun", run))
}

// plainTraf encodes one whose run's first sample has these flags.
func plainTraf(track, at, flags uint32) []byte {
	return traf(track, at, words(0), words(trunFirstSampleFlags, 2, flags))
}

func moof(trafs ...[]byte) []byte {
	return append(mp4Box("moof", append([][]byte{mp4Box("mfhd", words(0, 1))}, trafs...)...), mp4Box("mdat", make([]byte, 400))...)
}

func TestAFragmentIsAKeyPointWhenItsFirstVideoSampleIsSync(t *testing.T) {
	for _, c := range []struct {
		name     string
		defaults uint32 // of the track
		traf     []byte
		key      bool
	}{
		{"first sample's flags", nonSyncSample, plainTraf(1, 0, syncSample), true},
		{"first sample's flags, not sync", syncSample, plainTraf(1, 0, nonSyncSample), false},
		{"each sample's flags", nonSyncSample, traf(1, 0, words(0), words(trunSampleFlags, 2, syncSample, nonSyncSample)), true},
		{"each sample's flags behind what is optional", nonSyncSample,
			traf(1, 0, words(0), words(trunDataOffset|trunSampleDuration|trunSampleSize|trunSampleFlags, 1, 8, 9, 10, syncSample)), true},
		{"the fragment's defaults", nonSyncSample, traf(1, 0, words(tfhdDefaultFlags, syncSample), words(0, 2)), true},
		{"the fragment's defaults behind what is optional", nonSyncSample,
			traf(1, 0, words(tfhdDefaultDuration|tfhdDefaultSize|tfhdDefaultFlags, 1, 2, syncSample), words(0, 2)), true},
		{"the track's defaults", syncSample, traf(1, 0, words(0), words(0, 2)), true},
		{"the track's defaults, not sync", nonSyncSample, traf(1, 0, words(0), words(0, 2)), false},
		{"no samples", syncSample, traf(1, 0, words(0), words(0, 0)), false},
		{"no such track", syncSample, plainTraf(9, 0, syncSample), false},
		{"sound alone", syncSample, plainTraf(2, 0, syncSample), false},
		{"sound, then video", syncSample, slices.Concat(plainTraf(2, 0, syncSample), plainTraf(1, 0, syncSample)), true},
		{"sound, then video that is not sync", syncSample, slices.Concat(plainTraf(2, 0, syncSample), plainTraf(1, 0, nonSyncSample)), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			init := mp4Init(c.defaults, mp4Trak(1, "vide", 1000), mp4Trak(2, "soun", 48000))
			data := append(init, moof(c.traf)...)
			var want []int64
			if c.key {
				want = []int64{int64(len(init))}
			}
			if got := offsets(cutsOf(t, "video/mp4", data), Key); !slices.Equal(got, want) {
				t.Errorf("key points at %v; want %v", got, want)
			}
			pieced(t, "video/mp4", data)
		})
	}
}

func TestAFragmentBeginsWithWhatAnnouncesIt(t *testing.T) {
	init := mp4Init(syncSample, mp4Trak(1, "vide", 1000))
	for _, ahead := range []string{"styp", "sidx", "emsg", "prft"} {
		group := slices.Concat(mp4Box(ahead, make([]byte, 60)), mp4Box("free"), mp4Box("emsg", make([]byte, 99)), moof(plainTraf(1, 1500, syncSample)))
		data := slices.Concat(init, group, group)
		at := []int64{int64(len(init)), int64(len(init) + len(group))}
		cuts := cutsOf(t, "video/mp4", data)
		if got := offsets(cuts, Key); !slices.Equal(got, at) {
			t.Errorf("%s: key points at %v; want %v", ahead, got, at)
		}
		if got := offsets(cuts, InitEnd); !slices.Equal(got, at[:1]) {
			t.Errorf("%s: init ends at %v; want %d", ahead, got, at[0])
		}
		if got := cuts[len(cuts)-1].Time; got != 1500*time.Millisecond {
			t.Errorf("%s: time %v; want 1.5s", ahead, got)
		}
		pieced(t, "video/mp4", data)
	}
}

func TestEveryFragmentOfSoundIsAKeyPoint(t *testing.T) {
	init := mp4Init(nonSyncSample, mp4Trak(1, "soun", 48000))
	data := slices.Concat(init, moof(plainTraf(1, 0, nonSyncSample)), moof(plainTraf(1, 48000, syncSample)))
	if got := offsets(cutsOf(t, "audio/mp4", data), Key); len(got) != 2 {
		t.Errorf("key points at %v; want 2", got)
	}
}

func TestASecondMovieBeginsAnInitSegment(t *testing.T) {
	init := mp4Init(syncSample, mp4Trak(1, "vide", 1000))
	film := slices.Concat(init, moof(plainTraf(1, 0, syncSample)))
	moov := init[binary.BigEndian.Uint32(init):]
	data := slices.Concat(film, film, moov, moof(plainTraf(1, 0, syncSample)))
	want := []int64{0, int64(len(film)), int64(2 * len(film))}
	if got := offsets(cutsOf(t, "video/mp4", data), Init); !slices.Equal(got, want) {
		t.Errorf("init segments at %v; want %v", got, want)
	}
	pieced(t, "video/mp4", data)
}

func TestBoxesOfAnySizeAreRead(t *testing.T) {
	init := mp4Init(syncSample, mp4Trak(1, "vide", 1000))
	fragment := mp4Box("moof", plainTraf(1, 0, syncSample))
	long := slices.Concat(words(1), []byte("mdat"), words(0, 16+500), make([]byte, 500))
	open := slices.Concat(words(0), []byte("mdat"), make([]byte, 5000))
	data := slices.Concat(init, fragment, long, fragment, open, fragment)
	want := []int64{int64(len(init)), int64(len(init) + len(fragment) + len(long))}
	if got := offsets(cutsOf(t, "video/mp4", data), Key); !slices.Equal(got, want) {
		t.Errorf("key points at %v; want %v: the open mdat goes to the end", got, want)
	}
	pieced(t, "video/mp4", data)
}

func TestBoxesThatLieEndTheSearch(t *testing.T) {
	init := mp4Init(syncSample, mp4Trak(1, "vide", 1000))
	fragment := moof(plainTraf(1, 0, syncSample))
	for name, lie := range map[string][]byte{
		"shorter than its header":   slices.Concat(words(7), []byte("free")),
		"longer than what it is in": mp4Box("moof", words(1000), []byte("traf")),
		"open within another":       mp4Box("moof", words(0), []byte("traf")),
		"more than 63 bits":         slices.Concat(words(1), []byte("mdat"), words(0xffffffff, 0)),
		"deeper than any":           mp4Box("moof", mp4Box("moof", mp4Box("moof", mp4Box("moof", mp4Box("moof", words(0, 0, 0, 0, 0, 0)))))),
	} {
		data := slices.Concat(init, fragment, lie, fragment)
		s := NewSplitter("video/mp4")
		cuts, settled := s.Scan(data)
		if got := offsets(cuts, Key); len(got) != 1 || settled != int64(len(data)) {
			t.Errorf("%s: key points at %v, settled %d; want one, %d", name, got, settled, len(data))
		}
		pieced(t, "video/mp4", data)
	}
}

func FuzzMP4(f *testing.F) {
	addSamples(f, "frag.mp4", "frag_cmaf.mp4", "prog_faststart.mp4")
	f.Add(slices.Concat(mp4Init(syncSample, mp4Trak(1, "vide", 1000)), moof(plainTraf(1, 0, syncSample))), uint16(0))
	fuzzPieces(f, "video/mp4")
}

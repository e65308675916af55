package chunker

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"
)

// clusterOf encodes a cluster of unknown size, at a time in milliseconds.
func clusterOf(ms byte, blocks ...[]byte) []byte {
	b := append(ebmlOpen(idCluster), ebml(idTimestamp, []byte{ms})...)
	return append(b, slices.Concat(blocks...)...)
}

const (
	videoTrack, soundTrack = 1, 2
	blockBytes             = 300 // of content: more than minCutBytes
)

func simpleBlock(track byte, flags byte) []byte {
	return ebml(idSimpleBlock, blockOf(track, 5, flags, blockBytes))
}

func TestAClusterIsAKeyPointWhenItsFirstVideoBlockIsAKey(t *testing.T) {
	key, other := simpleBlock(videoTrack, simpleBlockKey), simpleBlock(videoTrack, 0)
	sound := simpleBlock(soundTrack, simpleBlockKey)
	block := ebml(idBlock, blockOf(videoTrack, 5, 0, blockBytes))
	for _, c := range []struct {
		name   string
		blocks [][]byte
		key    bool
	}{
		{"key first", [][]byte{key, other}, true},
		{"key behind sound", [][]byte{sound, sound, key}, true},
		{"key behind another frame", [][]byte{other, key}, false},
		{"no key", [][]byte{sound, other}, false},
		{"sound alone", [][]byte{sound, sound}, false},
		{"nothing", nil, false},
		{"group that refers to no other", [][]byte{sound, ebml(idBlockGroup, block), other}, true},
		{"group that refers to another", [][]byte{ebml(idBlockGroup, block, ebml(idReference, []byte{0xff})), key}, false},
		{"group whose reference comes first", [][]byte{ebml(idBlockGroup, ebml(idReference, []byte{0xff}), block)}, false},
		{"group of sound, then a frame", [][]byte{ebml(idBlockGroup, ebml(idBlock, blockOf(soundTrack, 0, 0, 9))), other}, false},
		{"laced key", [][]byte{simpleBlock(videoTrack, simpleBlockKey|0x06)}, true},
		{"block too short to be one", [][]byte{ebml(idSimpleBlock, []byte{0x81}), key}, true},
		{"void before", [][]byte{ebml(idVoid, make([]byte, 500)), key}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			init := webmInit(trackVideo, trackAudio)
			at := int64(len(init))
			data := slices.Concat(init, clusterOf(7, c.blocks...), clusterOf(9, other))
			var want []Cut
			if c.key {
				want = []Cut{{at, Key, 12 * time.Millisecond}}
			}
			got := cutsOf(t, "video/webm", data)
			if !slices.Equal(got, append([]Cut{{0, Init, -1}, {at, InitEnd, -1}}, want...)) {
				t.Errorf("cuts = %v; want the init segment and %v", got, want)
			}
			pieced(t, "video/webm", data)
		})
	}
}

func TestEveryClusterOfSoundIsAKeyPoint(t *testing.T) {
	if got := offsets(cutsOf(t, "audio/webm", audioWebM()), Key); len(got) != 4 {
		t.Errorf("key points at %v; want 4", got)
	}
}

func TestAnEncoderThatWasCutOffMayBeginAnew(t *testing.T) {
	key := simpleBlock(videoTrack, simpleBlockKey)
	whole := slices.Concat(webmInit(trackVideo), ebml(idCluster, ebml(idTimestamp, []byte{1}), key, key))
	for _, lost := range []int{0, 1, 100, len(key) + 3} {
		first := whole[:len(whole)-lost]
		data := slices.Concat(first, whole, make([]byte, 100), whole)
		got := offsets(cutsOf(t, "video/webm", data), Init)
		// What was cut off within a block swallows as much of what follows, and with it the second beginning.
		if last := int64(len(data) - len(whole)); !slices.Contains(got, last) {
			t.Errorf("%d bytes lost: init segments at %v; want one at %d", lost, got, last)
		}
		pieced(t, "video/webm", data)
	}
}

func TestAClusterIsFoundAgainAfterDamage(t *testing.T) {
	key := simpleBlock(videoTrack, simpleBlockKey)
	data := slices.Concat(webmInit(trackVideo), clusterOf(1, key), []byte{0, 0, 0, 0x1f, 0x43, 0x1a}, make([]byte, 2000))
	at := int64(len(data))
	data = append(data, clusterOf(2, key)...)
	if got := offsets(cutsOf(t, "video/webm", data), Key); len(got) != 2 || got[1] != at {
		t.Errorf("key points at %v; want the second at %d", got, at)
	}
	pieced(t, "video/webm", data)
}

func TestWhatIsUndecidedForTooLongIsSettledWithoutACut(t *testing.T) {
	key := simpleBlock(videoTrack, simpleBlockKey)
	group := func(size int, behind ...byte) []byte {
		return ebml(idBlockGroup, ebml(idBlock, blockOf(videoTrack, 5, 0, size)), behind)
	}
	duration := ebml(0x9B, []byte{40}) // behind the block, where a reference could be, too
	for _, c := range []struct {
		name  string
		first []byte // of a cluster
		key   bool
	}{
		{"a little sound", ebml(idSimpleBlock, blockOf(soundTrack, 0, 0, maxLeadBytes-100)), true},
		{"much sound", ebml(idSimpleBlock, blockOf(soundTrack, 0, 0, maxLeadBytes)), false},
		{"a large key frame in a group", group(MaxUnsettledBytes*3/4, duration...), true},
		{"a larger one", group(MaxUnsettledBytes, duration...), false},
		{"a larger one that fills its group", group(MaxUnsettledBytes), true},
		{"a void", ebml(idVoid, make([]byte, MaxUnsettledBytes)), false},
	} {
		data := webmInit(trackVideo, trackAudio)
		var want []int64
		if c.key {
			want = append(want, int64(len(data)))
		}
		data = append(data, clusterOf(1, c.first, key)...)
		want = append(want, int64(len(data)))
		data = append(data, clusterOf(2, key)...)
		if got := offsets(cutsOf(t, "video/webm", data), Key); !slices.Equal(got, want) {
			t.Errorf("%s: key points at %v; want %v", c.name, got, want)
		}
		pieced(t, "video/webm", data)
	}
}

func TestSoundOfAFilmThatStandsStillIsNotKeptBack(t *testing.T) {
	s := NewSplitter("video/webm")
	s.Scan(webmInit(trackVideo, trackAudio))
	s.Scan(clusterOf(1))
	for range 200 {
		_, settled := s.Scan(simpleBlock(soundTrack, simpleBlockKey))
		if s.seen-settled > maxLeadBytes {
			t.Fatalf("%d bytes are kept back; want %d at most", s.seen-settled, maxLeadBytes)
		}
	}
}

func TestElementsWithinEachOtherAreBounded(t *testing.T) {
	for _, id := range []uint32{idTrackEntry, idBlockGroup} {
		s := NewSplitter("video/webm")
		s.Scan(webmInit(trackVideo))
		s.Scan(ebmlOpen(idCluster))
		for left := uint64(1) << 40; left > 1<<39; left -= 1 << 24 {
			s.Scan(slices.Concat(ebmlID(id), binary.BigEndian.AppendUint64(nil, 1<<56|left)))
		}
		checkBounds(t, s)
	}
}

func TestAnInitSegmentThatIsTooLongMakesNothingJoinable(t *testing.T) {
	data := append(webmInit(trackVideo), ebml(idAttachments, make([]byte, MaxInitBytes))...)
	data = append(data, clusterOf(1, simpleBlock(videoTrack, simpleBlockKey))...)
	cuts, joinable := scanAll(t, NewSplitter("video/webm"), data, always(1000))
	if len(cuts) != 1 || joinable {
		t.Errorf("cuts %v, joinable %v; want the begin of an init segment only", cuts, joinable)
	}
	pieced(t, "video/webm", data)
}

func TestClaimedSizesCostNothing(t *testing.T) {
	huge := []byte{0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}
	for _, id := range []uint32{idEBML, idSegment, idInfo, idTracks, idCluster, idSimpleBlock, idDocType, idVoid} {
		init := webmInit(trackVideo)
		s := NewSplitter("video/webm")
		s.Scan(init)
		s.Scan(append(ebmlID(id), huge...))
		for range 100 {
			s.Scan(make([]byte, 64<<10))
		}
		if len(s.held) > maxHeldBytes || s.settled() < s.seen-MaxUnsettledBytes {
			t.Errorf("element %x of 2^56 bytes: %d held, settled %d of %d", id, len(s.held), s.settled(), s.seen)
		}
	}
}

func TestClustersWithoutContentAreNotCutToCrumbs(t *testing.T) {
	data := webmInit(trackAudio)
	for range 1000 {
		data = append(data, ebml(idCluster, ebml(idSimpleBlock, blockOf(1, 0, 0, 1)))...)
	}
	if got := len(cutsOf(t, "audio/webm", data)); got > len(data)/minCutBytes+3 {
		t.Errorf("%d cuts in %d bytes", got, len(data))
	}
}

func TestInitSegmentsAreNotCutToCrumbs(t *testing.T) {
	one := slices.Concat(ebml(idEBML), ebmlOpen(idSegment), ebml(idTracks, ebml(idTrackEntry,
		ebml(idTrackNumber, []byte{1}), ebml(idTrackType, []byte{trackAudio}))), ebml(idCluster, ebml(idSimpleBlock, blockOf(1, 0, 0, 1))))
	data := bytes.Repeat(one, 1000)
	if got := len(cutsOf(t, "audio/webm", data)); got > 3*len(data)/minCutBytes+3 {
		t.Errorf("%d cuts in %d bytes", got, len(data))
	}
	pieced(t, "audio/webm", data)
}

func TestRepeatedHeadersAreOneInitSegment(t *testing.T) {
	var data []byte
	for range 10 {
		data = append(data, ebml(idEBML)...)
	}
	if got := cutsOf(t, "video/webm", data); len(got) != 1 {
		t.Errorf("cuts = %v; want one", got)
	}
}

func FuzzMatroska(f *testing.F) {
	addSamples(f, "vp8_opus.webm", "live_unknown_size.webm", "clip.mkv")
	f.Add(audioWebM(), uint16(3))
	f.Add(append(webmInit(trackVideo), clusterOf(1, simpleBlock(videoTrack, simpleBlockKey))...), uint16(0))
	fuzzPieces(f, "video/webm")
}

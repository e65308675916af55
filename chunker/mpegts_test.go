package chunker

import (
	"slices"
	"testing"
	"time"
)

// tsPacketOf encodes a packet; flags go into its adaptation field if there are any.
func tsPacketOf(pid uint16, starts bool, flags byte, payload []byte) []byte {
	b := []byte{tsSync, byte(pid >> 8), byte(pid), 0x10}
	if starts {
		b[1] |= 0x40
	}
	b[3] |= 0x20
	stuffing := tsPacketBytes - len(b) - 2 - len(payload)
	b = append(b, byte(1+stuffing), flags)
	b = append(b, make([]byte, stuffing)...)
	return append(b, payload...)
}

const (
	pmtPID, videoPID, audioPID = 0x1000, 0x100, 0x101
	randomAccess               = 0x40
)

func tsAssociation() []byte {
	return tsPacketOf(0, true, 0, []byte{0, 0, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xe0 | pmtPID>>8, pmtPID & 0xff, 1, 2, 3, 4})
}

// tsMap encodes the program map of streams of those types, in PIDs from videoPID on, over as many packets as it takes.
func tsMap(descriptor int, types ...byte) (packets []byte) {
	section := []byte{2, 0, 0, 0, 1, 0xc1, 0, 0, 0xe1, 0, 0xf0 | byte(descriptor>>8), byte(descriptor)}
	section = append(section, make([]byte, descriptor)...)
	for i, kind := range types {
		section = append(section, kind, 0xe0|videoPID>>8, byte(i), 0xf0, 0)
	}
	section = append(section, 1, 2, 3, 4)
	section[1], section[2] = 0xb0|byte((len(section)-3)>>8), byte(len(section)-3)
	payload := append([]byte{0}, section...)
	for starts := true; len(payload) > 0; starts = false {
		n := min(len(payload), 150)
		packets = append(packets, tsPacketOf(pmtPID, starts, 0, payload[:n])...)
		payload = payload[n:]
	}
	return packets
}

// tsFrame encodes the first packet of a PES packet at a time in seconds.
func tsFrame(pid uint16, flags byte, seconds int) []byte {
	pts := uint64(seconds * ptsRate)
	return tsPacketOf(pid, true, flags, []byte{0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5,
		0x21 | byte(pts>>29)&0xe, byte(pts >> 22), byte(pts>>14) | 1, byte(pts >> 7), byte(pts<<1) | 1})
}

func TestTransportStreamsAreCutAtRandomAccessPackets(t *testing.T) {
	null := tsPacketOf(0x1fff, false, 0, nil)
	init := slices.Concat(tsAssociation(), null, tsMap(0, 0x1b, 0x0f))
	data := slices.Concat(null, init,
		tsFrame(audioPID, randomAccess, 1), tsFrame(videoPID, 0, 1), null,
		tsFrame(videoPID, randomAccess, 2), null, tsAssociation(), tsMap(0, 0x1b, 0x0f),
		tsFrame(videoPID, randomAccess, 3))
	begin, end := int64(tsPacketBytes), int64(tsPacketBytes+len(init))
	want := []Cut{
		{begin, Init, -1}, {end, InitEnd, -1},
		{end + 3*tsPacketBytes, Key, 2 * time.Second}, {end + 7*tsPacketBytes, Key, 3 * time.Second},
	}
	if got := cutsOf(t, "video/mp2t", data); !slices.Equal(got, want) {
		t.Errorf("cuts = %v; want %v", got, want)
	}
	pieced(t, "video/mp2t", data)
}

func TestAProgramMapMayTakeSeveralPackets(t *testing.T) {
	data := slices.Concat(tsAssociation(), tsMap(400, 0x1b), tsFrame(videoPID, randomAccess, 1), tsFrame(videoPID, 0, 1))
	if got := offsets(cutsOf(t, "video/mp2t", data), Key); !slices.Equal(got, []int64{4 * tsPacketBytes}) {
		t.Errorf("key points at %v; want one behind the map's three packets", got)
	}
	pieced(t, "video/mp2t", data)
}

func TestTransportStreamsOfSoundAreCutTwiceASecond(t *testing.T) {
	data := slices.Concat(tsAssociation(), tsMap(0, 0x0f))
	for i := range 4 {
		data = slices.Concat(data, tsFrame(videoPID, 0, i), tsPacketOf(videoPID, false, 0, nil), tsFrame(videoPID, 0, i))
	}
	if got := offsets(cutsOf(t, "video/mp2t", data), Key); len(got) != 4 {
		t.Errorf("key points at %v; want one each second", got)
	}
	pieced(t, "video/mp2t", data)
}

func TestPacketsAreFoundAgainAfterDamage(t *testing.T) {
	film := sample(t, "clip.ts")
	data := slices.Concat(film[:100*tsPacketBytes], []byte("G damage"), film[100*tsPacketBytes:])
	want := offsets(cutsOf(t, "video/mp2t", film), Key)
	for i := range want[1:] {
		want[1+i] += int64(len("G damage"))
	}
	if got := offsets(cutsOf(t, "video/mp2t", data), Key); !slices.Equal(got, want) {
		t.Errorf("key points at %v; want %v", got, want)
	}
	pieced(t, "video/mp2t", data)
}

func TestProgramMapsAreBounded(t *testing.T) {
	m := newMPEGTS()
	s := newSplitter(m, true)
	s.Scan(tsAssociation())
	s.Scan(tsPacketOf(pmtPID, true, 0, []byte{0, 2, 0xbf, 0xff, 0, 1, 0xc1, 0, 0, 0, 0, 0, 0}))
	for range 1000 {
		s.Scan(tsPacketOf(pmtPID, false, 0, make([]byte, 100)))
	}
	if len(m.section) > maxSectionBytes+tsPacketBytes {
		t.Errorf("%d bytes of a program map are kept; want about %d at most", len(m.section), maxSectionBytes)
	}
}

func FuzzMPEGTS(f *testing.F) {
	addSamples(f, "clip.ts")
	f.Add(slices.Concat(tsAssociation(), tsMap(400, 0x1b), tsFrame(videoPID, randomAccess, 1)), uint16(187))
	fuzzPieces(f, "video/mp2t")
}

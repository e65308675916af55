package chunker

import (
	"encoding/binary"
	"math"
	"time"
)

const (
	// maxTracks bounds the tracks that are remembered of one stream; further ones are passed over.
	maxTracks = 32

	// maxBoxDepth is deeper than any box that is looked into: moov, trak, mdia.
	maxBoxDepth = 4
)

// Flags of tfhd, trun and samples (ISO/IEC 14496-12, 8.8).
const (
	tfhdBaseDataOffset  = 0x000001
	tfhdDescription     = 0x000002
	tfhdDefaultDuration = 0x000008
	tfhdDefaultSize     = 0x000010
	tfhdDefaultFlags    = 0x000020

	trunDataOffset       = 0x000001
	trunFirstSampleFlags = 0x000004
	trunSampleDuration   = 0x000100
	trunSampleSize       = 0x000200
	trunSampleFlags      = 0x000400

	sampleIsNonSync = 0x00010000
)

// mp4 finds the fragments of an ISO base media file that begin with a key. A progressive file has none.
type mp4 struct {
	open      []box // the boxes that pos is in, outermost first
	described bool  // a moov was read whole
	movie     bool  // a moov was read, and it announces fragments
	tracks    []mp4Track
	track     mp4Track      // the trak being read
	fragment  mp4Track      // the traf being read, with its defaults
	decode    time.Duration // when the traf's first sample is decoded; -1 if unknown
}

type box struct {
	kind [4]byte
	end  int64
}

type mp4Track struct {
	id      uint32
	handler string // "vide", "soun", ...
	scale   uint32 // ticks per second
	flags   uint32 // of samples that say nothing else
}

// boxHeader reads a box's type and size, which is negative if the box goes to the end of the file. n is 0 if b is too
// short and negative if no box begins there.
func boxHeader(b []byte) (kind [4]byte, size int64, n int) {
	if len(b) < 8 {
		return kind, 0, 0
	}
	n = 8
	switch short := binary.BigEndian.Uint32(b); short {
	case 0:
		size = -1
	case 1:
		if len(b) < 16 {
			return kind, 0, 0
		}
		long := binary.BigEndian.Uint64(b[8:])
		if long > math.MaxInt64 {
			return kind, 0, -1
		}
		size, n = int64(long), 16
	default:
		size = int64(short)
	}
	if size >= 0 && size < int64(n) {
		return kind, 0, -1
	}
	return [4]byte(b[4:8]), size, n
}

func (m *mp4) next(s *Splitter, b []byte) int64 {
	kind, size, n := boxHeader(b)
	if n <= 0 {
		return int64(n)
	}
	within := int64(math.MaxInt64)
	if len(m.open) > 0 {
		within = m.open[len(m.open)-1].end
	}
	if size < 0 || size > within-s.pos {
		if len(m.open) > 0 {
			return -1 // only the last box of a file may go on for ever
		}
		size = within - s.pos
	}
	step := m.enter(s, box{kind, s.pos + size}, b, int64(n))
	if step > 0 {
		m.close(s, s.pos+step)
	}
	return step
}

// enter looks at a box, whose header has n bytes, and returns how far to go on.
func (m *mp4) enter(s *Splitter, x box, b []byte, n int64) int64 {
	size := x.end - s.pos
	kind := string(x.kind[:])
	if len(m.open) == 0 && !m.enterTop(s, kind) {
		return -1
	}
	switch kind {
	case "moov", "trak", "mdia", "mvex", "moof", "traf":
		if len(m.open) == maxBoxDepth {
			return -1
		}
		m.begin(kind)
		m.open = append(m.open, x)
		return n
	case "mdhd", "tkhd", "hdlr", "trex", "tfhd", "tfdt", "trun":
		if len(m.open) == 0 {
			return size
		}
		payload := b[n:min(int64(len(b)), size)]
		if int64(len(payload)) < min(size-n, fullBoxBytes) {
			return 0
		}
		m.field(s, kind, payload)
	}
	return size
}

// fullBoxBytes is as much of a box as any field that is read needs.
const fullBoxBytes = 40

// enterTop looks at a box of the outermost level. It returns false if this is no stream of fragments.
func (m *mp4) enterTop(s *Splitter, kind string) bool {
	switch kind {
	case "ftyp", "moov":
		if s.initAt < 0 {
			s.beginInit()
			*m = mp4{open: m.open}
		}
	case "styp", "sidx", "emsg", "prft", "moof":
		if m.movie && s.initAt >= 0 {
			s.endInit()
		}
		if s.pending < 0 {
			s.suspect()
		}
	case "mdat":
		s.drop()
		return m.movie // a progressive file has its samples here
	}
	return true
}

// begin forgets what was read of the last box of that kind.
func (m *mp4) begin(kind string) {
	switch kind {
	case "trak":
		m.track = mp4Track{}
	case "traf":
		m.fragment, m.decode = mp4Track{}, -1
	case "mvex":
		m.movie = true
	}
}

// field reads what is needed of one box, payload being its first bytes, and all of it if it is short.
func (m *mp4) field(s *Splitter, kind string, payload []byte) {
	f := fields{payload}
	head := f.uint32()
	version, flags := head>>24, head&0xffffff
	switch kind {
	case "tkhd":
		f.skip(8 + 8*min(version, 1))
		m.track.id = f.uint32()
	case "mdhd":
		f.skip(8 + 8*min(version, 1))
		m.track.scale = f.uint32()
	case "hdlr":
		f.skip(4)
		m.track.handler = f.string4()
	case "trex":
		id := f.uint32()
		f.skip(12)
		if t := m.find(id); t != nil {
			t.flags = f.uint32()
		}
	case "tfhd":
		m.trackHeader(flags, f)
	case "tfdt":
		m.decode = ticks(f.uint32or64(version), m.fragment.scale)
	case "trun":
		m.run(s, flags, f)
	}
}

// find returns the track of that number, nil if there is none.
func (m *mp4) find(id uint32) *mp4Track {
	for i := range m.tracks {
		if m.tracks[i].id == id {
			return &m.tracks[i]
		}
	}
	return nil
}

// trackHeader reads a tfhd: which track this fragment continues.
func (m *mp4) trackHeader(flags uint32, f fields) {
	if t := m.find(f.uint32()); t != nil {
		m.fragment = *t
	}
	for _, optional := range [...]struct{ flag, size uint32 }{
		{tfhdBaseDataOffset, 8}, {tfhdDescription, 4}, {tfhdDefaultDuration, 4}, {tfhdDefaultSize, 4},
	} {
		if flags&optional.flag != 0 {
			f.skip(optional.size)
		}
	}
	if flags&tfhdDefaultFlags != 0 {
		m.fragment.flags = f.uint32()
	}
}

// run reads a trun: the first sample of the video track decides whether the fragment is a key point; without video, the
// first sample does.
func (m *mp4) run(s *Splitter, flags uint32, f fields) {
	samples := f.uint32()
	if samples == 0 || s.pending < 0 || m.fragment.id == 0 {
		return
	}
	hasVideo := m.hasHandler("vide")
	if hasVideo && m.fragment.handler != "vide" {
		return
	}
	if hasVideo && m.firstSample(flags, f)&sampleIsNonSync != 0 {
		s.drop()
		return
	}
	s.accept(m.decode)
}

// firstSample returns the flags of a run's first sample. f stands behind the number of samples.
func (m *mp4) firstSample(flags uint32, f fields) uint32 {
	if flags&trunDataOffset != 0 {
		f.skip(4)
	}
	switch {
	case flags&trunFirstSampleFlags != 0:
		return f.uint32()
	case flags&trunSampleFlags == 0:
		return m.fragment.flags
	}
	if flags&trunSampleDuration != 0 {
		f.skip(4)
	}
	if flags&trunSampleSize != 0 {
		f.skip(4)
	}
	return f.uint32()
}

func (m *mp4) hasHandler(handler string) bool {
	for _, t := range m.tracks {
		if t.handler == handler {
			return true
		}
	}
	return false
}

// close ends the boxes that end at offset to.
func (m *mp4) close(s *Splitter, to int64) {
	for len(m.open) > 0 && m.open[len(m.open)-1].end <= to {
		switch string(m.open[len(m.open)-1].kind[:]) {
		case "trak":
			if len(m.tracks) < maxTracks && m.track.id != 0 {
				m.tracks = append(m.tracks, m.track)
			}
		case "moov":
			m.described = true
		case "moof":
			s.drop()
		}
		m.open = m.open[:len(m.open)-1]
	}
}

// ticks converts n ticks of which there are scale in a second.
func ticks(n uint64, scale uint32) time.Duration {
	if scale == 0 {
		return -1
	}
	seconds := n / uint64(scale)
	if seconds >= math.MaxInt64/uint64(time.Second) {
		return -1
	}
	rest := n % uint64(scale) * uint64(time.Second) / uint64(scale)
	return time.Duration(seconds)*time.Second + time.Duration(rest)
}

// fields reads big-endian numbers one after the other; past the end they are 0.
type fields struct{ b []byte }

func (f *fields) skip(n uint32) { f.b = f.b[min(uint64(n), uint64(len(f.b))):] }

func (f *fields) uint32() (v uint32) {
	if len(f.b) >= 4 {
		v = binary.BigEndian.Uint32(f.b)
	}
	f.skip(4)
	return v
}

func (f *fields) uint32or64(version uint32) uint64 {
	v := uint64(f.uint32())
	if version == 0 {
		return v
	}
	return v<<32 | uint64(f.uint32())
}

func (f *fields) string4() string {
	s := string(f.b[:min(4, len(f.b))])
	f.skip(4)
	return s
}

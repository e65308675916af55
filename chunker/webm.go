package chunker

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"time"
)

// Element IDs of EBML (RFC 8794) and Matroska (RFC 9559), with their length markers.
const (
	idEBML        = 0x1A45DFA3
	idDocType     = 0x4282
	idSegment     = 0x18538067
	idInfo        = 0x1549A966
	idTimeScale   = 0x2AD7B1
	idTracks      = 0x1654AE6B
	idTrackEntry  = 0xAE
	idTrackNumber = 0xD7
	idTrackType   = 0x83
	idCluster     = 0x1F43B675
	idTimestamp   = 0xE7
	idSimpleBlock = 0xA3
	idBlockGroup  = 0xA0
	idBlock       = 0xA1
	idReference   = 0xFB
	idSeekHead    = 0x114D9B74
	idCues        = 0x1C53BB6B
	idChapters    = 0x1043A770
	idAttachments = 0x1941A469
	idTags        = 0x1254C367
	idVoid        = 0xEC
	idCRC         = 0xBF

	// idLong is the least ID of four bytes, as all children of a Segment have, but for idVoid and idCRC.
	idLong = 0x10000000
)

const (
	trackVideo = 1
	trackAudio = 2

	simpleBlockKey = 0x80

	defaultTimeScale = 1_000_000 // nanoseconds per tick

	// maxTimeScale is the longest tick that times are believed of.
	maxTimeScale = uint64(time.Second)

	// maxElementDepth is deeper than any element that is looked into: Segment, Tracks, TrackEntry.
	maxElementDepth = 4

	// maxLeadBytes is how much of a cluster may come before the video block that decides about it. It bounds how long the
	// sound of a film that stands still is kept back. What else is undecided is the deciding frame itself, of which
	// nobody can make use before it is whole.
	maxLeadBytes = 16 << 10

	// endUnknown is the end of an element that does not say its size.
	endUnknown = math.MaxInt64
)

// matroska finds the clusters of a Matroska or WebM stream that begin with a key.
type matroska struct {
	open    []element // the elements that pos is in, outermost first
	lost    bool      // the structure is broken: look for something known
	docType string

	described bool // the tracks were read whole

	timeScale uint64
	track     struct{ number, kind uint64 } // the TrackEntry being read
	video     uint64                        // number of the first video track; 0 if there is none
	audio     uint64                        // likewise

	clusterTime uint64
	group       struct { // the BlockGroup being read
		decisive  bool // its block decides about the cluster
		reference bool // it refers to another: no key
		time      time.Duration
	}
}

type element struct {
	id  uint32
	end int64
}

// elementHeader reads an element's ID and size, which is negative if unknown. n is 0 if b is too short and negative if no
// element begins there.
func elementHeader(b []byte) (id uint32, size int64, n int) {
	if len(b) == 0 {
		return 0, 0, 0
	}
	idLen := bits.LeadingZeros8(b[0]) + 1
	if idLen > 4 {
		return 0, 0, -1
	}
	if len(b) <= idLen {
		return 0, 0, 0
	}
	for _, c := range b[:idLen] {
		id = id<<8 | uint32(c)
	}
	value, sizeLen := vint(b[idLen:])
	if sizeLen <= 0 {
		return 0, 0, sizeLen
	}
	if value == 1<<(7*sizeLen)-1 {
		return id, -1, idLen + sizeLen
	}
	return id, int64(value), idLen + sizeLen
}

// vint reads a variable size integer without its marker. n is as in elementHeader.
func vint(b []byte) (value uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	n = bits.LeadingZeros8(b[0]) + 1
	if n > 8 {
		return 0, -1
	}
	if len(b) < n {
		return 0, 0
	}
	for _, c := range b[:n] {
		value = value<<8 | uint64(c)
	}
	return value &^ (1 << (7 * n)), n
}

func (m *matroska) next(s *Splitter, b []byte) int64 {
	if m.lost {
		return m.findAgain(s, b)
	}
	id, size, n := elementHeader(b)
	if n == 0 {
		return 0
	}
	if n < 0 {
		return m.lose(s)
	}
	m.leave(id)
	e := element{id, endUnknown}
	if size >= 0 {
		e.end = s.pos + int64(n) + size
	}
	if !m.fits(s, e) {
		return m.lose(s)
	}
	step := m.enter(s, e, b, int64(n))
	switch {
	case step < 0:
		return m.lose(s)
	case step > 0:
		m.close(s, s.pos+step)
	}
	return step
}

// leave steps out of elements that end where one with that ID begins: those of unknown size, and those whose size was
// wrong because their writer was cut off.
func (m *matroska) leave(id uint32) {
	switch id {
	case idEBML, idSegment:
		m.open = m.open[:0]
	case idCluster, idInfo, idTracks, idSeekHead, idCues, idChapters, idAttachments, idTags:
		m.open = m.open[:min(len(m.open), 1)]
	}
}

// fits reports whether e may be where it is.
func (m *matroska) fits(s *Splitter, e element) bool {
	if len(m.open) == 0 {
		return e.id == idEBML || e.id == idSegment || s.pos > 0
	}
	parent := m.open[len(m.open)-1]
	if parent.id == idSegment && e.id < idLong && e.id != idVoid && e.id != idCRC {
		return false
	}
	if e.end == endUnknown {
		return e.id == idCluster
	}
	return e.end <= parent.end
}

// enter looks at e, whose header has n bytes, and returns how far to go on.
func (m *matroska) enter(s *Splitter, e element, b []byte, n int64) int64 {
	switch e.id {
	case idEBML:
		s.beginInit()
		*m = matroska{open: m.open, timeScale: defaultTimeScale}
	case idCluster:
		m.beginCluster(s)
	case idSegment, idInfo, idTracks:
	case idTrackEntry:
		m.track.number, m.track.kind = 0, 0
	case idBlockGroup:
		m.group.decisive, m.group.reference = false, false
	default:
		return m.leaf(s, e, b, n)
	}
	if e.end == endUnknown && e.id != idSegment && e.id != idCluster {
		return -1
	}
	if len(m.open) == maxElementDepth {
		return -1
	}
	m.open = append(m.open, e)
	return n
}

// leaf looks at an element that holds no others.
func (m *matroska) leaf(s *Splitter, e element, b []byte, n int64) int64 {
	if e.end == endUnknown {
		return -1
	}
	size := e.end - s.pos - n
	switch e.id {
	case idSimpleBlock, idBlock:
		if len(m.open) < 2 || m.open[1].id != idCluster {
			return n + size
		}
		if !m.block(s, e.id, b[n:], size) {
			return 0
		}
	case idReference:
		m.group.reference = true
	case idDocType, idTimeScale, idTrackNumber, idTrackType, idTimestamp:
		if size > 8 {
			return n + size // none of these is that long if it is one that we know
		}
		if int64(len(b)) < n+size {
			return 0
		}
		m.value(e.id, b[n:n+size])
	}
	return n + size
}

func (m *matroska) value(id uint32, p []byte) {
	var v uint64
	for _, c := range p {
		v = v<<8 | uint64(c)
	}
	switch id {
	case idDocType:
		m.docType = string(bytes.TrimRight(p, "\x00"))
	case idTimeScale:
		m.timeScale = v
	case idTrackNumber:
		m.track.number = v
	case idTrackType:
		m.track.kind = v
	case idTimestamp:
		m.clusterTime = v
	}
}

func (m *matroska) beginCluster(s *Splitter) {
	if s.initAt >= 0 {
		if m.video == 0 && m.audio == 0 {
			s.abandonInit()
		} else {
			s.endInit()
		}
	}
	m.clusterTime = 0
	s.suspect()
}

// block looks at a block's header, payload being what is known of its size bytes. It returns false if it wants more. The
// first block of the video track decides whether the cluster is a key point; without video, the first block does.
func (m *matroska) block(s *Splitter, id uint32, payload []byte, size int64) bool {
	if s.pending < 0 {
		return true
	}
	if int64(len(payload)) > size {
		payload = payload[:size]
	}
	track, n := vint(payload)
	if n <= 0 || len(payload) < n+3 {
		return n < 0 || int64(len(payload)) == size // it is no block: pass over it
	}
	if m.video != 0 && track != m.video {
		if s.pos+size-s.pending > maxLeadBytes {
			s.drop()
		}
		return true
	}
	t := m.time(int16(binary.BigEndian.Uint16(payload[n:])))
	switch {
	case id == idBlock:
		m.group.decisive, m.group.time = true, t
	case m.video == 0 || payload[n+2]&simpleBlockKey != 0:
		s.accept(t)
	default:
		s.drop()
	}
	return true
}

// time is that of a block, relative ticks after its cluster.
func (m *matroska) time(relative int16) time.Duration {
	if m.timeScale == 0 || m.timeScale > maxTimeScale || m.clusterTime > math.MaxInt64/2/m.timeScale {
		return -1
	}
	scale := int64(m.timeScale)
	return time.Duration(max(0, int64(m.clusterTime)*scale+int64(relative)*scale))
}

// close ends the elements that end at offset to.
func (m *matroska) close(s *Splitter, to int64) {
	for len(m.open) > 0 {
		e := m.open[len(m.open)-1]
		if e.end > to {
			return
		}
		m.open = m.open[:len(m.open)-1]
		switch e.id {
		case idTrackEntry:
			m.addTrack()
		case idTracks:
			m.described = true
		case idBlockGroup:
			m.endGroup(s)
		case idCluster:
			s.drop()
		}
	}
}

func (m *matroska) addTrack() {
	switch {
	case m.track.kind == trackVideo && m.video == 0:
		m.video = m.track.number
	case m.track.kind == trackAudio && m.audio == 0:
		m.audio = m.track.number
	}
}

func (m *matroska) endGroup(s *Splitter) {
	switch {
	case !m.group.decisive:
	case m.video != 0 && m.group.reference:
		s.drop()
	default:
		s.accept(m.group.time)
	}
	m.group.decisive = false
}

// lose begins to look for something known after damage. What does not begin as Matroska is none.
func (m *matroska) lose(s *Splitter) int64 {
	if s.pos == 0 {
		return -1
	}
	s.drop()
	m.lost = true
	m.open = m.open[:0]
	return 1
}

// foundBytes is what it takes to recognise an element after damage: ID, size, and the first byte of its first child.
const foundBytes = 4 + 8 + 2

// findAgain looks for the next EBML header, or for the next cluster of a stream whose tracks are known.
func (m *matroska) findAgain(s *Splitter, b []byte) int64 {
	last := len(b) - foundBytes
	for i := 0; i <= last; i++ {
		if b[i] != idEBML>>24 && b[i] != idCluster>>24 || !recognisable(b[i:]) {
			continue
		}
		if i > 0 {
			return int64(i)
		}
		m.lost = false
		m.open = append(m.open, element{idSegment, endUnknown})
		return m.next(s, b)
	}
	return int64(max(0, last+1))
}

// recognisable reports whether an EBML header or a cluster with its usual first child begins b.
func recognisable(b []byte) bool {
	id, _, n := elementHeader(b)
	if n <= 0 {
		return false
	}
	switch id {
	case idEBML:
		return b[n] == 0x42
	case idCluster:
		return b[n] == idTimestamp
	}
	return false
}

package chunker

import "time"

const (
	// MaxChunkBytes is the most that one chunk holds.
	MaxChunkBytes = 256 << 10

	// MaxUnsettledBytes bounds what a Splitter asks to be kept back: the bytes between what is settled and what was
	// scanned. A possible cut that needs more than that to be decided is given up. It takes so much only for a Matroska key
	// frame in a BlockGroup, which is known to be a key only behind it.
	MaxUnsettledBytes = 256 << 10

	// MaxInitBytes bounds an init segment. One that grows larger makes the stream unjoinable: it fits no single chunk.
	MaxInitBytes = MaxChunkBytes

	// minCutBytes is the least distance between key points, and between init segments, so that a stream of nothing but
	// headers is not cut to crumbs.
	minCutBytes = 256

	// audioKeyInterval is how often a format whose every frame could begin playback reports a key point.
	audioKeyInterval = 500 * time.Millisecond

	// maxHeldBytes bounds what a Splitter keeps of its input: more than twice the longest header that any format looks at,
	// so that what is held and what is taken from the next piece always hold one whole.
	maxHeldBytes = 1 << 10
)

// Kind says what begins at a Cut.
type Kind uint8

const (
	// Init: an init segment begins. It is no promise: only an InitEnd says that it came to an end and is of use.
	Init Kind = iota + 1
	// InitEnd: the init segment that began last ends here.
	InitEnd
	// Key: a key point. A player given the last init segment, if the format has one, and the bytes from here on plays.
	Key
)

// String returns the kind's name in lower case.
func (k Kind) String() string {
	switch k {
	case Init:
		return "init"
	case InitEnd:
		return "init end"
	case Key:
		return "key"
	}
	return "unknown"
}

// Cut is an offset at which a chunk must end and the next begin.
type Cut struct {
	At   int64 // offset in the stream
	Kind Kind
	Time time.Duration // by the media's own clock, which need not begin at 0; -1 if unknown
}

// format is the scanner of one container.
type format interface {
	// next looks at b, what is known of the stream from s.pos on, and returns how far to go on, which may be past the end
	// of b: that is never looked at. 0 asks for a longer b, a negative number gives up. What next returns and reports
	// must not depend on where b ends.
	next(s *Splitter, b []byte) int64
}

// Splitter finds where a stream of media may be cut. It keeps a few hundred bytes at most, whatever sizes its input
// claims, and reports the same cuts however its input is cut into pieces. It is not safe for concurrent use.
type Splitter struct {
	format format // nil: nothing (more) to find
	seen   int64  // bytes given to Scan
	pos    int64  // offset of what format looks at next; past seen while it skips
	held   []byte // bytes from pos on that format found too few
	cuts   []Cut  // of this Scan

	pending  int64 // offset of a key point that is not decided yet; -1 if none
	lastKey  int64 // offset of the last one reported
	lastInit int64 // offset of the last init segment reported
	initAt   int64 // where the init segment began; -1 outside of one
	ready    bool  // key points may be reported: no init segment is wanting
	joinable bool
}

// NewSplitter returns a Splitter for a stream of that type, as named by Sniff. Of a type that has no key points it reports
// no cuts and settles everything at once.
func NewSplitter(mediaType string) *Splitter {
	f, init := newFormat(Lookup(mediaType).Type)
	return newSplitter(f, init)
}

// newSplitter returns one for a format that has an init segment, or does without.
func newSplitter(f format, init bool) *Splitter {
	return &Splitter{format: f, pending: -1, lastKey: -minCutBytes, lastInit: -minCutBytes, initAt: -1, ready: !init}
}

func newFormat(mediaType string) (f format, init bool) {
	switch mediaType {
	case "video/webm", "audio/webm", "video/x-matroska", "audio/x-matroska":
		return &matroska{}, true
	case "video/mp4", "audio/mp4", "video/quicktime", "video/3gpp", "video/3gpp2":
		return &mp4{}, true
	case "video/ogg", "audio/ogg":
		return &ogg{}, true
	case "video/mp2t":
		return newMPEGTS(), true
	case "audio/mpeg":
		return newFrames(parseMP3), false
	case "audio/aac":
		return newFrames(parseADTS), false
	case "audio/flac":
		return &flac{}, true
	case "audio/wav":
		return &wav{}, true
	}
	return nil, false
}

// Scan takes the next bytes of the stream, which it does not keep, and returns the cuts found since the last call, in
// ascending order, and the offset up to which the stream is settled: no cut will be reported before it any more. An
// InitEnd and a Key may share an offset. The slice is valid until the next call.
func (s *Splitter) Scan(p []byte) (cuts []Cut, settled int64) {
	s.cuts = s.cuts[:0]
	start := s.seen
	s.seen += int64(len(p))
	if len(s.held) > 0 {
		s.scanHeld(p, start)
	}
	for len(s.held) == 0 && s.format != nil && s.pos < s.seen {
		b := p[s.pos-start:]
		if !s.step(b) {
			s.hold(b)
		}
	}
	return s.cuts, s.settled()
}

// scanHeld goes over what was held and as much of p, which begins at start, as it takes to come past it.
func (s *Splitter) scanHeld(p []byte, start int64) {
	b := append(s.held, p[:min(len(p), maxHeldBytes-len(s.held))]...)
	s.held = s.held[:0]
	for s.format != nil && s.pos < start {
		at := s.pos
		if !s.step(b) {
			s.hold(b)
			return
		}
		if s.pos < start {
			b = b[s.pos-at:]
		}
	}
}

// step lets the format look at b once and reports false if it wants more.
func (s *Splitter) step(b []byte) bool {
	n := s.format.next(s, b)
	if n == 0 {
		return false
	}
	if n < 0 || s.pos+n < s.pos {
		s.giveUp()
		return true
	}
	s.pos += n
	// The offset decides, not what was seen, so that the cuts do not depend on the pieces.
	if s.pending >= 0 && s.pos-s.pending > MaxUnsettledBytes-maxHeldBytes {
		s.pending = -1
	}
	if s.initAt >= 0 && s.pos-s.initAt > MaxInitBytes {
		s.abandonInit()
	}
	return true
}

// hold keeps b for the next Scan.
func (s *Splitter) hold(b []byte) {
	if len(b) >= maxHeldBytes {
		s.giveUp()
		return
	}
	s.held = append(s.held[:0], b...)
}

// settled is where the next cut may be at the earliest.
func (s *Splitter) settled() int64 {
	switch {
	case s.pending >= 0:
		return s.pending
	case s.format == nil:
		return s.seen
	}
	return min(s.pos, s.seen)
}

// Joinable reports whether a reader can begin in the middle: the init segment, if the format has one, was found whole, and
// cuts of kind Key can begin playback.
func (s *Splitter) Joinable() bool { return s.joinable }

// giveUp ends the search: the rest of the stream has no cuts.
func (s *Splitter) giveUp() {
	s.format, s.held, s.pending, s.initAt = nil, nil, -1, -1
}

// beginInit reports that an init segment begins at pos. One that begins again at once goes on instead; one that begins
// when the last has hardly ended is of no use.
func (s *Splitter) beginInit() {
	s.drop()
	s.ready = false
	if s.pos-s.lastInit < minCutBytes {
		return
	}
	s.initAt, s.lastInit, s.lastKey = s.pos, s.pos, s.pos-minCutBytes
	s.cuts = append(s.cuts, Cut{At: s.pos, Kind: Init, Time: -1})
}

// endInit reports that the init segment ends at pos.
func (s *Splitter) endInit() {
	if s.initAt < 0 {
		return
	}
	s.initAt, s.ready, s.joinable = -1, true, true
	s.cuts = append(s.cuts, Cut{At: s.pos, Kind: InitEnd, Time: -1})
}

// abandonInit finds that the init segment is of no use. Until the next one there are no key points.
func (s *Splitter) abandonInit() { s.initAt = -1 }

// key reports a key point at pos.
func (s *Splitter) key(t time.Duration) {
	s.suspect()
	s.accept(t)
}

// suspect notes that there may be a key point at pos. Nothing from there on is settled until accept or drop.
func (s *Splitter) suspect() {
	if s.ready && s.pos-s.lastKey >= minCutBytes {
		s.pending = s.pos
	} else {
		s.pending = -1
	}
}

// accept reports the suspected key point, unless it was given up meanwhile.
func (s *Splitter) accept(t time.Duration) {
	if s.pending < 0 {
		return
	}
	s.cuts = append(s.cuts, Cut{At: s.pending, Kind: Key, Time: t})
	s.lastKey, s.pending, s.joinable = s.pending, -1, true
}

// drop finds that the suspected key point is none.
func (s *Splitter) drop() { s.pending = -1 }

package chunker

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"time"
)

// Flags of an Ogg page (RFC 3533, section 6).
const (
	oggContinued = 0x01 // the first packet began on an earlier page
	oggBegins    = 0x02 // the first page of a logical stream

	oggPageHeaderBytes = 27
	oggNoGranule       = 1<<64 - 1 // no packet ends on this page

	// oggIdentBytes is as much of a first packet as is read.
	oggIdentBytes = 80

	opusRate = 48000 // of granules, whatever the input's was
)

// ogg finds the pages that a player can begin with: those whose first packet begins there, and is a key if it is video.
type ogg struct {
	streams  []oggStream
	complete bool          // the header packets of all streams have passed
	lastTime time.Duration // of the last key point reported; -1 before the first
}

// oggStream is one of the logical streams that are interleaved.
type oggStream struct {
	serial  uint32
	headers int  // header packets still to come
	video   bool // Theora: the only video that is looked into
	sound   bool

	granule uint64 // position at the end of the last page
	skip    uint64 // granules before time 0
	shift   uint   // Theora: bits of a granule that count frames since the last key
	ticks   uint64 // granules in `seconds` seconds
	seconds uint64
}

// oggPage is what a page's header says.
type oggPage struct {
	flags   byte
	granule uint64
	serial  uint32
	lacing  []byte
	header  int // bytes
	body    int // bytes
}

// parseOggPage reads a page's header. n is 0 if b is too short and negative if no page begins there.
func parseOggPage(b []byte) (p oggPage, n int) {
	if len(b) < oggPageHeaderBytes {
		return p, 0
	}
	if string(b[:4]) != "OggS" || b[4] != 0 {
		return p, -1
	}
	p.header = oggPageHeaderBytes + int(b[26])
	if len(b) < p.header {
		return p, 0
	}
	p.flags = b[5]
	p.granule = binary.LittleEndian.Uint64(b[6:])
	p.serial = binary.LittleEndian.Uint32(b[14:])
	p.lacing = b[oggPageHeaderBytes:p.header]
	for _, segment := range p.lacing {
		p.body += int(segment)
	}
	return p, p.header + p.body
}

// packetsEnding is how many packets end on the page.
func (p oggPage) packetsEnding() int {
	return len(p.lacing) - bytes.Count(p.lacing, []byte{255})
}

func (o *ogg) next(s *Splitter, b []byte) int64 {
	page, n := parseOggPage(b)
	if n == 0 {
		return 0
	}
	if n < 0 {
		return skipTo(b, "OggS")
	}
	want := min(page.body, oggIdentBytes)
	if len(b) < page.header+want {
		return 0
	}
	body := b[page.header : page.header+want]
	if page.flags&oggBegins != 0 {
		o.beginStream(s, page, body)
		return int64(n)
	}
	if stream := o.find(page.serial); stream != nil {
		o.page(s, stream, page, body)
	}
	return int64(n)
}

// skipTo returns how far to go on to where mark may begin, at least one byte; 0 if b is too short to tell.
func skipTo(b []byte, mark string) int64 {
	if len(b) <= len(mark) {
		return 0
	}
	if i := bytes.Index(b[1:], []byte(mark)); i >= 0 {
		return int64(1 + i)
	}
	return int64(len(b) - len(mark) + 1)
}

// beginStream adds a logical stream. The first one after the data of others begins a new init segment: such files were
// chained.
func (o *ogg) beginStream(s *Splitter, page oggPage, ident []byte) {
	if len(o.streams) == 0 || o.complete {
		s.beginInit()
		*o = ogg{lastTime: -1}
	}
	if len(o.streams) < maxTracks {
		stream := identifyOgg(ident)
		stream.serial = page.serial
		stream.headers -= page.packetsEnding()
		o.streams = append(o.streams, stream)
	}
}

// identifyOgg tells a logical stream by its first packet.
func identifyOgg(p []byte) oggStream {
	has := func(mark string, size int) bool { return len(p) >= size && string(p[:len(mark)]) == mark }
	little, big := binary.LittleEndian, binary.BigEndian
	switch {
	case has("OpusHead", 12):
		return oggStream{headers: 2, sound: true, ticks: opusRate, seconds: 1, skip: uint64(little.Uint16(p[10:]))}
	case has("\x01vorbis", 16):
		return oggStream{headers: 3, sound: true, ticks: uint64(little.Uint32(p[12:])), seconds: 1}
	case has("\x7fFLAC", 30):
		rate := uint64(big.Uint32(p[27:]) >> 12)
		return oggStream{headers: 1 + int(big.Uint16(p[7:])), sound: true, ticks: rate, seconds: 1}
	case has("Speex   ", 72):
		return oggStream{headers: 2 + int(little.Uint16(p[68:])), sound: true, ticks: uint64(little.Uint32(p[36:])), seconds: 1}
	case has("\x80theora", 42):
		return oggStream{headers: 3, video: true, shift: uint(big.Uint16(p[40:]) >> 5 & 31),
			ticks: uint64(big.Uint32(p[22:])), seconds: uint64(big.Uint32(p[26:]))}
	}
	return oggStream{headers: 1}
}

func (o *ogg) find(serial uint32) *oggStream {
	for i := range o.streams {
		if o.streams[i].serial == serial {
			return &o.streams[i]
		}
	}
	return nil
}

// page looks at a page of a stream that has begun.
func (o *ogg) page(s *Splitter, stream *oggStream, page oggPage, body []byte) {
	if !o.complete && o.headersRead() && o.leading() != nil {
		o.complete = true
		s.endInit()
	}
	if stream.headers > 0 {
		stream.headers -= page.packetsEnding()
		return
	}
	if o.complete && stream == o.leading() && page.flags&oggContinued == 0 && len(body) > 0 {
		o.keyPage(s, stream, body)
	}
	if page.granule != oggNoGranule {
		stream.granule = page.granule
	}
}

// keyPage reports a key point if the page that body begins is one.
func (o *ogg) keyPage(s *Splitter, stream *oggStream, body []byte) {
	if stream.video && body[0]&0xC0 != 0 { // a header, or a frame that refers to another (Theora, 7.1)
		return
	}
	t := stream.time()
	if !stream.video && t >= 0 && o.lastTime >= 0 && t-o.lastTime < audioKeyInterval && t >= o.lastTime {
		return
	}
	o.lastTime = t
	s.key(t)
}

// headersRead reports whether no stream waits for header packets.
func (o *ogg) headersRead() bool {
	for _, stream := range o.streams {
		if stream.headers > 0 {
			return false
		}
	}
	return true
}

// leading returns the stream that decides about key points: the first video, else the first sound.
func (o *ogg) leading() *oggStream {
	var lead *oggStream
	for i := range o.streams {
		switch stream := &o.streams[i]; {
		case stream.video:
			return stream
		case stream.sound && lead == nil:
			lead = stream
		}
	}
	return lead
}

// time is that of the page that follows the last one.
func (s *oggStream) time() time.Duration {
	granule := s.granule
	if s.shift > 0 {
		granule = granule>>s.shift + granule&(1<<s.shift-1)
	}
	granule -= min(granule, s.skip)
	if s.ticks == 0 || s.seconds == 0 {
		return -1
	}
	high, low := bits.Mul64(granule, s.seconds*uint64(time.Second))
	if high >= s.ticks {
		return -1
	}
	nanoseconds, _ := bits.Div64(high, low, s.ticks)
	return time.Duration(max(-1, int64(nanoseconds)))
}

package chunker

import (
	"encoding/binary"
	"math/bits"
	"time"
)

// flac finds the frames of a FLAC stream. They do not say their size, so each byte is looked at, and a frame is believed
// when the checksum of its header is right and its number follows that of the one before.
type flac struct {
	inFrames  bool
	rate      uint32
	blockSize uint64 // samples per frame, of streams that fix it

	number   uint64        // of the last frame, or of its first sample where frames vary in size
	found    bool          // there was one
	lastKey  time.Duration // when the last key point reported plays
	reported bool          // there was one
}

const (
	flacHeadBytes   = 16 // the longest frame header
	flacStreamInfo  = 0
	flacMaxLostRuns = 16 // frames that may be missed before the next is not believed
	flacMaxBlock    = 65535
)

func (f *flac) next(s *Splitter, b []byte) int64 {
	switch {
	case f.inFrames:
		s.endInit()
		return f.frames(s, b)
	case s.pos == 0:
		return f.marker(s, b)
	}
	return f.metadata(b)
}

func (f *flac) marker(s *Splitter, b []byte) int64 {
	if len(b) < 4 {
		return 0
	}
	if string(b[:4]) != "fLaC" {
		return -1
	}
	s.beginInit()
	return 4
}

// metadata reads the header of a metadata block (RFC 9639, 8.1), and what STREAMINFO says.
func (f *flac) metadata(b []byte) int64 {
	if len(b) < 4 {
		return 0
	}
	size := int64(b[1])<<16 | int64(b[2])<<8 | int64(b[3])
	if b[0]&0x7f == flacStreamInfo {
		if size < 34 {
			return -1
		}
		if len(b) < 4+18 {
			return 0
		}
		f.blockSize = uint64(binary.BigEndian.Uint16(b[4:]))
		f.rate = binary.BigEndian.Uint32(b[14:]) >> 12
	}
	f.inFrames = b[0]&0x80 != 0
	return 4 + size
}

// frames looks for the next frame.
func (f *flac) frames(s *Splitter, b []byte) int64 {
	if len(b) < flacHeadBytes {
		return 0
	}
	if number, ok := f.header(b); ok && f.follows(number, b[1]&1 != 0) {
		f.number, f.found = number, true
		f.report(s, number, b[1]&1 != 0)
	}
	return skipTo(b, "\xff")
}

// header reads a frame's header and returns its coded number.
func (f *flac) header(b []byte) (number uint64, ok bool) {
	if b[0] != 0xff || b[1]&0xfe != 0xf8 || b[2]>>4 == 0 || b[2]&15 == 15 || b[3]>>4 > 10 || b[3]&1 != 0 {
		return 0, false
	}
	number, n := flacNumber(b[4:])
	if n == 0 {
		return 0, false
	}
	n += 4
	switch b[2] >> 4 {
	case 6:
		n++
	case 7:
		n += 2
	}
	switch b[2] & 15 {
	case 12:
		n++
	case 13, 14:
		n += 2
	}
	return number, crc8(b[:n]) == b[n]
}

// flacNumber reads a number coded as UTF-8 was, up to 7 bytes. n is 0 if it is none.
func flacNumber(b []byte) (number uint64, n int) {
	n = bits.LeadingZeros8(^b[0])
	if n == 0 {
		return uint64(b[0]), 1
	}
	if n == 1 || n == 8 {
		return 0, 0
	}
	number = uint64(b[0] & (0x7f >> n))
	for _, c := range b[1:n] {
		if c&0xc0 != 0x80 {
			return 0, 0
		}
		number = number<<6 | uint64(c&0x3f)
	}
	return number, n
}

// follows reports whether a frame of that number may come after the last one.
func (f *flac) follows(number uint64, variable bool) bool {
	if !f.found {
		return true
	}
	reach := uint64(flacMaxLostRuns)
	if variable {
		reach *= flacMaxBlock
	}
	return number > f.number && number-f.number <= reach
}

func (f *flac) report(s *Splitter, number uint64, variable bool) {
	if !variable {
		number *= f.blockSize
	}
	t := ticks(number, f.rate)
	if f.reported && t >= f.lastKey && t-f.lastKey < audioKeyInterval {
		return
	}
	f.lastKey, f.reported = t, true
	s.key(t)
}

// crc8 is the checksum of a FLAC frame's header: polynomial x^8 + x^2 + x + 1.
func crc8(p []byte) (crc byte) {
	for _, c := range p {
		crc ^= c
		for range 8 {
			carry := crc >> 7
			crc = crc<<1 ^ carry*0x07
		}
	}
	return crc
}

package chunker

import (
	"encoding/binary"
	"time"
)

// frame is what the header of an MP3 or ADTS frame says.
type frame struct {
	size    int    // bytes, with the header
	samples int    // of one channel
	rate    int    // samples per second
	same    uint32 // what all frames of a stream have in common
}

// duration is how long the frame plays.
func (f frame) duration() time.Duration {
	return time.Duration(f.samples) * time.Second / time.Duration(f.rate)
}

const (
	id3HeaderBytes  = 10
	frameHeadBytes  = 7 // the longer of the two headers: ADTS
	minFrameInChain = 2
)

// frames finds the frames of MP3 and ADTS, which have no init segment: a player can begin with each. Damage and foreign
// tags are passed over; after them a frame counts only when another follows where it ends.
type frames struct {
	parse func(b []byte) (frame, bool) // of a header of frameHeadBytes

	chain   int // frames in a row; minFrameInChain and more are believed
	same    uint32
	time    time.Duration
	lastKey time.Duration
}

func newFrames(parse func(b []byte) (frame, bool)) *frames {
	return &frames{parse: parse, chain: minFrameInChain - 1, lastKey: -audioKeyInterval}
}

func (f *frames) next(s *Splitter, b []byte) int64 {
	if len(b) < id3HeaderBytes {
		return 0
	}
	if size := id3Size(b); size > 0 {
		return size
	}
	h, ok := f.parse(b)
	if !ok {
		f.chain = 0
		return skipTo(b, "\xff")
	}
	if h.same != f.same && f.same != 0 {
		f.chain = 0
	}
	f.same = h.same
	f.chain = min(f.chain+1, minFrameInChain)
	if f.chain == minFrameInChain && f.time-f.lastKey >= audioKeyInterval {
		f.lastKey = f.time
		s.key(f.time)
	}
	f.time += h.duration()
	return int64(h.size)
}

// id3Size returns the size of the ID3v2 tag that b begins with, 0 if there is none. b has id3HeaderBytes.
func id3Size(b []byte) int64 {
	if string(b[:3]) != "ID3" || b[3] == 0xff || b[4] == 0xff || (b[6]|b[7]|b[8]|b[9])&0x80 != 0 {
		return 0
	}
	size := int64(b[6])<<21 | int64(b[7])<<14 | int64(b[8])<<7 | int64(b[9])
	if b[5]&0x10 != 0 {
		size += id3HeaderBytes // a footer
	}
	return id3HeaderBytes + size
}

// Bit rates in kbit/s by the header's index: MPEG-1 layers II and III, MPEG-2 layers II and III.
var mp3BitRates = [...][15]int{
	{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
	{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
	{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
}

// What the version bits of an MPEG audio header mean, beside 0 (2.5) and 2 (2).
const (
	mpegReserved = 1
	mpeg1        = 3
)

var mp3SampleRates = [...]int{44100, 48000, 32000}

// parseMP3 reads an MPEG audio header of layer II or III (ISO/IEC 11172-3, 2.4.1.3). Layer I is left out: nobody uses it,
// and its sync is the byte order mark of UTF-16. So is the free format, which does not say its size.
func parseMP3(b []byte) (frame, bool) {
	h := binary.BigEndian.Uint32(b)
	version, layer := h>>19&3, 4-h>>17&3
	rateIndex, sampleRateIndex, padding := h>>12&15, h>>10&3, int(h>>9&1)
	if h>>21 != 0x7ff || version == mpegReserved || layer != 2 && layer != 3 || rateIndex == 0 || rateIndex == 15 || sampleRateIndex == 3 {
		return frame{}, false
	}
	f := frame{samples: 1152, rate: mp3SampleRates[sampleRateIndex], same: h & 0xfffe0c00}
	table := layer - 2
	if version != mpeg1 {
		table = 2
		f.rate /= 4 >> (version >> 1) // MPEG-2 halves the rates, 2.5 quarters them
		if layer == 3 {
			f.samples = 576
		}
	}
	f.size = f.samples/8*mp3BitRates[table][rateIndex]*1000/f.rate + padding
	return f, true
}

var adtsSampleRates = [...]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

// parseADTS reads an ADTS header (ISO/IEC 14496-3, 1.A.2.2).
func parseADTS(b []byte) (frame, bool) {
	h := binary.BigEndian.Uint32(b)
	rateIndex := int(h >> 10 & 15)
	size := int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5])>>5
	if h>>20 != 0xfff || h>>17&3 != 0 || rateIndex >= len(adtsSampleRates) || size < frameHeadBytes {
		return frame{}, false
	}
	blocks := int(b[6]&3) + 1
	return frame{size: size, samples: 1024 * blocks, rate: adtsSampleRates[rateIndex], same: h & 0xfffefdc0}, true
}

package chunker

import (
	"encoding/binary"
	"math"
	"time"
)

// wav cuts a WAV file between samples, after its header.
type wav struct {
	align, byteRate int64
	inData          bool
	left            int64 // bytes of sound still to come
	at              int64 // bytes of sound gone by
}

const riffUnknownSize = 0xffffffff // what is written before the size is known; 0 is, too

func (w *wav) next(s *Splitter, b []byte) int64 {
	if w.inData {
		return w.sound(s)
	}
	if s.pos == 0 {
		return w.riff(s, b)
	}
	if len(b) < 8 {
		return 0
	}
	size := int64(binary.LittleEndian.Uint32(b[4:]))
	switch string(b[:4]) {
	case "fmt ":
		if size < 16 {
			return -1
		}
		if len(b) < 8+16 {
			return 0
		}
		w.byteRate = int64(binary.LittleEndian.Uint32(b[16:]))
		w.align = int64(binary.LittleEndian.Uint16(b[20:]))
	case "data":
		if w.align == 0 || w.byteRate < w.align {
			return -1
		}
		w.inData, w.left = true, size
		if size == 0 || size == riffUnknownSize {
			w.left = math.MaxInt64
		}
		return 8
	}
	return 8 + size + size&1
}

func (w *wav) riff(s *Splitter, b []byte) int64 {
	if len(b) < 12 {
		return 0
	}
	if string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return -1
	}
	s.beginInit()
	return 12
}

// sound reports a key point and goes on to where the next may be.
func (w *wav) sound(s *Splitter) int64 {
	if w.left <= 0 {
		return -1
	}
	s.endInit()
	s.key(ticks(uint64(w.at), uint32(w.byteRate)))
	stride := max(w.byteRate*int64(audioKeyInterval)/int64(time.Second), minCutBytes)
	stride += w.align - 1
	stride -= stride % w.align
	w.left -= stride
	w.at += stride
	return stride
}

package websocket

import (
	"bytes"
	"slices"
	"sync"

	"github.com/gobwas/ws"
	"github.com/klauspost/compress/flate"
)

const (
	// rsv1 marks the first frame of a compressed message.
	rsv1 = 0x40
	// level 1 gives up at once on what does not compress, as media does not.
	level = flate.BestSpeed
	// maxKeptBytes bounds the buffer of a deflater that goes back to the pool.
	maxKeptBytes = 1 << 20
)

// deflater compresses one message. It is taken from a pool and goes back there.
type deflater struct {
	buffer bytes.Buffer
	flate  *flate.Writer
}

var deflaters = sync.Pool{New: func() any {
	d := &deflater{}
	d.flate, _ = flate.NewWriter(&d.buffer, level) // an error is of a level that does not exist
	return d
}}

// AppendDeflated appends the frame of a message that is compressed by itself, without what came before it: one frame serves
// all that have accepted permessage-deflate. The message is the concatenation of parts. If it would not become smaller, dst
// is returned as it was, and false.
func AppendDeflated(dst []byte, op ws.OpCode, parts ...[]byte) ([]byte, bool) {
	d := deflaters.Get().(*deflater)
	defer d.release()
	plain := 0
	for _, part := range parts {
		plain += len(part)
		d.flate.Write(part) // into memory, which does not fail
	}
	d.flate.Flush()
	packed := bytes.TrimSuffix(d.buffer.Bytes(), []byte(deflateTail[:4]))
	if len(packed) >= plain {
		return dst, false
	}
	at := len(dst)
	dst = slices.Grow(dst, ws.MaxHeaderSize+len(packed))
	dst = append(AppendHeader(dst, op, len(packed)), packed...)
	dst[at] |= rsv1
	return dst, true
}

func (d *deflater) release() {
	if d.buffer.Cap() > maxKeptBytes {
		d.buffer = bytes.Buffer{}
	}
	d.buffer.Reset()
	d.flate.Reset(&d.buffer)
	deflaters.Put(d)
}

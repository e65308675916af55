package websocket

import (
	"io"
	"sync"

	"github.com/gobwas/ws"
)

// frameBufferBytes is what a WebSocket connection buffers of what arrives; larger payloads are read past it.
const frameBufferBytes = 4 << 10

// BothReader is a source that can fill two buffers by one system call: what is behind a payload then comes with it.
type BothReader interface {
	// ReadBoth is Read into p and, when that is full, into more.
	ReadBoth(p, more []byte) (n int, err error)
}

// buffer is what a reader needs that does not rest. It is taken from a pool and goes back there.
type buffer struct {
	src      io.Reader
	both     BothReader // src, if it is one
	err      error      // what src said behind the bytes that are held
	from, to int        // of bytes, what is held
	bytes    [frameBufferBytes]byte
	scratch  [ws.MaxHeaderSize + ws.MaxControlFramePayloadSize]byte
}

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// newBuffer returns one for what comes from src after early.
func newBuffer(src io.Reader, early ...byte) *buffer {
	b := buffers.Get().(*buffer)
	b.src = src
	b.both, _ = src.(BothReader)
	b.err, b.from, b.to = nil, 0, copy(b.bytes[:], early)
	return b
}

// release gives b back. It must not be used any more.
func (b *buffer) release() {
	b.src, b.both, b.err = nil, nil, nil
	buffers.Put(b)
}

// buffered returns how many bytes are held.
func (b *buffer) buffered() int { return b.to - b.from }

// peek waits for n bytes, at most frameBufferBytes, and returns them. They stay where they are, until something is read.
func (b *buffer) peek(n int) ([]byte, error) {
	for b.buffered() < n {
		if b.err != nil {
			return nil, b.takeErr()
		}
		b.fill()
	}
	return b.bytes[b.from:][:n], nil
}

// discard drops n bytes that are held.
func (b *buffer) discard(n int) { b.from += n }

// fill reads once, into the room that is left.
func (b *buffer) fill() {
	b.to = copy(b.bytes[:], b.bytes[b.from:b.to])
	b.from = 0
	n, err := b.src.Read(b.bytes[b.to:])
	b.to, b.err = b.to+n, err
}

func (b *buffer) takeErr() error {
	err := b.err
	b.err = nil
	return err
}

// Read reads what is held, or else from the source: past the buffer, if it is much.
func (b *buffer) Read(p []byte) (int, error) { return b.read(p, false) }

// read is Read; last says that p ends with the frame, so that what is behind it may come, too.
func (b *buffer) read(p []byte, last bool) (int, error) {
	if b.buffered() == 0 && b.err == nil && len(p) >= frameBufferBytes {
		if last && b.both != nil {
			return b.readBoth(p)
		}
		return b.src.Read(p)
	}
	if b.buffered() == 0 && b.err == nil {
		b.fill()
	}
	if b.buffered() == 0 {
		return 0, b.takeErr()
	}
	n := copy(p, b.bytes[b.from:b.to])
	b.from += n
	return n, nil
}

// readBoth reads into p, and what comes behind it into the buffer, which is empty.
func (b *buffer) readBoth(p []byte) (int, error) {
	n, err := b.both.ReadBoth(p, b.bytes[:])
	if n <= len(p) {
		return n, err
	}
	b.from, b.to, b.err = 0, n-len(p), err
	return len(p), nil
}

package websocket

import (
	"bufio"
	"errors"
	"io"
	"sync"

	"github.com/gobwas/ws"
	"github.com/klauspost/compress/flate"
)

const (
	// inflateBufferBytes is what is read ahead of a compressed message.
	inflateBufferBytes = 4 << 10
	// deflateTail is what a sender leaves off a message, and an empty last block behind it; RFC 7692, section 7.2.2.
	deflateTail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"
)

// inflater reads one compressed message. It is taken from a pool and goes back there.
type inflater struct {
	message io.Reader // as it comes
	tail    string    // what is to come behind it
	failed  error     // of reading message

	ahead *bufio.Reader // of the two
	flate io.ReadCloser
}

var inflaters = sync.Pool{New: func() any {
	f := &inflater{}
	f.ahead = bufio.NewReaderSize(nil, inflateBufferBytes)
	f.flate = flate.NewReader(f.ahead)
	return f
}}

// newInflater returns a reader of what message holds.
func newInflater(message io.Reader) *inflater {
	f := inflaters.Get().(*inflater)
	f.message, f.tail, f.failed = message, deflateTail, nil
	f.ahead.Reset(compressed{f})
	f.restart()
	return f
}

// release gives f back. It must not be used any more.
func (f *inflater) release() {
	f.message = nil
	f.ahead.Reset(nil)
	inflaters.Put(f)
}

// restart begins with a new stream in the same message: a sender may end its last block and go on.
func (f *inflater) restart() { f.flate.(flate.Resetter).Reset(f.ahead, nil) }

// compressed reads what is to be inflated.
type compressed struct{ *inflater }

func (f compressed) Read(p []byte) (int, error) {
	if f.failed != nil {
		return 0, f.failed
	}
	if f.message != nil {
		n, err := f.message.Read(p)
		switch {
		case err == io.EOF:
			f.message = nil
		case err != nil:
			f.failed = err
		}
		if n > 0 || err == nil {
			return n, nil
		}
		return f.Read(p)
	}
	if f.tail == "" {
		return 0, io.EOF
	}
	n := copy(p, f.tail)
	f.tail = f.tail[n:]
	return n, nil
}

// Read inflates. It returns io.EOF once the whole message has been read.
func (f *inflater) Read(p []byte) (int, error) {
	for {
		n, err := f.flate.Read(p)
		switch {
		case f.failed != nil && err != nil:
			return n, f.failed
		case err == io.EOF && (f.message != nil || f.tail != "" || f.ahead.Buffered() > 0):
			f.restart()
			if n > 0 {
				return n, nil
			}
		case err == io.EOF:
			return n, err
		case err != nil:
			return n, corrupt(err)
		default:
			return n, nil
		}
	}
}

// corrupt is the fault of a peer whose message cannot be inflated.
func corrupt(err error) error {
	var input flate.CorruptInputError
	if errors.As(err, &input) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &Error{ws.StatusInvalidFramePayloadData, "message cannot be inflated"}
	}
	return err
}

package sio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"sluice/sio/engine"
)

// Attachment is an attachment of an event of OnStream, read while it arrives: Read returns io.EOF at its end, and an error that
// wraps io.ErrUnexpectedEOF when the connection ended before that. Reading at one's own pace holds up the client.
//
// What it reads is handed over by the connection's own goroutine, without a copy or a buffer in between.
type Attachment struct {
	stream *stream
	index  int
}

// Read waits until bytes have arrived. It works until the handler returns or the next attachment is read.
func (a *Attachment) Read(p []byte) (int, error) {
	b, err := a.stream.body(a.index)
	if err != nil {
		return 0, err
	}
	return b.read(p)
}

// Size returns the length in bytes, or -1 if the transport does not tell it before the end. It waits until the attachment
// begins to arrive.
func (a *Attachment) Size() int64 {
	b, err := a.stream.body(a.index)
	if err != nil {
		return -1
	}
	return b.size
}

// stream is where the goroutine that receives a connection's messages meets the handler that reads them.
type stream struct {
	decoder *decoder
	total   int // attachments of the event
	offers  chan *body
	done    chan struct{} // closed by close: the handler takes no more
	lost    chan struct{} // closed by cut: nothing more will come

	memory [][]byte // all attachments, where they came with the text; nil elsewhere

	closing sync.Once
	cutting sync.Once

	// Owned by the handler.
	taken   int   // attachments given out by next
	arrived int   // bodies accepted
	current *body // the newest of them

	skipped int // owned by the receiving goroutine: bytes that nobody read
}

func newStream(d *decoder, total int) *stream {
	return &stream{
		decoder: d,
		total:   total,
		offers:  make(chan *body),
		done:    make(chan struct{}),
		lost:    make(chan struct{}),
	}
}

// errLost is what reading returns after the connection has ended, or the handler.
var errLost = fmt.Errorf("sio: the attachment was cut off: %w", io.ErrUnexpectedEOF)

func (st *stream) next() *Attachment {
	if st.taken == st.total {
		return nil
	}
	st.taken++
	return &Attachment{stream: st, index: st.taken - 1}
}

// body waits for attachment i, and skips those before it.
func (st *stream) body(i int) (*body, error) {
	if i < st.arrived-1 {
		return nil, errors.New("sio: a later attachment has been read")
	}
	if st.memory != nil {
		return st.recall(i)
	}
	for st.arrived <= i {
		if st.current != nil {
			st.current.release(errLost)
		}
		select {
		case st.current = <-st.offers:
			st.arrived++
		case <-st.lost:
			return nil, errLost
		case <-st.done:
			return nil, errLost
		}
	}
	return st.current, nil
}

// recall is body where the attachments are in memory.
func (st *stream) recall(i int) (*body, error) {
	select {
	case <-st.done:
		return nil, errLost
	default:
	}
	if st.arrived <= i {
		st.arrived = i + 1
		st.current = &body{src: bytes.NewReader(st.memory[i]), size: int64(len(st.memory[i])), free: make(chan struct{})}
	}
	return st.current, nil
}

// hand offers the handler an attachment and waits until it is done with it. What it leaves is skipped.
func (st *stream) hand(m engine.Message) error {
	c := st.decoder.conn
	b := &body{src: m.Body, size: m.Size(), free: make(chan struct{})}
	select {
	case st.offers <- b:
		select {
		case <-b.free:
		case <-st.done:
		case <-c.session.Done():
		}
	case <-st.done:
	case <-c.session.Done():
	}
	switch err := b.release(errLost); {
	case err == io.EOF:
		return nil
	case err != nil:
		return readError{err}
	}
	return st.skip(m.Body)
}

// skip reads what the handler did not, as long as it is little.
func (st *stream) skip(r io.Reader) error {
	c := st.decoder.conn
	c.mu.Lock()
	draining := c.draining
	c.mu.Unlock()
	if draining {
		return discard(engine.Message{Body: r})
	}
	limit := c.server.maxEventBytes()
	n, err := io.CopyN(io.Discard, r, int64(limit-st.skipped+1))
	st.skipped += int(n)
	switch {
	case st.skipped > limit:
		return &LimitError{What: "what is left of an event", Limit: int64(limit)}
	case err == io.EOF:
		return nil
	default:
		return readError{err}
	}
}

// close says that the handler takes no more.
func (st *stream) close() { st.closing.Do(func() { close(st.done) }) }

// cut says that nothing more will come.
func (st *stream) cut() { st.cutting.Do(func() { close(st.lost) }) }

// body is an attachment while it is lent to the handler.
type body struct {
	size int64
	free chan struct{} // closed when the handler needs it no more

	mu  sync.Mutex
	src io.Reader // guarded by mu; nil when it is the engine's again
	err error     // guarded by mu: what reading returns then
	end error     // guarded by mu: how src ended, nil if it has not
}

func (b *body) read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.src == nil {
		return 0, b.err
	}
	n, err := b.src.Read(p)
	switch {
	case err == io.EOF:
		b.finish(io.EOF, io.EOF)
	case err != nil:
		b.finish(err, fmt.Errorf("%w: %w", errLost, err))
		err = b.err
	}
	return n, err
}

// release takes src from the handler, which gets err from then on, and returns how src ended. A read that is under way ends
// first.
func (b *body) release(err error) (end error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.src != nil {
		b.finish(nil, err)
	}
	return b.end
}

// finish ends the lending. Called with mu held.
func (b *body) finish(end, err error) {
	b.src, b.end, b.err = nil, end, err
	close(b.free)
}

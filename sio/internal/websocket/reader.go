package websocket

import (
	"errors"
	"fmt"
	"io"
	"math"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

const (
	// maxFragments bounds the fragments of a text message, and of a binary one those that may be smaller than
	// minFragmentBytes on average.
	maxFragments     = 1024
	minFragmentBytes = 512
	// textGrowth is how far the buffer of a text grows ahead of its bytes.
	textGrowth = 32 << 10
)

// Reader reads the messages of a WebSocket connection, frame by frame. What its methods return of a peer's fault is an
// *Error; the rest is what reading said. One goroutine at a time may use it.
type Reader struct {
	// AnyFragments lets messages come in any number of fragments, however small. It is for peers that are trusted.
	AnyFragments bool

	// Inflate says that the peer may compress messages: that Deflate accepted its offer.
	Inflate bool

	conn    io.Reader
	src     *buffer                                  // of conn; nil while it rests
	control func(op ws.OpCode, payload []byte) error // gets ping, pong and close frames

	head      ws.Header // of the current frame
	left      int64     // bytes of it that have not been read
	more      bool      // the message goes on after it
	fragments int       // of the current message
	total     int64     // payload bytes of its frames so far, as announced
	packed    bool      // the message is compressed
	inflater  *inflater // of the message, from the first byte that is read to the last

	lent   int    // bytes of src that are a text, until it is released
	unlend func() // takes them; made once: a closure a text would be an allocation a text
}

// NewReader returns a reader of what comes from r, at best a BothReader. Ping, pong and close frames are handed to control
// while a message is waited for or read; the payload is lent. An error that control returns ends the reading with it: after
// a close frame it must.
func NewReader(r io.Reader, control func(ws.OpCode, []byte) error) *Reader {
	reader := &Reader{conn: r, src: newBuffer(r), control: control}
	reader.unlend = reader.discard
	return reader
}

// Rest gives the buffer back until the next byte comes, for which Await and Next then wait without one. It reports whether it
// did: something may be in it. It is for between two messages.
func (r *Reader) Rest() bool {
	switch {
	case r.src == nil:
		return true
	case r.src.buffered() > 0:
		return false
	}
	r.src.release()
	r.src = nil
	return true
}

// Await waits for the first byte of the next frame, which it leaves where it is. A deadline that passes meanwhile does no
// harm.
func (r *Reader) Await() error {
	if r.src == nil {
		if err := r.wake(); err != nil {
			return err
		}
	}
	_, err := r.src.peek(1)
	return err
}

// wake ends a rest when the first byte has come.
func (r *Reader) wake() error {
	first := make([]byte, 1)
	if _, err := io.ReadFull(r.conn, first); err != nil {
		return err
	}
	r.src = newBuffer(r.conn, first...)
	return nil
}

// Next waits for the next message and returns whether it is text or binary. The one before must have been read to its end.
func (r *Reader) Next() (ws.OpCode, error) {
	r.fragments, r.total = 0, 0
	r.dropInflater()
	if err := r.frame(); err != nil {
		return 0, err
	}
	return r.head.OpCode, nil
}

// Size returns the length of the current message, -1 if it goes on in another frame or is compressed.
func (r *Reader) Size() int64 {
	if r.more || r.fragments > 1 || r.packed {
		return -1
	}
	return r.head.Length
}

// Arrived returns how much of the current message has come and been taken, in bytes as they are sent.
func (r *Reader) Arrived() int64 { return r.total - r.left }

// frame reads the header of the next data frame, and control frames before it.
func (r *Reader) frame() error {
	for {
		head, err := r.header()
		if err != nil {
			return err
		}
		if head.OpCode.IsControl() {
			if err := r.controlFrame(head); err != nil {
				return err
			}
			continue
		}
		if head.Length > math.MaxInt64-r.total {
			return ErrTooLarge // the sum would go below zero, and below every limit
		}
		if head.OpCode != ws.OpContinuation {
			r.packed = head.Rsv1()
		}
		r.head, r.left, r.more = head, head.Length, !head.Fin
		r.fragments++
		r.total += head.Length
		return r.checkFragments()
	}
}

// header reads and checks one frame header.
func (r *Reader) header() (ws.Header, error) {
	if err := r.Await(); err != nil {
		return ws.Header{}, err
	}
	lead, err := r.src.peek(2)
	if err != nil {
		return ws.Header{}, unexpected(err)
	}
	form := lead[1] & 0x7f
	head, err := ws.ReadHeaderBuffer(r.src, r.src.scratch[:ws.MaxHeaderSize])
	switch {
	case errors.Is(err, ws.ErrHeaderLengthMSB), errors.Is(err, ws.ErrHeaderLengthUnexpected):
		return head, &Error{ws.StatusProtocolError, err.Error()}
	case err != nil:
		return head, err
	case form == 126 && head.Length < 126, form == 127 && head.Length < 1<<16:
		return head, &Error{ws.StatusProtocolError, "a length in more bytes than it takes"} // RFC 6455, section 5.2
	}
	state := ws.StateServerSide
	if r.more {
		state = state.Set(ws.StateFragmented)
	}
	checked := head
	if r.mayBePacked(head) {
		checked.Rsv &^= rsv1 >> 4
	}
	if err := ws.CheckHeader(checked, state); err != nil {
		return head, &Error{ws.StatusProtocolError, err.Error()}
	}
	return head, nil
}

// mayBePacked reports whether a frame with head may mark its message as compressed: the first one of a message.
func (r *Reader) mayBePacked(head ws.Header) bool {
	return r.Inflate && (head.OpCode == ws.OpText || head.OpCode == ws.OpBinary)
}

// controlFrame reads the payload of a control frame and hands it on.
func (r *Reader) controlFrame(head ws.Header) error {
	payload := r.src.scratch[ws.MaxHeaderSize:][:head.Length]
	if _, err := io.ReadFull(r.src, payload); err != nil {
		return err
	}
	ws.Cipher(payload, head.Mask, 0)
	if head.OpCode == ws.OpClose {
		if err := checkClose(payload); err != nil {
			return err
		}
	}
	return r.control(head.OpCode, payload)
}

// checkFragments refuses messages in crumbs, which cost more than they carry.
func (r *Reader) checkFragments() error {
	if r.AnyFragments || r.fragments <= maxFragments || r.total >= int64(r.fragments)*minFragmentBytes {
		return nil
	}
	return &Error{ws.StatusPolicyViolation, "too many small fragments"}
}

// Read reads from the current message, inflated if it is compressed, across its fragments.
func (r *Reader) Read(p []byte) (int, error) {
	switch {
	case len(p) == 0:
		return 0, nil
	case !r.packed:
		return r.raw(p)
	case r.inflater == nil && r.left == 0 && !r.more:
		return 0, io.EOF
	case r.inflater == nil:
		r.inflater = newInflater(rawReader{r})
	}
	n, err := r.inflater.Read(p)
	if err != nil {
		r.dropInflater()
	}
	return n, err
}

// dropInflater gives the inflater of the current message back.
func (r *Reader) dropInflater() {
	if r.inflater != nil {
		r.inflater.release()
		r.inflater = nil
	}
}

// rawReader reads from a message as it comes.
type rawReader struct{ *Reader }

func (r rawReader) Read(p []byte) (int, error) { return r.raw(p) }

// raw reads from the payload of the current message, across its fragments.
func (r *Reader) raw(p []byte) (int, error) {
	for r.left == 0 {
		if !r.more {
			return 0, io.EOF
		}
		if err := r.frame(); err != nil {
			return 0, unexpected(err)
		}
	}
	at := r.head.Length - r.left
	n, err := r.src.read(p[:min(int64(len(p)), r.left)], int64(len(p)) >= r.left)
	ws.Cipher(p[:n], r.head.Mask, int(at&3))
	r.left -= int64(n)
	return n, unexpected(err)
}

// unexpected makes an end in the middle of a message what it is.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Text returns the current message, which is a text of at most limit bytes. It is valid until release is called.
func (r *Reader) Text(limit int) (text []byte, release func(), err error) {
	if r.head.Length > r.mostRaw(limit) {
		return nil, nil, ErrTooLarge
	}
	if !r.packed && !r.more && r.left <= frameBufferBytes {
		return r.buffered()
	}
	text, err = r.collect(limit)
	return text, func() {}, err
}

// mostRaw returns how much may come for a text of at most limit bytes. One that does not compress is a little larger.
func (r *Reader) mostRaw(limit int) int64 {
	if r.packed {
		return int64(limit) + int64(limit)/64 + 1024
	}
	return int64(limit)
}

// buffered returns a text that fits the buffer, from there. It waits for the bytes one by one only if they come so slowly:
// what is no UTF-8 must be refused as soon as it is seen.
func (r *Reader) buffered() ([]byte, func(), error) {
	n := int(r.left)
	if r.src.buffered() < n {
		text, err := r.collect(n)
		return text, func() {}, err
	}
	text, err := r.src.peek(n)
	if err != nil {
		return nil, nil, err
	}
	ws.Cipher(text, r.head.Mask, 0)
	if !utf8.Valid(text) {
		return nil, nil, errNotUTF8
	}
	r.left = 0
	r.lent = n
	return text, r.unlend, nil
}

// discard ends the loan of a text from the buffer.
func (r *Reader) discard() {
	r.src.discard(r.lent)
	r.lent = 0
}

// collect reads a text as it comes.
func (r *Reader) collect(limit int) ([]byte, error) {
	text := make([]byte, 0, min(limit, max(int(r.left), 64), textGrowth))
	valid := 0
	for {
		if len(text) == cap(text) {
			text = append(text, 0)[:len(text)]
		}
		n, err := r.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		if valid = validUTF8(text, valid); valid < 0 {
			return nil, errNotUTF8
		}
		switch {
		case len(text) > limit, err == nil && r.total > r.mostRaw(limit):
			return nil, ErrTooLarge
		case err == io.EOF && valid < len(text):
			return nil, errNotUTF8
		case err == io.EOF:
			return text, nil
		case err != nil:
			return nil, err
		case r.fragments > maxFragments && !r.AnyFragments:
			return nil, &Error{ws.StatusPolicyViolation, fmt.Sprintf("more than %d fragments", maxFragments)}
		}
	}
}

// validUTF8 returns how much of text, which is known to be valid up to from, is; -1 if what follows can never become so.
func validUTF8(text []byte, from int) int {
	for from < len(text) {
		if text[from] < utf8.RuneSelf {
			from++
			continue
		}
		c, n := utf8.DecodeRune(text[from:])
		if c == utf8.RuneError && n == 1 {
			if utf8.FullRune(text[from:]) {
				return -1
			}
			return from
		}
		from += n
	}
	return from
}

package engine

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

var (
	// errEnded says that the session has ended while its transport was being read.
	errEnded = errors.New("session has ended")
	// errPollDropped says that a client gave up its GET, and with it the session.
	errPollDropped = errors.New("poll connection closed prematurely")
)

// receivePacket takes a text packet that came over either transport. text is what follows its type. Its caller holds recv.
func (s *Session) receivePacket(kind byte, text []byte, r *http.Request) error {
	switch kind {
	case typeMessage:
		return s.receive(Message{Text: text, Request: r})
	case typeBinary:
		return s.receiveBase64(text, r)
	case typePing, typePong:
		return s.receiveBeat(kind, text)
	case typeClose:
		return ErrTransportClose
	case typeOpen, typeUpgrade, typeNoop:
		return nil // as Node's server does
	}
	return &ProtocolError{Packet: "packet", Reason: "unknown type"}
}

// receiveBeat takes a ping or pong. A pong with something behind it is of a probe, or a cheat: in any case no sign of life. A ping
// is answered without what is behind it, as Node's server does.
func (s *Session) receiveBeat(kind byte, text []byte) error {
	switch {
	case s.protocol == 3 && kind == typePong:
		return &ProtocolError{Packet: "pong", Reason: "pings go from client to server"}
	case s.protocol != 3 && kind == typePing:
		return &ProtocolError{Packet: "ping", Reason: "pings go from server to client"}
	case kind == typePong && len(text) > 0:
		return nil
	case kind == typePong:
		return s.beat.pong()
	}
	s.beat.pinged()
	s.mu.Lock()
	s.pongDue = true
	s.mu.Unlock()
	s.Wake()
	return nil
}

// receiveBase64 takes a binary message that came as text over a carrier.
func (s *Session) receiveBase64(text []byte, r *http.Request) error {
	if s.protocol == 3 {
		after, ok := bytes.CutPrefix(text, []byte{typeMessage})
		if !ok {
			return &ProtocolError{Packet: "packet", Reason: "binary that is no message"}
		}
		text = after
	}
	data, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	if err != nil {
		return &ProtocolError{Packet: "packet", Reason: "binary is not base64"}
	}
	return s.receiveBody(&body{session: s, src: bytes.NewReader(data), size: int64(len(data)), mode: func(bool) {}}, r)
}

// receive hands a message to the Receiver. The time it takes is not the client's.
func (s *Session) receive(m Message) error {
	if !s.running() {
		return errEnded
	}
	s.server.counters.messagesIn.Add(1)
	s.beat.pause()
	defer s.beat.resume()
	if err := s.receiver.Receive(m); err != nil {
		return receiverError{err}
	}
	return nil
}

// receiverError is what Receive returned: the Receiver knows of it.
type receiverError struct{ error }

func (e receiverError) Unwrap() error { return e.error }

// receiveBody hands a binary message to the Receiver, and skips what is left of it.
func (s *Session) receiveBody(b *body, r *http.Request) error {
	b.mode(true)
	err := s.receive(Message{Body: b, Request: r})
	b.mode(false)
	switch {
	case b.err != nil && b.err != io.EOF:
		return readError(b.err) // the Receiver can only have passed it on
	case err != nil:
		return err
	}
	return b.skip(int64(s.server.maxPayloadBytes()))
}

// body is a binary message while it arrives.
type body struct {
	session *Session
	src     io.Reader
	size    int64
	mode    func(streaming bool) // tells src whether the Receiver or skip reads
	err     error                // what ended it
	came    int64                // bytes that had come when arrived was last asked
}

// Size returns the length of the message, -1 if it is not known yet.
func (b *body) Size() int64 { return b.size }

// Read reads what has arrived, and counts it as a sign of life.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if !b.session.running() {
		b.err = errEnded
		return 0, b.err
	}
	b.session.beat.resume()
	n, err := b.src.Read(p)
	b.session.beat.streamed(b.arrived(n))
	b.session.beat.pause()
	b.err = err
	return n, err
}

// arrived returns how many bytes have come since it was last asked, for n that were read: what inflates to much is no more a sign
// of life than anything else.
func (b *body) arrived(n int) int {
	packed, ok := b.src.(interface{ arrived() int64 })
	if !ok {
		return n
	}
	before := b.came
	b.came = packed.arrived()
	return int(b.came - before)
}

// skip reads and drops the rest, of which there may be limit bytes.
func (b *body) skip(limit int64) error {
	if b.err == io.EOF {
		return nil
	}
	n, err := io.CopyN(io.Discard, b.src, limit+1)
	switch {
	case n > limit:
		return ErrTooLarge
	case err == io.EOF:
		return nil
	}
	return readError(err)
}

// readError says what an error of reading from a transport means for the session.
func readError(err error) error {
	if err == nil {
		return nil // before anything that errors.As needs is allocated: it is asked for every message
	}
	var breach *ProtocolError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &breach), errors.Is(err, ErrTooLarge), errors.Is(err, ErrTransportClose), errors.Is(err, errEnded):
		return err
	case errors.As(err, &large):
		return ErrTooLarge
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: %w", ErrTransportClose, err)
	}
	return transportError(err)
}

// endByPeer ends the session for what its peer did: by end for a fault that the engine found, if nobody has a last word.
func (s *Session) endByPeer(err error, end func(error, goodbye)) {
	var known receiverError
	var inOrder *closedInOrder
	switch {
	case errors.As(err, &known) && s.drainsForFault():
		// the Receiver, which knows of it, has a last word
	case errors.As(err, &known):
		s.end(known.error, goodbyeFault)
	case errors.As(err, &inOrder):
		s.end(err, goodbyeEcho)
	case errors.Is(err, ErrTransportClose), errors.Is(err, ErrTransportError):
		s.end(err, goodbyeGone)
	case isFault(err) && s.refused(err):
		s.Drain(err)
	default:
		end(err, goodbyeFault)
	}
}

// isFault reports whether err is the client's fault.
func isFault(err error) bool {
	var breach *ProtocolError
	return errors.Is(err, ErrTooLarge) || errors.As(err, &breach)
}

// refused lets the Receiver have a last word; it reports whether there is one.
func (s *Session) refused(err error) bool {
	r, ok := s.receiver.(Refuser)
	return ok && r.Refused(err)
}

// countingReader counts what is read from r.
type countingReader struct {
	r io.Reader
	n *atomic.Uint64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(uint64(n))
	return n, err
}

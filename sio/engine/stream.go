package engine

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
	"unicode/utf8"
)

const (
	transportWebTransport = "webtransport"

	// streamBufferBytes is what a stream buffers of what arrives; larger payloads are read past it.
	streamBufferBytes = 4 << 10
	// maxHelloBytes bounds the first packet of a stream.
	maxHelloBytes = 256
	// arrivalTime is how long the last packets of a stream may take to arrive.
	arrivalTime = 300 * time.Millisecond
	// binaryPacket marks the header of a binary packet.
	binaryPacket = 0x80
)

var errNoHello = &ProtocolError{Packet: "stream", Reason: "does not begin with an open packet"}

// stream is what is a byte stream's own of a carrier. Packets have their length before them, in 1, 3 or 9 bytes.
type stream struct {
	src  *bufio.Reader
	left int64 // of the current packet
}

// OpenDoor tells clients that begin on polling that they may move to WebTransport, until shut is called. It is for those
// that call ServeStream.
func (srv *Server) OpenDoor() (shut func()) {
	srv.doors.Add(1)
	return func() { srv.doors.Add(-1) }
}

// ServeStream takes over conn, a bidirectional stream that a client opened in a WebTransport session, and closes it, and the
// WebTransport session with it, when it is done. The client opens a session over it, or moves one to it. r is the request
// that opened the WebTransport session; its origin is the caller's to check, with AllowOrigin. ServeStream returns
// when nothing more is read from conn, which is closed then or soon.
//
// If conn has a method CloseWrite, it ends the stream, and the client then has a moment to close. If it has a method
// Opened() time.Time, it tells when the client was let in.
func (srv *Server) ServeStream(conn net.Conn, r *http.Request) {
	if !srv.enter() {
		conn.Close()
		return
	}
	defer srv.leave()
	opened := time.Now()
	if c, ok := conn.(interface{ Opened() time.Time }); ok {
		opened = c.Opened()
	}
	c := srv.newStream(conn, r)
	sid, err := srv.hello(c)
	if err == nil && sid == "" {
		err = srv.serveStream(c)
	} else if err == nil {
		err = srv.serveStreamUpgrade(c, sid, opened)
	}
	if err != nil {
		srv.counters.refused(refusalOf(err).Message)
		conn.Close()
	}
}

// refusalOf returns what to count a stream under that came to nothing.
func refusalOf(err error) *HandshakeError {
	var refusal *HandshakeError
	if errors.As(err, &refusal) {
		return refusal
	}
	return errBadRequest
}

func (srv *Server) newStream(conn net.Conn, r *http.Request) *carrier {
	src := bufio.NewReaderSize(&countingReader{r: conn, n: &srv.counters.bytesIn}, streamBufferBytes)
	s := &stream{src: src}
	return &carrier{
		transport: transportWebTransport, request: keep(r), conn: conn, in: s, out: newSink(conn), framing: s,
		variant: variant{form: forStream}, patience: arrivalTime,
	}
}

// hello reads the first packet, and returns the id of the session that is to move here; "" asks for a new one.
func (srv *Server) hello(c *carrier) (sid string, err error) {
	if !srv.allows(transportWebTransport) {
		return "", errUnknownTransport
	}
	if !srv.arrive(c.conn) {
		return "", errShuttingDown
	}
	defer srv.arrived(c.conn)
	isBinary, _, err := c.in.next()
	if err != nil {
		return "", err
	}
	if isBinary {
		return "", errNoHello
	}
	text, release, err := c.in.text(maxHelloBytes)
	if err != nil {
		return "", err
	}
	defer release()
	return helloID(text)
}

// arrive notes that the first packet of a stream is waited for, unless the server is shutting down.
func (srv *Server) arrive(conn net.Conn) bool {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.closing {
		return false
	}
	if srv.arriving == nil {
		srv.arriving = make(map[net.Conn]bool)
	}
	srv.arriving[conn] = true
	conn.SetReadDeadline(time.Now().Add(srv.upgradeTimeout()))
	return true
}

// arrived ends what arrive began.
func (srv *Server) arrived(conn net.Conn) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	delete(srv.arriving, conn)
	conn.SetReadDeadline(time.Time{})
}

func helloID(packet []byte) (sid string, err error) {
	if len(packet) == 0 || packet[0] != typeOpen {
		return "", errNoHello
	}
	if len(packet) == 1 {
		return "", nil
	}
	var o struct{ SID string }
	if json.Unmarshal(packet[1:], &o) != nil || o.SID == "" {
		return "", errNoHello
	}
	return o.SID, nil
}

// serveStream opens a session on c.
func (srv *Server) serveStream(c *carrier) error {
	s := newSession(srv, c.request, 4)
	if err := srv.accept(s, c.request); err != nil {
		return err
	}
	s.beat.start()
	open := c.framing.appendText(nil, srv.openPacket(s))
	if err := c.writeNow(open, srv.handshakeTimeout()); err != nil {
		s.end(transportError(err), goodbyeGone)
		s.transmit()
		return err
	}
	srv.counters.sent(len(open))
	srv.run(s, c)
	<-c.gone.done()
	return nil
}

// serveStreamUpgrade makes c the transport of a session that began on polling.
func (srv *Server) serveStreamUpgrade(c *carrier, sid string, opened time.Time) error {
	s := srv.session(sid)
	switch {
	case s == nil:
		return errUnknownSession
	case srv.NoUpgrades || s.protocol != 4:
		return errBadRequest
	}
	s.tryUpgrade(c, opened, s.beginUpgrade())
	return nil
}

func (s *stream) await() error {
	_, err := s.src.Peek(1)
	return err
}

func (s *stream) next() (isBinary bool, size int64, err error) {
	head, err := s.src.ReadByte()
	if err != nil {
		return false, 0, err
	}
	isBinary, s.left = head&binaryPacket != 0, int64(head&^binaryPacket)
	var extended [8]byte
	switch s.left {
	case 126:
		_, err = io.ReadFull(s.src, extended[6:])
	case 127:
		_, err = io.ReadFull(s.src, extended[:])
	default:
		return isBinary, s.left, nil
	}
	s.left = int64(binary.BigEndian.Uint64(extended[:]))
	if err == nil && s.left < 0 {
		err = &ProtocolError{Packet: "stream", Reason: "length with the top bit set"}
	}
	return isBinary, s.left, err
}

// Read reads from the current packet.
func (s *stream) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.src.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (s *stream) text(limit int) (text []byte, release func(), err error) {
	n := int(min(s.left, int64(limit)+1))
	switch {
	case n > limit:
		return nil, nil, ErrTooLarge
	case n <= streamBufferBytes:
		text, err = s.src.Peek(n)
		release = func() { s.src.Discard(n) }
	default:
		var whole bytes.Buffer // grows with what comes, not with what was announced
		_, err = io.CopyN(&whole, s.src, int64(n))
		text, release = whole.Bytes(), func() {}
	}
	switch {
	case errors.Is(err, io.EOF):
		return nil, nil, io.ErrUnexpectedEOF
	case err != nil:
		return nil, nil, err
	case !utf8.Valid(text):
		return nil, nil, &ProtocolError{Packet: "stream", Reason: "text is not UTF-8"}
	}
	s.left = 0
	return text, release, nil
}

func (s *stream) appendText(dst []byte, packet string) []byte {
	return append(appendStreamHeader(dst, false, len(packet)), packet...)
}

// farewell is nothing. Stock clients wait for the end of the WebTransport session, which takes back what has not arrived.
func (s *stream) farewell(error) (frame []byte, peerCloses bool) { return nil, true }

// appendStreamHeader appends what stands before a packet on a stream.
func appendStreamHeader(dst []byte, isBinary bool, length int) []byte {
	var mark byte
	if isBinary {
		mark = binaryPacket
	}
	switch {
	case length < 126:
		return append(dst, mark|byte(length))
	case length < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, mark|126), uint16(length))
	}
	return binary.BigEndian.AppendUint64(append(dst, mark|127), uint64(length))
}

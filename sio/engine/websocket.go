package engine

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/gobwas/ws"
)

// webSocket is one WebSocket connection.
type webSocket struct {
	request *http.Request // that opened it
	conn    net.Conn
	in      *frameReader
	out     sink
	gone    chan struct{} // closed when its reader has ended

	// Owned by the reader.
	ping func(payload []byte) error // answers a ping frame
}

// closedInOrder says that the client sent a close frame.
type closedInOrder struct {
	echo []byte // the frame to send back
}

func (e *closedInOrder) Error() string { return ErrTransportClose.Error() + ": close frame" }
func (e *closedInOrder) Unwrap() error { return ErrTransportClose }

// newWebSocket makes a connection that was hijacked from net/http a WebSocket. early is what had been read of it already.
func newWebSocket(srv *Server, r *http.Request, conn net.Conn, early []byte) *webSocket {
	c := &webSocket{request: r, conn: conn, out: newSink(conn), gone: make(chan struct{})}
	var src io.Reader = conn
	if len(early) > 0 {
		src = io.MultiReader(bytes.NewReader(early), conn)
	}
	c.in = newFrameReader(&countingReader{r: src, n: &srv.counters.bytesIn}, c.control)
	return c
}

// control handles the control frames of RFC 6455.
func (c *webSocket) control(op ws.OpCode, payload []byte) error {
	switch op {
	case ws.OpPing:
		return c.ping(payload)
	case ws.OpClose:
		return c.closeFrame(payload)
	}
	return nil // nobody asked for this pong
}

func (c *webSocket) closeFrame(payload []byte) error {
	if len(payload) == 1 {
		return errFrame(ws.StatusProtocolError, "half a close status")
	}
	if len(payload) >= 2 {
		code, reason := ws.ParseCloseFrameData(payload)
		if err := ws.CheckCloseFrameData(code, reason); err != nil {
			return errFrame(ws.StatusProtocolError, err.Error())
		}
	}
	return &closedInOrder{append(appendFrameHeader(nil, ws.OpClose, len(payload)), payload...)}
}

// writeNow writes whole frames, waiting at most limit. Nobody else may be writing.
func (c *webSocket) writeNow(frames []byte, limit time.Duration) error {
	c.conn.SetWriteDeadline(time.Now().Add(limit))
	defer c.conn.SetWriteDeadline(time.Time{})
	return c.flush(&net.Buffers{frames})
}

// flush writes all of bufs, waiting.
func (c *webSocket) flush(bufs *net.Buffers) error {
	for {
		if _, err := c.out.write(bufs); err != nil {
			return err
		}
		if _, err := c.out.tryWrite(bufs); err != errBusy {
			return err
		}
	}
}

// interrupt makes the reader stop at once, and the writer soon.
func (c *webSocket) interrupt() {
	c.conn.SetReadDeadline(time.Unix(1, 0))
	c.conn.SetWriteDeadline(time.Now().Add(partingTime))
}

// part ends the connection in order: what is half written, the close frame, and then, unless it closed first, the client's
// turn to close. It is called after interrupt, by the only one who writes.
func (c *webSocket) part(pending net.Buffers, err error) {
	defer c.conn.Close()
	farewell := closeFrame(closeStatus(err))
	var first *closedInOrder
	if errors.As(err, &first) {
		farewell = first.echo
	}
	rest := append(slices.Clip(pending), farewell)
	if c.flush(&rest) != nil || first != nil {
		return
	}
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	c.awaitClose()
}

// awaitClose drops what the client still sends until it closes: closing with bytes unread would take the close frame back.
func (c *webSocket) awaitClose() {
	timeout := time.NewTimer(partingTime)
	defer timeout.Stop()
	select {
	case <-c.gone:
	case <-timeout.C:
		return
	}
	c.conn.SetReadDeadline(time.Now().Add(partingTime))
	io.Copy(io.Discard, c.conn)
}

// drop closes the connection without a word: its peer is gone, or was never a transport.
func (c *webSocket) drop() { c.conn.Close() }

// closeFrame returns a close frame without a reason; status 0 leaves out the status, too.
func closeFrame(status ws.StatusCode) []byte {
	if status == 0 {
		return appendFrameHeader(nil, ws.OpClose, 0)
	}
	return append(appendFrameHeader(nil, ws.OpClose, 2), byte(status>>8), byte(status))
}

// readWebSocket feeds the Receiver until the connection or the session ends.
func (s *Session) readWebSocket(c *webSocket) {
	defer close(c.gone)
	for {
		if err := s.readFrames(c); err != nil {
			s.endByPeer(err)
			return
		}
	}
}

// readFrames takes one message.
func (s *Session) readFrames(c *webSocket) error {
	op, err := c.in.next()
	if err != nil {
		return readError(err)
	}
	if op == ws.OpBinary {
		s.recv.Lock()
		defer s.recv.Unlock()
		return s.receiveBody(&body{session: s, src: c.in, size: c.in.size(), mode: func(bool) {}}, c.request)
	}
	text, release, err := c.in.text(s.server.maxPayloadBytes())
	if err != nil {
		return readError(err)
	}
	defer release()
	if len(text) == 0 {
		return &ProtocolError{Packet: "packet", Reason: "empty"}
	}
	s.recv.Lock()
	defer s.recv.Unlock()
	return s.receivePacket(text[0], text[1:], c.request)
}

// answerPing notes that a ping frame is to be answered; the newest one wins.
func (s *Session) answerPing(payload []byte) error {
	s.mu.Lock()
	s.pong = append([]byte{}, payload...)
	s.mu.Unlock()
	s.Wake()
	return nil
}

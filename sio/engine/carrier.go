package engine

import (
	"io"
	"net"
	"net/http"
	"slices"
	"time"
)

// carrier is a connection that is a session's transport, or may become it by an upgrade: whatever is not polling.
type carrier struct {
	transport string        // its name
	request   *http.Request // that opened it
	conn      net.Conn
	in        inlet
	out       sink
	framing   framing
	variant   variant       // of what is sent over it
	patience  time.Duration // with a peer that is to close, at the end
	gone      latch         // closed when its reader has ended
	lull      lull

	// Owned by the reader.
	answer func(frame []byte) error // sends what framing has to say to a ping of its own
}

// longAgo is a deadline that makes what waits stop at once.
var longAgo = time.Unix(1, 0)

// inlet is the reading half of a carrier. Its reader reads the current message, which is binary; one goroutine may use it.
type inlet interface {
	io.Reader
	// await waits for the first byte of a message. A deadline that passes meanwhile does no harm.
	await() error
	// next waits for the next message; size is -1 if it is not known yet. The one before must have been read to its end.
	next() (binary bool, size int64, err error)
	// text returns the current message, which is a text of at most limit bytes. It is valid until release is called.
	text(limit int) (text []byte, release func(), err error)
}

// framing is how packets lie on a carrier, beside what Prepared knows.
type framing interface {
	// appendText appends a text packet of the engine's own.
	appendText(dst []byte, packet string) []byte
	// farewell returns the last thing to send in a session that ended with err, and whether the peer then has to close.
	farewell(err error) (frame []byte, peerCloses bool)
}

// writeNow writes whole frames, waiting at most limit. Nobody else may be writing.
func (c *carrier) writeNow(frames []byte, limit time.Duration) error {
	c.conn.SetWriteDeadline(time.Now().Add(limit))
	defer c.conn.SetWriteDeadline(time.Time{})
	return c.flush(&net.Buffers{frames})
}

// flush writes all of bufs, waiting.
func (c *carrier) flush(bufs *net.Buffers) error {
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
func (c *carrier) interrupt() {
	c.conn.SetReadDeadline(longAgo)
	c.conn.SetWriteDeadline(time.Now().Add(partingTime))
}

// part ends the connection in order: what is half written, the last words, and then the client's turn to close. It is called
// after interrupt, by the only one who writes.
func (c *carrier) part(pending net.Buffers, err error) {
	defer c.conn.Close()
	farewell, peerCloses := c.framing.farewell(err)
	rest := append(slices.Clip(pending), farewell)
	if c.flush(&rest) != nil {
		return
	}
	switch half, ok := c.conn.(interface{ CloseWrite() error }); {
	case ok:
		half.CloseWrite()
	case !peerCloses:
		return // it waits for us
	}
	c.awaitClose()
}

// awaitClose drops what the client still sends until it closes: closing with bytes unread would take the last words back.
func (c *carrier) awaitClose() {
	timeout := time.NewTimer(c.patience)
	defer timeout.Stop()
	select {
	case <-c.gone.done():
	case <-timeout.C:
		return
	}
	c.conn.SetReadDeadline(time.Now().Add(c.patience))
	io.Copy(io.Discard, c.conn)
}

// drop closes the connection without a word: its peer is gone.
func (c *carrier) drop() { c.conn.Close() }

// readCarrier feeds the Receiver until the connection or the session ends, or nothing comes: then it is called again when
// something does.
func (s *Session) readCarrier(c *carrier) {
	err := s.readMessages(c)
	if err == errParked {
		return
	}
	s.endByPeer(err, s.end)
	c.gone.close()
}

func (s *Session) readMessages(c *carrier) error {
	in, rests := c.in.(rester)
	if rests {
		s.watch(c)
	}
	for {
		if rests {
			if err := s.awaitMessage(c, in); err != nil {
				return err
			}
		}
		if err := s.readMessage(c); err != nil {
			return err
		}
	}
}

// readMessage takes one message.
func (s *Session) readMessage(c *carrier) error {
	binary, size, err := c.in.next()
	if err != nil {
		return readError(err)
	}
	if binary {
		s.recv.Lock()
		defer s.recv.Unlock()
		return s.receiveBody(&body{session: s, src: c.in, size: size, mode: func(bool) {}}, c.request)
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

// answerLater notes a frame that answers a ping of the transport's own; the newest one wins.
func (s *Session) answerLater(frame []byte) error {
	s.mu.Lock()
	s.pong = frame
	s.mu.Unlock()
	s.Wake()
	return nil
}

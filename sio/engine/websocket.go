package engine

import (
	"cmp"
	"errors"
	"io"
	"net/http"

	"github.com/gobwas/ws"

	"sluice/sio/internal/websocket"
)

// webSocket is what is WebSocket's own of a carrier.
type webSocket struct {
	carrier *carrier
	in      *websocket.Reader
	eio3    bool // binary messages have their type before them
}

// closedInOrder says that the client sent a close frame.
type closedInOrder struct {
	echo []byte // the frame to send back
}

func (e *closedInOrder) Error() string { return ErrTransportClose.Error() + ": close frame" }
func (e *closedInOrder) Unwrap() error { return ErrTransportClose }

// openWebSocket takes the connection over for s and answers the WebSocket handshake, with first behind it if it is not
// empty. r has been checked; the caller sets the carrier's.
func (srv *Server) openWebSocket(
	w http.ResponseWriter, r *http.Request, s *Session, header http.Header, first string,
) (*carrier, error) {
	reply := websocket.Reply{Header: []http.Header{w.Header(), header}, Timeout: srv.handshakeTimeout()}
	answer, threshold := srv.Deflate.answer(r.Header)
	if answer != "" {
		reply.Header = append(reply.Header, http.Header{"Sec-WebSocket-Extensions": {answer}})
	}
	if first != "" {
		reply.First = websocket.AppendFrame(nil, ws.OpText, first)
	}
	conn, src, err := websocket.Accept(w, r, reply)
	if errors.Is(err, websocket.ErrNoConnection) {
		srv.refuse(w, errBadRequest)
	}
	if err != nil {
		return nil, err
	}
	srv.counters.sent(len(reply.First))
	c := &carrier{
		transport: transportWebSocket, conn: conn, out: newSink(conn), patience: partingTime,
		variant: variant{form: forWebSocket, eio3: s.protocol == 3, base64: wantsBase64(r), deflate: threshold},
	}
	socket := &webSocket{carrier: c, eio3: s.protocol == 3}
	socket.in = websocket.NewReader(newSource(src, &srv.counters.bytesIn), socket.control)
	socket.in.Inflate = answer != ""
	c.in, c.framing = socket, socket
	return c, nil
}

// Deflate says which messages are compressed over WebSocket with clients that understand it (permessage-deflate, RFC 7692).
// Each message is compressed by itself: once for all its recipients, and without memory kept for a connection. It is sent as
// it is if that would not make it smaller, and to clients that ask for a smaller window than deflate's. What clients send is
// limited by what it inflates to.
type Deflate struct {
	Threshold int // the least size of a packet, in bytes, to compress; 0 means 1024
}

// answer returns what accepts a client's offer, "" if nothing does, and from what size on packets are to be compressed then;
// 0 is never.
func (d *Deflate) answer(offer http.Header) (answer string, threshold int) {
	if d == nil {
		return "", 0
	}
	answer, shared := websocket.Deflate(offer)
	if !shared {
		return answer, 0
	}
	return answer, cmp.Or(d.Threshold, defaultThreshold)
}

// checkWebSocket refuses what is not a WebSocket handshake.
func checkWebSocket(r *http.Request) *HandshakeError {
	switch websocket.Check(r) {
	case nil:
		return nil
	case websocket.ErrVersion:
		return errUpgradeVersion
	}
	return errBadRequest
}

// control handles the control frames of RFC 6455.
func (c *webSocket) control(op ws.OpCode, payload []byte) error {
	switch op {
	case ws.OpPing:
		return c.carrier.answer(websocket.AppendFrame(nil, ws.OpPong, payload))
	case ws.OpClose:
		return &closedInOrder{websocket.AppendFrame(nil, ws.OpClose, payload)}
	}
	return nil // nobody asked for this pong
}

func (c *webSocket) await() error { return c.in.Await() }

func (c *webSocket) rest() bool { return c.in.Rest() }

func (c *webSocket) next() (binary bool, size int64, err error) {
	op, err := c.in.Next()
	binary, size = op == ws.OpBinary, c.in.Size()
	if err == nil && binary && c.eio3 {
		err = c.binaryType()
		size = max(size-1, -1)
	}
	return binary, size, frameFault(err)
}

// binaryType reads the type before a binary message of Engine.IO 3.
func (c *webSocket) binaryType() error {
	var kind [1]byte
	switch _, err := io.ReadFull(c.in, kind[:]); {
	case err == io.EOF:
		return &ProtocolError{Packet: "packet", Reason: "empty"}
	case err != nil:
		return err
	case kind[0] != binaryMessage3:
		return &ProtocolError{Packet: "packet", Reason: "binary that is no message"}
	}
	return nil
}

func (c *webSocket) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	return n, frameFault(err)
}

// arrived returns how much of the current message has come, before it was inflated.
func (c *webSocket) arrived() int64 { return c.in.Arrived() }

func (c *webSocket) text(limit int) ([]byte, func(), error) {
	text, release, err := c.in.Text(limit)
	return text, release, frameFault(err)
}

// frameFault makes a fault of RFC 6455 one of the session.
func frameFault(err error) error {
	if err == nil || err == io.EOF {
		return err // before anything that errors.As needs is allocated: it is asked of every read
	}
	var fault *websocket.Error
	switch {
	case !errors.As(err, &fault):
		return err
	case fault.Status == ws.StatusMessageTooBig:
		return ErrTooLarge
	}
	return &ProtocolError{Packet: "frame", Reason: fault.Reason, status: fault.Status}
}

func (c *webSocket) appendText(dst []byte, packet string) []byte {
	return websocket.AppendFrame(dst, ws.OpText, packet)
}

// farewell is a close frame: an answer to the client's, or one that it has to answer.
func (c *webSocket) farewell(err error) (frame []byte, peerCloses bool) {
	var first *closedInOrder
	if errors.As(err, &first) {
		return first.echo, false
	}
	return websocket.AppendClose(nil, closeStatus(err)), true
}

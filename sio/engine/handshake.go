package engine

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gobwas/ws"
)

const (
	// maxHeaderFields bounds the header fields of a request.
	maxHeaderFields = 100
	// webSocketGUID is appended to the client's key; RFC 6455, section 1.3.
	webSocketGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
)

var (
	errTooManyFields  = &HandshakeError{http.StatusRequestHeaderFieldsTooLarge, 3, "Too many header fields"}
	errBadMethod      = &HandshakeError{http.StatusMethodNotAllowed, 3, "Method not allowed"}
	errShuttingDown   = &HandshakeError{http.StatusServiceUnavailable, 3, "Server is shutting down"}
	errUpgradeVersion = &HandshakeError{http.StatusUpgradeRequired, 3, "WebSocket version 13 required"}
)

// open is the first packet of a session.
type open struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int64    `json:"pingInterval"` // ms
	PingTimeout  int64    `json:"pingTimeout"`  // ms
	MaxPayload   int      `json:"maxPayload"`
}

// openPacket returns the first packet of s.
func (srv *Server) openPacket(s *Session, upgrades ...string) []byte {
	body, _ := json.Marshal(open{
		SID:          s.id,
		Upgrades:     append([]string{}, upgrades...),
		PingInterval: srv.pingInterval().Milliseconds(),
		PingTimeout:  srv.pingTimeout().Milliseconds(),
		MaxPayload:   srv.maxPayloadBytes(),
	})
	return append([]byte{typeOpen}, body...)
}

// serveHandshake opens a session.
func (srv *Server) serveHandshake(w http.ResponseWriter, r *http.Request, transport string) {
	if refusal := checkHandshake(r, transport); refusal != nil {
		srv.refuse(w, refusal)
		return
	}
	s := newSession(srv, r)
	if err := srv.accept(s, r); err != nil {
		srv.refuse(w, err)
		return
	}
	s.beat.start()
	if transport == transportPolling {
		srv.replyPolling(w, s)
	} else {
		srv.replyWebSocket(w, r, s)
	}
	s.transmit() // newSession locked the outlet
}

// checkHandshake refuses what cannot open a session, in the order of Node's server.
func checkHandshake(r *http.Request, transport string) *HandshakeError {
	switch {
	case r.Method != http.MethodGet:
		return errBadHandshakeMethod
	case transport == transportWebSocket:
		if refusal := checkWebSocket(r); refusal != nil {
			return refusal
		}
	}
	if r.URL.Query().Get("EIO") != "4" {
		return errUnsupportedVersion
	}
	return nil
}

// accept asks the application, and makes s known.
func (srv *Server) accept(s *Session, r *http.Request) *HandshakeError {
	if srv.Accept == nil {
		return errForbidden
	}
	receiver, err := srv.Accept(s, r)
	if err == nil {
		s.receiver = receiver
		if srv.remember(s) {
			if !s.running() {
				srv.forget(s) // Accept called Close, when there was nothing to forget
			}
			return nil
		}
		err = errShuttingDown
	}
	s.abandon()
	var refusal *HandshakeError
	if !errors.As(err, &refusal) {
		refusal = errForbidden
	}
	return refusal
}

// abandon ends a session that never began.
func (s *Session) abandon() {
	s.end(ErrServerShutdown, goodbyeGone)
	close(s.out.stopped) // newSession locked the outlet
}

// fields counts the header fields of a request, every one of the same name.
func fields(h http.Header) (n int) {
	for _, values := range h {
		n += len(values)
	}
	return n
}

// replyPolling answers the handshake of a polling session. What the session sends goes with the next GET, as clients expect.
func (srv *Server) replyPolling(w http.ResponseWriter, s *Session) {
	h := w.Header()
	for name, values := range s.header {
		h[name] = append(h[name], values...)
	}
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(srv.handshakeTimeout()))
	s.writeReply(w, pollReply{parts: [][]byte{srv.openPacket(s, transportWebSocket)}})
}

// replyWebSocket answers the handshake of a session that begins on WebSocket.
func (srv *Server) replyWebSocket(w http.ResponseWriter, r *http.Request, s *Session) {
	packet := srv.openPacket(s)
	c, err := srv.openWebSocket(w, r, s.header, append(appendFrameHeader(nil, ws.OpText, len(packet)), packet...))
	if err != nil {
		s.end(transportError(err), goodbyeGone)
		return
	}
	c.ping = s.answerPing
	s.begin(c)
	srv.spawn(func() { s.readWebSocket(c) })
}

// isWebSocket reports whether r asks for a WebSocket.
func isWebSocket(r *http.Request) bool {
	return hasToken(r.Header, "Connection", "upgrade") && hasToken(r.Header, "Upgrade", "websocket")
}

func hasToken(h http.Header, name, token string) bool {
	for _, v := range h.Values(name) {
		for field := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(field), token) {
				return true
			}
		}
	}
	return false
}

// checkWebSocket refuses what is not a WebSocket handshake; RFC 6455, section 4.2.1.
func checkWebSocket(r *http.Request) *HandshakeError {
	key, err := base64.StdEncoding.DecodeString(r.Header.Get("Sec-WebSocket-Key"))
	switch {
	case r.Method != http.MethodGet, !r.ProtoAtLeast(1, 1), !isWebSocket(r):
		return errBadRequest
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return errUpgradeVersion
	case err != nil || len(key) != 16:
		return errBadRequest
	}
	return nil
}

// openWebSocket takes the connection over and answers the WebSocket handshake, with first behind it. r has been checked.
func (srv *Server) openWebSocket(w http.ResponseWriter, r *http.Request, header http.Header, first []byte) (*webSocket, error) {
	reply := switchingProtocols(r, w.Header(), header)
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		srv.refuse(w, errBadRequest)
		return nil, err
	}
	conn.SetDeadline(time.Time{}) // the server's own timeouts end here
	conn.SetWriteDeadline(time.Now().Add(srv.handshakeTimeout()))
	if _, err := conn.Write(append(reply, first...)); err != nil {
		conn.Close()
		return nil, err
	}
	conn.SetWriteDeadline(time.Time{})
	srv.counters.sent(len(first))
	return newWebSocket(srv, keep(r), conn, buffered(rw.Reader)), nil
}

// buffered returns what r has read ahead.
func buffered(r *bufio.Reader) []byte {
	ahead, _ := r.Peek(r.Buffered())
	return bytes.Clone(ahead)
}

// switchingProtocols returns the reply that makes a connection a WebSocket.
func switchingProtocols(r *http.Request, headers ...http.Header) []byte {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + webSocketGUID))
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ")
	b.WriteString(base64.StdEncoding.EncodeToString(sum[:]))
	b.WriteString("\r\n")
	for _, h := range headers {
		h.Write(&b)
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

package engine

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"
)

const (
	// maxHeaderFields bounds the header fields of a request, of which several may have the same name.
	maxHeaderFields = 100
	// maxHeaderBytes bounds a request's URL and header together.
	maxHeaderBytes = 16 << 10
)

var (
	errTooManyFields  = &HandshakeError{http.StatusRequestHeaderFieldsTooLarge, 3, "Too many header fields"}
	errLargeHeader    = &HandshakeError{http.StatusRequestHeaderFieldsTooLarge, 3, "Header too large"}
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
func (srv *Server) openPacket(s *Session, upgrades ...string) string {
	body, _ := json.Marshal(open{
		SID:          s.id,
		Upgrades:     append([]string{}, upgrades...),
		PingInterval: srv.pingInterval().Milliseconds(),
		PingTimeout:  srv.pingTimeout().Milliseconds(),
		MaxPayload:   srv.maxPayloadBytes(),
	})
	return string(typeOpen) + string(body)
}

// serveHandshake opens a session.
func (srv *Server) serveHandshake(w http.ResponseWriter, r *http.Request, query url.Values) {
	transport := query.Get("transport")
	protocol, refusal := srv.checkHandshake(r, query)
	if refusal != nil {
		srv.refuse(w, refusal)
		return
	}
	s := newSession(srv, r, protocol)
	if err := srv.accept(s, r); err != nil {
		srv.refuse(w, err)
		return
	}
	s.beat.start()
	if transport == transportPolling {
		srv.replyPolling(w, r, s)
		s.transmit() // newSession locked the outlet
		return
	}
	c, err := srv.openWebSocket(w, r, s, s.header, srv.openPacket(s))
	if err != nil {
		s.end(transportError(err), goodbyeGone)
		s.transmit()
		return
	}
	c.request = s.request
	srv.run(s, c)
}

// run makes c the transport of a session that begins on it.
func (srv *Server) run(s *Session, c *carrier) {
	c.answer = s.answerLater
	s.begin(c)
	s.transmit() // newSession locked the outlet
	// Not before: what a message is answered with could find the lock taken, and a fault behind it end all.
	srv.spawn(func() { s.readCarrier(c) })
}

// checkHandshake refuses what cannot open a session, in the order of Node's server.
func (srv *Server) checkHandshake(r *http.Request, query url.Values) (protocol int, refusal *HandshakeError) {
	switch {
	case r.Method != http.MethodGet:
		return 0, errBadHandshakeMethod
	case query.Get("transport") == transportWebSocket:
		if refusal := checkWebSocket(r); refusal != nil {
			return 0, refusal
		}
	}
	if protocol = srv.protocol(query); protocol == 0 {
		return 0, errUnsupportedVersion
	}
	return protocol, nil
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
	s.out.held.Done() // newSession locked the outlet
}

// checkHeader refuses a request with more header than anybody needs: a session keeps it as long as it lives.
func checkHeader(r *http.Request) *HandshakeError {
	fields, size := 0, len(r.RequestURI)
	for name, values := range r.Header {
		fields += len(values)
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	switch {
	case fields > maxHeaderFields:
		return errTooManyFields
	case size > maxHeaderBytes:
		return errLargeHeader
	}
	return nil
}

// replyPolling answers the handshake of a polling session. What the session sends goes with the next GET, as clients expect.
func (srv *Server) replyPolling(w http.ResponseWriter, r *http.Request, s *Session) {
	h := w.Header()
	for name, values := range s.header {
		h[name] = append(h[name], values...)
	}
	if cookie := srv.cookie(s.id); cookie != nil {
		http.SetCookie(w, cookie)
	}
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(srv.handshakeTimeout()))
	s.writeReply(w, r, s.packets(srv.openPacket(s, srv.upgrades(s.protocol)...)))
}

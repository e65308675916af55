package engine

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// idBytes is the length of a session id before base64: 144 random bits.
	idBytes = 18
	// drainTime bounds what Drain may take.
	drainTime = 5 * time.Second
)

// Session is one client's connection, whatever transports carry it.
type Session struct {
	// Set once, before the session is shared.
	id       string
	protocol int  // of Engine.IO: 4 or 3
	base64   bool // the client asked for binary as text
	opened   bool // it was made known, and so is counted
	server   *Server
	request  *http.Request
	header   http.Header // of the handshake's reply; nil until Header is called
	receiver Receiver
	beat     heartbeat

	done latch // closed when the session has begun to end

	recv sync.Mutex // held by the transport that feeds the Receiver
	out  outlet     // owned by whoever holds its lock

	mu sync.Mutex
	// Guarded by mu.
	ended     bool
	err       error   // why
	goodbye   goodbye // how the client is told
	draining  bool
	drainErr  error
	refusing  bool // a POST was too large
	drainEnds *time.Timer
	carrier   *carrier      // the transport, once it is not polling
	upgrade   chan struct{} // not nil while something may become the transport, from before its handshake is answered; then closed
	probe     *carrier      // what that is
	probed    bool          // 3probe has been sent
	poll      *poll         // the waiting GET
	replies   []*poll       // the GETs whose replies are being written
	post      *post         // the POST being read
	lastPost  time.Time     // when one ended
	lastLong  time.Time     // when one ended that took long
	pingDue   bool
	pongDue   bool // a client of Engine.IO 3 has sent a ping
	noopDue   bool
	pong      []byte // the frame that answers the carrier's newest ping; nil for none
}

// newSession returns a session that nobody knows yet; its outlet is locked.
func newSession(srv *Server, r *http.Request, protocol int) *Session {
	s := &Session{
		id:       newID(),
		protocol: protocol,
		base64:   wantsBase64(r),
		server:   srv,
		request:  keep(r),
	}
	s.out.init()
	s.beat = heartbeat{interval: srv.pingInterval(), timeout: srv.pingTimeout(), passive: protocol == 3, ping: s.ping, expired: s.expire}
	return s
}

// wantsBase64 reports whether a client cannot take binary.
func wantsBase64(r *http.Request) bool {
	return strings.Contains(r.URL.RawQuery, "b64") && r.URL.Query().Get("b64") != ""
}

func newID() string {
	b := make([]byte, idBytes)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// keep returns what of r is worth keeping for the life of a session: not its body, and not its end.
func keep(r *http.Request) *http.Request {
	kept := r.WithContext(context.WithoutCancel(r.Context()))
	kept.Body = http.NoBody
	return kept
}

// ID returns the session id, unguessable.
func (s *Session) ID() string { return s.id }

// Wake says that Receiver.Next has something to return. It never waits: it sends at once what the transport takes without
// waiting, unless somebody else is at it, so Next may be called before it returns. Any goroutine may call it.
func (s *Session) Wake() {
	if s.out.acquire() {
		s.transmit()
	}
}

// Close ends the session now; what is unsent is dropped. It never waits. err is what Closed will get, nil for ErrClosed.
func (s *Session) Close(err error) {
	if err == nil {
		err = ErrClosed
	}
	s.end(err, goodbyeClose)
}

// Drain sends what Next still yields, for a few seconds at most, and then closes. It never waits.
func (s *Session) Drain(err error) {
	s.mu.Lock()
	if s.ended || s.draining {
		s.mu.Unlock()
		return
	}
	s.draining, s.drainErr = true, err
	s.drainEnds = time.AfterFunc(drainTime, func() { s.Close(err) })
	s.mu.Unlock()
	s.Wake()
}

// Behind reports whether what Next returned last waits for the transport to take it. Polling takes all at once.
func (s *Session) Behind() bool { return s.out.stuck.Load() }

// drainsForFault reports whether the session only sends what is left because of what the client did.
func (s *Session) drainsForFault() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining && isFault(s.drainErr)
}

// Done returns a channel that is closed when the session has begun to end.
func (s *Session) Done() <-chan struct{} { return s.done.done() }

// Transport returns the name of the current transport, "polling", "websocket" or "webtransport".
func (s *Session) Transport() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.carrier != nil {
		return s.carrier.transport
	}
	return transportPolling
}

// Protocol returns the version of Engine.IO that the client speaks: 4, or 3 if Server.AllowEIO3 is set.
func (s *Session) Protocol() int { return s.protocol }

// Request returns the request that opened the session, without its body.
func (s *Session) Request() *http.Request { return s.request }

// Header returns the header fields that the reply to the handshake will carry. It is for Accept only.
func (s *Session) Header() http.Header {
	if s.header == nil {
		s.header = make(http.Header)
	}
	return s.header
}

// RemoteAddr returns the client's address, as the opening request saw it.
func (s *Session) RemoteAddr() string { return s.request.RemoteAddr }

// ping is called by the heartbeat.
func (s *Session) ping() {
	s.mu.Lock()
	s.pingDue = true
	s.mu.Unlock()
	s.Wake()
}

// expire is called by the heartbeat.
func (s *Session) expire() { s.end(ErrPingTimeout, goodbyeFault) }

// running reports whether the session has not begun to end.
func (s *Session) running() bool { return !s.done.closed.Load() }

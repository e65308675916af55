package engine

import "net/http"

// Session is one client's connection, whatever transports carry it.
type Session struct {
	id      string
	request *http.Request
}

// ID returns the session id, unguessable.
func (s *Session) ID() string { return s.id }

// Wake says that Receiver.Next has something to return. It never waits: it sends at once what the transport takes without
// waiting, unless somebody else is at it. Any goroutine may call it, also inside Receive; Next must not.
func (s *Session) Wake() {}

// Close ends the session now; what is unsent is dropped. It never waits. err is what Closed will get.
func (s *Session) Close(err error) {}

// Drain sends what Next still yields, for a few seconds at most, and then closes. It never waits.
func (s *Session) Drain(err error) {}

// Transport returns the name of the current transport, "polling" or "websocket".
func (s *Session) Transport() string { return "polling" }

// Request returns the request that opened the session.
func (s *Session) Request() *http.Request { return s.request }

// RemoteAddr returns the client's address, as the opening request saw it.
func (s *Session) RemoteAddr() string { return s.request.RemoteAddr }

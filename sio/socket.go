package sio

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net"
	"sync/atomic"

	"sluice/sio/engine"
	"sluice/sio/packet"
)

// Socket is one client's membership of a namespace.
type Socket struct {
	// Set once.
	id        string
	pid       string // what the client shows when it comes back; empty if it cannot
	recovered bool   // it has come back
	ns        *Namespace
	conn      *conn
	handshake *Handshake
	life      life

	sent uint64 // guarded by ns.log.mu: the number of the newest event

	// Guarded by ns.rooms.mu.
	rooms   []string
	joined  map[string]uint64 // by room: the newest event then; nil if the client cannot come back
	present bool              // takes part in rooms
	gone    bool              // does so no more

	ready atomic.Bool           // the source may have something
	burst atomic.Pointer[burst] // nil until something is held back

	replies atomic.Pointer[replies] // nil until an event was acknowledged
	data    atomic.Pointer[any]

	any          list[func(*Event)]
	anyOutgoing  list[func(*Prepared)]
	perEvent     list[func(*Event) error]
	disconnected list[func(reason string)]

	// Guarded by conn.mu.
	state    state
	absence  *absence // what it is to take up; nil if there is nothing, and when it has
	queue    []*Event
	working  bool   // a goroutine runs the handlers
	busy     bool   // that goroutine is not at its end
	begun    bool   // middleware has been called
	greeted  bool   // OnConnect's handlers have returned
	farewell func() // calls OnDisconnect's handlers; nil if that is not to be done
	events   map[string]func(*Event)
	acks     map[int64]answerer
	source   Source
}

// state is where a socket stands: it is joining, has joined, or has left.
type state byte

const (
	joining state = iota
	connected
	ended
)

func newSocket(c *conn, ns *Namespace, auth json.RawMessage) *Socket {
	s := &Socket{id: c.newSocketID(ns), ns: ns, conn: c, handshake: newHandshake(c.session, auth)}
	s.recoverFrom(auth)
	return s
}

// variant returns the form in which events are sent to s.
func (s *Socket) variant(plain bool) variant { return variant{s.ns.name, plain, s.conn.codec} }

// newID returns 120 bits that nobody can guess.
func newID() string {
	var b [15]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// ID returns the socket's id, which is unguessable and differs from that of the connection, unless the client is one of
// Socket.IO 2: it takes the connection's id for its own. It is also the name of a room with only this socket in it.
func (s *Socket) ID() string { return s.id }

// ConnID returns the id of the client's connection, which its sockets in other namespaces share. It is a secret of the
// client's: who knows it can send and receive in its place.
func (s *Socket) ConnID() string { return s.conn.session.ID() }

// Namespace returns the namespace the socket belongs to.
func (s *Socket) Namespace() *Namespace { return s.ns }

// Handshake returns how the client introduced itself.
func (s *Socket) Handshake() *Handshake { return s.handshake }

// Transport returns the name of the transport that carries the connection now: "polling", "websocket" or
// "webtransport".
func (s *Socket) Transport() string { return s.conn.session.Transport() }

// Context returns a context that ends when the socket does; its cause is the *[DisconnectError].
func (s *Socket) Context() context.Context { return s.life.context() }

// Connected reports whether the socket has joined, and has not left.
func (s *Socket) Connected() bool {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return s.state == connected
}

// SetData sets what the application wants to know of the socket, in place of what it was: a struct, a map, anything. sio
// does not look into it, but FetchSockets shows it to any goroutine and, as JSON, to other nodes: what v points to must not
// be changed afterwards, unless v guards it.
func (s *Socket) SetData(v any) {
	s.data.Store(&v)
	for _, w := range s.watchers() {
		w.DataSet(s)
	}
}

// Data returns what SetData was given last, nil if that was never called.
func (s *Socket) Data() any {
	if v := s.data.Load(); v != nil {
		return *v
	}
	return nil
}

// Join adds the socket to rooms, which begin to exist by it. It does nothing once the socket has ended.
func (s *Socket) Join(rooms ...string) { s.ns.rooms.joinAll(s, rooms) }

// Leave takes the socket out of rooms. It stays in that of its own id.
func (s *Socket) Leave(rooms ...string) { s.ns.rooms.leaveAll(s, rooms) }

// Rooms returns the rooms the socket is in; that of its own id is the first. When it has ended, they are those it was in.
func (s *Socket) Rooms() []string { return s.ns.rooms.of(s) }

// Emit sends an event to the client. It never waits: ErrQueueFull says that the client has let too much lie, and
// net.ErrClosed that it is gone. Bytes among args must not be changed afterwards.
func (s *Socket) Emit(event string, args ...any) error { return s.Send(Prepare(event, args...)) }

// Send is Emit of an event that is encoded already.
func (s *Socket) Send(p *Prepared) error { return s.emission().Send(p) }

// send sends p, which can be sent.
func (s *Socket) send(p *Prepared, f Flags) error {
	if s.pid != "" && s.ns.keeps(f) {
		return s.ns.log.send(s, Broadcast{Flags: f, Event: p})
	}
	return s.sendOnce(p, f)
}

// sendOnce sends p, and does not keep it for a client that comes back.
func (s *Socket) sendOnce(p *Prepared, f Flags) error {
	return s.put(p, p.as(s.variant(f.Plain)), f.Volatile)
}

// put puts an event on the connection's queue; m is p as it is sent.
func (s *Socket) put(p *Prepared, m *engine.Prepared, volatile bool) error {
	class := ordinary
	if volatile {
		class = fleeting
	}
	err := s.conn.enqueue(s, m, class)
	s.conn.server.counters.emitted(err)
	if err != nil {
		return err
	}
	s.outgoing(p)
	s.conn.session.Wake()
	return nil
}

// observed reports whether somebody wants to know what is sent.
func (s *Socket) observed() bool {
	for range inherited(s.ns, anyOutgoing) {
		return true
	}
	return len(s.watchers()) > 0 || len(s.anyOutgoing.all()) > 0
}

func anyOutgoing(ns *Namespace) *list[func(*Socket, *Prepared)] { return &ns.handlers.anyOutgoing }

// own returns what belongs to a socket, and is made when it is asked for first.
func own[T any](s *Socket, of *atomic.Pointer[T], make func(*Socket) *T) *T {
	if v := of.Load(); v != nil {
		return v
	}
	of.CompareAndSwap(nil, make(s))
	return of.Load()
}

// outgoing tells who wants to know what is sent.
func (s *Socket) outgoing(p *Prepared) {
	if !s.observed() {
		return
	}
	p.keep() // by whoever is told
	for _, w := range s.watchers() {
		w.Sent(s, p)
	}
	for h := range inherited(s.ns, anyOutgoing) {
		h(s, p)
	}
	for _, h := range s.anyOutgoing.all() {
		h(p)
	}
}

// Broadcast returns all other sockets of the namespace.
func (s *Socket) Broadcast() Audience {
	others := s.ns.Except(s.id)
	others.origin = s
	return others
}

// To returns the other sockets of the namespace that are in one of rooms.
func (s *Socket) To(rooms ...string) Audience { return s.Broadcast().To(rooms...) }

// In is another name of To.
func (s *Socket) In(rooms ...string) Audience { return s.To(rooms...) }

// Except returns the other sockets of the namespace that are in none of rooms.
func (s *Socket) Except(rooms ...string) Audience { return s.Broadcast().Except(rooms...) }

// Disconnect makes the client leave the namespace; with closeConn its whole connection is closed. What was emitted before is
// still sent, events of the client that wait are not handled any more. It never waits.
func (s *Socket) Disconnect(closeConn bool) {
	if closeConn {
		s.conn.disconnect()
		return
	}
	s.leave()
}

// leave tells the client that it is out, and ends the socket.
func (s *Socket) leave() {
	bye := s.conn.codec.control(packet.Packet{Type: packet.Disconnect, Namespace: s.ns.name, ID: packet.NoID})
	if s.conn.enqueue(s, bye, control) != nil {
		return
	}
	s.end(reasonServerDisconnect, true) // before the client hears of it: it may be fast to close
	s.conn.session.Wake()
}

// DisconnectError is why a socket's context has ended.
type DisconnectError struct {
	Reason string // in the words of Node's server
	Err    error  // more about it, if the connection has ended: what the transport said, what the client did
}

func (e *DisconnectError) Error() string {
	if e.Err == nil {
		return "sio: " + e.Reason
	}
	return "sio: " + e.Reason + ": " + e.Err.Error()
}

// Unwrap returns net.ErrClosed and Err.
func (e *DisconnectError) Unwrap() []error { return []error{net.ErrClosed, e.Err} }

// end ends the socket, unless it has ended. With drop, events that wait are forgotten.
func (s *Socket) end(reason string, drop bool) { s.endFor(&DisconnectError{Reason: reason}, drop) }

func (s *Socket) endFor(why *DisconnectError, drop bool) {
	c := s.conn
	c.server.begin() // Shutdown waits for the farewell, too
	defer c.server.end()
	was, waiting, away := s.part(why.Reason, drop)
	if was == ended {
		return
	}
	if away == nil {
		c.server.leave(s.ns)
	}
	if was == connected {
		c.server.counters.ended(why.Reason)
	}
	s.life.end(why)
	for _, a := range waiting {
		a.gone()
	}
	if was == connected {
		c.farewell(s, why.Reason, away)
	}
}

// part takes s out of its connection and its rooms, and returns where it stood, and who waits for acks of it. What is kept
// of it, if anything is, misses what is sent from then on.
func (s *Socket) part(reason string, drop bool) (was state, waiting []answerer, away *absence) {
	if s.pid != "" {
		s.ns.log.mu.Lock()
		defer s.ns.log.mu.Unlock()
	}
	c := s.conn
	c.mu.Lock()
	if was = s.state; was == ended {
		c.mu.Unlock()
		return was, nil, nil
	}
	s.state = ended
	s.source = nil
	c.listSource(s)
	c.forget(s)
	if drop {
		c.dropEvents(s)
	}
	waiting = s.takeAcks()
	back := s.absence
	c.mu.Unlock()
	s.ns.rooms.remove(s, reason)
	if s.pid != "" {
		s.ns.log.exit(s)
	}
	return was, waiting, s.goAway(was, back, reason)
}

package sio

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"sluice/sio/engine"
	"sluice/sio/packet"
)

// conn is one client's connection: the Receiver of an engine's session, shared by the client's sockets.
type conn struct {
	// Set once.
	server  *Server
	session *engine.Session

	codec codec // set by the first message, before there is a socket

	in decoder // owned by Receive

	turn int // owned by Next: which source is asked first

	held atomic.Pointer[burst] // what holds something back for the client; nil if nothing does

	mu sync.Mutex
	// Guarded by mu.
	changed  signal               // of the fields below that somebody may wait for
	sockets  few[string, *Socket] // by namespace: those that join or have joined
	timeout  *time.Timer          // for joining a first namespace; nil when that is done
	left     map[string]bool      // namespaces that were left
	accepted bool                 // a namespace was joined
	seating  int                  // sockets that are welcome and not in rooms yet: nothing is sent meanwhile
	draining bool                 // nothing is handled, queued or pulled any more
	control  queue                // what goes out first
	sources  []*Socket            // sockets that have a Source; never changed in place
	pending  int                  // what the client sent and was not handled yet, in bytes
	awaiting int                  // acks that somebody waits for
	asking   int                  // of them, those that were asked of this client alone
}

func newConn(srv *Server, s *engine.Session) *conn {
	c := &conn{server: srv, session: s}
	c.in.conn = c
	c.timeout = time.AfterFunc(srv.connectTimeout(), func() { s.Close(errConnectTimeout) })
	return c
}

// stopTimeout is for when the client has joined a namespace, or will not.
func (c *conn) stopTimeout() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timeout != nil {
		c.timeout.Stop()
		c.timeout = nil
	}
}

// greet has a client join that does not ask to.
func (c *conn) greet() {
	if c.old() {
		ns, _ := c.server.enter("/", nil)
		c.admit(ns, nil)
	}
}

// Receive takes a message of the client.
func (c *conn) Receive(m engine.Message) error {
	c.mu.Lock()
	draining := c.draining
	c.mu.Unlock()
	if draining {
		return discard(m)
	}
	err := c.take(m)
	if err == nil {
		return nil
	}
	c.in.abandon()
	if err == errPanicked {
		return err
	}
	var read readError
	if errors.As(err, &read) || c.over() {
		return err
	}
	return c.refuse(asViolation(err), m)
}

// take decodes m. What an application is asked or told meanwhile, as by OfFunc, may panic: that ends the connection, and nothing else.
func (c *conn) take(m engine.Message) error {
	err := errPanicked
	c.server.contain("what is called while a message is read", func() { err = c.in.receive(m) })
	return err
}

// settleCodec decides by the client's first message how it speaks, and is spoken to.
func (c *conn) settleCodec(first engine.Message) {
	if first.Body != nil && !c.old() {
		c.codec = codecMsgpack
	}
}

// hasJoined reports whether the client has joined a namespace.
func (c *conn) hasJoined() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.accepted
}

// Expecting reports whether a packet's attachments are still to come. See engine.Expecter.
func (c *conn) Expecting() bool { return c.in.waits.Load() }

// Upgraded tells who watches. See engine.Upgrader.
func (c *conn) Upgraded() {
	watchers := c.server.watchers.all()
	if len(watchers) == 0 {
		return
	}
	for _, s := range c.all() {
		for _, w := range watchers {
			w.Upgraded(s)
		}
	}
}

// over reports whether the session has begun to end.
func (c *conn) over() bool {
	select {
	case <-c.session.Done():
		return true
	default:
		return false
	}
}

// drain lets what is queued be sent, and then ends the session with err.
func (c *conn) drain(err error) {
	c.finish()
	c.session.Drain(err)
}

// shut ends the connection because the server shuts down, when what waits has been sent. A client that polls, and for which
// nothing waits, is told when it polls again, if it does soon: it may never come again.
func (c *conn) shut() {
	polling := c.session.Transport() == "polling"
	c.finish() // what is held back waits from now on, too
	c.mu.Lock()
	idle := c.control.waiting() == 0 // what sources have is not pulled any more
	c.mu.Unlock()
	c.drain(engine.ErrServerShutdown)
	if polling && idle {
		time.AfterFunc(pollSoon, func() { c.session.Close(engine.ErrServerShutdown) })
	}
}

// finish lets nothing new be handled, queued or pulled.
func (c *conn) finish() {
	c.sendHeld()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	c.changed.broadcast()
}

// disconnect makes the client leave all its namespaces and closes the connection.
func (c *conn) disconnect() {
	for _, s := range c.all() {
		if s.Connected() {
			s.leave()
		} else {
			s.end(reasonServerDisconnect, true)
		}
	}
	c.drain(errDisconnected)
}

// all returns the sockets that join or have joined.
func (c *conn) all() []*Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	sockets := make([]*Socket, 0, c.sockets.len())
	for _, s := range c.sockets.all() {
		sockets = append(sockets, s)
	}
	return sockets
}

// Closed ends the client's sockets; events that have come are still handled.
func (c *conn) Closed(err error) {
	c.stopTimeout()
	c.in.abandon()
	c.server.forget(c)
	why := &DisconnectError{Reason: reason(err, c.session.Transport()), Err: err}
	for _, s := range c.all() {
		s.endFor(why, false)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	c.control = queue{}
	c.changed.broadcast()
}

// enter returns the namespace that the client wants to join.
func (c *conn) enter(name string, auth []byte) (*Namespace, *Error) {
	c.mu.Lock()
	joined := c.sockets.len()
	c.mu.Unlock()
	if joined >= c.server.maxNamespaces() {
		return nil, &Error{Message: "Too many namespaces"}
	}
	return c.server.enter(name, auth)
}

// admit makes a socket of a client that wants to join a namespace; its worker asks the middleware.
func (c *conn) admit(ns *Namespace, auth []byte) {
	s := newSocket(c, ns, auth)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sockets.put(ns.name, s)
	delete(c.left, ns.name)
	c.pending += joinCost
	c.work(s)
}

// accept lets s take part, unless the client has gone meanwhile.
func (c *conn) accept(s *Socket) bool {
	if !c.seat(s) {
		return false
	}
	c.stopTimeout()
	c.server.counters.sockets.Add(1)
	c.server.counters.connects.Add(1)
	if s.recovered {
		c.server.counters.recovered.Add(1)
	}
	c.session.Wake()
	return true
}

// seat answers the client, and puts s where events reach it, after those that it missed.
func (c *conn) seat(s *Socket) bool {
	var missed []keptEvent
	if s.pid != "" {
		s.ns.log.mu.Lock()
		defer s.ns.log.mu.Unlock()
	}
	c.mu.Lock()
	back := s.absence
	if s.state != joining || c.draining {
		c.mu.Unlock()
		return false
	}
	if back != nil {
		var ok bool
		if missed, ok = s.ns.log.since(back); !ok {
			c.mu.Unlock()
			c.session.Close(errOvertaken)
			return false
		}
	}
	s.state, s.absence = connected, nil
	c.accepted = true
	c.seating++
	defer c.seated()
	c.control.put(c.own(c.welcome(s)))
	c.catchUp(s, missed)
	c.mu.Unlock()
	if s.pid != "" {
		s.ns.log.enter(s)
	}
	if back != nil {
		s.joined = back.joined // it is not in rooms yet
	}
	s.ns.rooms.add(s)
	if back != nil {
		s.Join(back.rooms...)
	}
	return true
}

// seated lets the welcome go: who has it may count on being reached.
func (c *conn) seated() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seating--
}

// welcome is the answer to a client that may join.
func (c *conn) welcome(s *Socket) packet.Packet {
	p := packet.Packet{Type: packet.Connect, Namespace: s.ns.name, ID: packet.NoID}
	switch {
	case c.old():
	case s.pid != "":
		p.Data = []byte(`{"sid":"` + s.id + `","pid":"` + s.pid + `"}`)
	default:
		p.Data = []byte(`{"sid":"` + s.id + `"}`)
	}
	return p
}

// reject tells the client why it may not join; data is what its CONNECT_ERROR holds.
func (c *conn) reject(namespace string, data []byte) {
	c.server.counters.refused.Add(1)
	p := packet.Packet{Type: packet.ConnectError, Namespace: namespace, ID: packet.NoID, Data: data}
	c.mu.Lock()
	if !c.draining {
		c.control.put(c.own(p))
	}
	c.mu.Unlock()
	c.session.Wake()
}

// connectError encodes why a client may not join.
func connectError(why *Error) []byte {
	if why.Data != nil {
		if data, err := marshalOne(map[string]any{"message": why.Message, "data": why.Data}); err == nil {
			return data
		}
	}
	data, _ := marshalOne(map[string]any{"message": why.Message})
	return data
}

// marshalOne encodes a value alone. Binary is an error: there is no such thing as a binary CONNECT_ERROR.
func marshalOne(v any) ([]byte, error) {
	data, attachments, err := packet.Marshal(v)
	switch {
	case err != nil:
		return nil, err
	case len(attachments) > 0:
		return nil, errBinaryRefusal
	}
	return data[1 : len(data)-1], nil // the value, not an array of it
}

// forget drops an ended socket. Called with c.mu held.
func (c *conn) forget(s *Socket) {
	if c.sockets.get(s.ns.name) != s {
		return
	}
	c.sockets.remove(s.ns.name)
	if c.left == nil {
		c.left = make(map[string]bool)
	}
	for name := range c.left {
		if len(c.left) < maxLeft {
			break
		}
		delete(c.left, name)
	}
	c.left[s.ns.name] = true
}

// own is a packet of sio's own.
func (c *conn) own(p packet.Packet) message { return message{c.codec.control(p), 1} }

// enqueue puts a packet of s on the queue, behind what was emitted before.
func (c *conn) enqueue(s *Socket, m *engine.Prepared, class class) error {
	c.sendHeld()
	return c.enqueueNow(s, message{m, 1}, class)
}

// enqueueNow puts a message of s on the queue.
func (c *conn) enqueueNow(s *Socket, m message, class class) error {
	err := c.tryEnqueue(s, m, class)
	if err == ErrQueueFull && c.server.CloseSlow {
		c.session.Close(errTooSlow)
	}
	return err
}

func (c *conn) tryEnqueue(s *Socket, m message, class class) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.state != connected || c.draining {
		return net.ErrClosed
	}
	if class == fleeting && c.behind() {
		return errVolatile
	}
	if !c.control.takes(m, class, c.server.maxQueuedBytes(), c.server.maxQueuedPackets()) {
		return ErrQueueFull
	}
	c.control.put(m)
	return nil
}

// crowded reports whether the queue is over its bounds, which acks may do. Called with c.mu held.
func (c *conn) crowded() bool {
	q := &c.control
	return q.load() > c.server.maxQueuedBytes() || q.packets-q.missed > c.server.maxQueuedPackets()
}

// behind reports whether something waits to be sent. What comes of a Source does not count: it may go on for ever, and is
// overtaken. Called with c.mu held.
func (c *conn) behind() bool {
	return c.control.waiting() > 0 || len(c.sources) == 0 && c.session.Behind()
}

// Next returns what is sent next: what was emitted, then what sources have.
func (c *conn) Next(wait bool) (*engine.Prepared, bool) {
	c.mu.Lock()
	if c.seating > 0 && !c.draining {
		c.mu.Unlock()
		return nil, false // accept wakes the session
	}
	if m := c.control.take(); m != nil {
		if !c.crowded() {
			c.changed.broadcast()
		}
		c.mu.Unlock()
		return m, true
	}
	none := len(c.sources) == 0
	c.mu.Unlock()
	switch {
	case none:
		return nil, false
	case c.held.Load() != nil: // was emitted, and goes before what is pulled
		c.sendHeld()
		return c.Next(wait)
	}
	return c.pull(wait)
}

// logger returns the server's logger for s.
func (s *Socket) logger() *slog.Logger {
	return s.conn.server.log().With("sid", s.id, "namespace", s.ns.name)
}

package sio

import (
	"fmt"
	"net"
	"runtime/debug"
	"time"
)

// work sees that what s has to handle is handled, by a goroutine that ends when there is nothing more. Called with c.mu
// held.
func (c *conn) work(s *Socket) {
	if s.working {
		return
	}
	s.working = true
	c.server.begin()
	go func() {
		defer c.server.end()
		over := false
		defer func() {
			if !over { // a handler ended the goroutine with runtime.Goexit
				s.revive()
			}
		}()
		s.run()
		over = true // from here on another one may be at work
	}()
}

// revive starts another worker in place of one that is no more.
func (s *Socket) revive() {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.busy, s.working = false, false
	s.conn.work(s)
}

// run calls the handlers of s, one after another. A panic of one ends the connection, and nothing else.
func (s *Socket) run() {
	for {
		next, cost := s.next()
		if next == nil {
			return
		}
		s.conn.server.guard(s, "handler", next.run)
		if h := s.burst.Load(); h != nil {
			h.settle()
		}
		if r := s.replies.Load(); r != nil {
			r.settle()
		}
		s.conn.settle(cost)
	}
}

// task is what a socket's worker does at once: an event is handled, or something is called.
type task interface{ run() }

type call func()

func (f call) run() { f() }

// next returns what is to be done next, and what that counted for while it waited; nil if there is nothing: then the
// goroutine must end.
func (s *Socket) next() (next task, cost int) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	s.busy = true
	if !s.begun {
		s.begun = true
		return call(s.join), joinCost
	}
	if len(s.queue) > 0 {
		c.pace(s)
	}
	if len(s.queue) > 0 { // they may have been dropped meanwhile
		e := s.queue[0]
		s.queue[0] = nil
		s.queue = s.queue[1:]
		return e, e.cost
	}
	if bye := s.farewell; bye != nil {
		s.farewell = nil
		return call(bye), 0
	}
	s.queue = nil
	s.working, s.busy = false, false
	return nil, 0
}

// pace waits, for a while, until the client has taken what it was sent: a client that asks faster than it reads is slowed
// down. Called with c.mu held, which it gives up while it waits.
func (c *conn) pace(s *Socket) {
	var timeout <-chan time.Time
	for c.crowded() && s.state == connected && !c.draining {
		if timeout == nil {
			timer := time.NewTimer(maxPace)
			defer timer.Stop()
			timeout = timer.C
		}
		changed := c.changed.wait()
		c.mu.Unlock()
		late := false
		select {
		case <-changed:
		case <-s.life.context().Done():
			late = true
		case <-timeout:
			late = true
		}
		c.mu.Lock()
		if late {
			return
		}
	}
}

// settle takes something that has been handled out of the account.
func (c *conn) settle(cost int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending -= cost
	c.changed.broadcast()
}

// dropEvents forgets the events of s that wait. Called with c.mu held.
func (c *conn) dropEvents(s *Socket) {
	for _, e := range s.queue {
		c.pending -= e.cost
		if e.stream != nil {
			e.stream.close()
		}
	}
	s.queue = nil
	c.changed.broadcast()
}

// deliver queues an event for its handler.
func (c *conn) deliver(e *Event) {
	s := e.Socket
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.state != connected || c.draining {
		if e.stream != nil {
			e.stream.close()
		}
		return
	}
	c.server.counters.eventsIn.Add(1)
	c.pending += e.cost
	s.queue = append(s.queue, e)
	c.work(s)
}

// room waits until there is room for another thing to handle: this holds up the client. While somebody waits for an ack it
// does not, for the ack may come next.
func (c *conn) room() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	most := c.server.maxPendingBytes()
	for c.holdsUp(most) {
		changed := c.changed.wait()
		c.mu.Unlock()
		select {
		case <-changed:
		case <-c.session.Done():
			c.mu.Lock()
			return net.ErrClosed
		}
		c.mu.Lock()
	}
	if c.pending >= urgentFactor*most && !c.draining {
		return &LimitError{What: "events that wait for a handler that waits for an ack", Limit: int64(urgentFactor * most)}
	}
	return nil
}

// holdsUp reports whether the client is to be held up, who may have so much pending. While somebody waits for its ack it may
// have more; then one that was asked alone is held to be at fault, but one that was asked with others may not know of it.
func (c *conn) holdsUp(most int) bool {
	switch {
	case c.draining:
		return false
	case c.asking > 0:
		return false
	case c.awaiting > 0:
		return c.pending >= urgentFactor*most
	default:
		return c.pending >= most
	}
}

// answering waits until there is room for a client that joins; it does not, if the client lets the answers lie.
func (c *conn) answering() error {
	c.mu.Lock()
	bytes, most := c.control.load(), c.server.maxUrgentBytes()
	c.mu.Unlock()
	if bytes > most {
		return &LimitError{What: "answers that the client does not read", Limit: int64(most)}
	}
	return c.room()
}

// join asks the middleware about s and, if it has nothing against it, lets it take part.
func (s *Socket) join() {
	<-s.ns.ready
	if !s.resume() || !s.screen() {
		return
	}
	if !s.ns.greets() {
		s.greet() // so that from the first event on it is known that nobody wants it
	}
	if !s.conn.accept(s) {
		return
	}
	defer s.greet()
	for h := range inherited(s.ns, func(ns *Namespace) *list[func(*Socket)] { return &ns.handlers.connected }) {
		h(s)
	}
}

// screen asks the middleware, and reports whether it has nothing against s.
func (s *Socket) screen() bool {
	if s.recovered && !s.ns.server.Recovery.RunMiddleware {
		return true
	}
	for m := range inherited(s.ns, func(ns *Namespace) *list[func(*Socket) error] { return &ns.handlers.middleware }) {
		err := m(s)
		if err == nil {
			continue
		}
		why, meant := public(err)
		if !meant {
			s.logger().Error("sio: middleware failed", "err", err)
		}
		s.end(reasonServerDisconnect, true)
		s.conn.reject(s.ns.name, s.conn.refusal(why))
		return false
	}
	return true
}

// greet notes that OnConnect's handlers have returned: those that they set are known.
func (s *Socket) greet() {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.greeted = true
}

// heeds reports whether the socket has a handler of its own for event, or may still get one.
func (s *Socket) heeds(event string) bool {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return !s.greeted || s.events[event] != nil || len(s.any.all())+len(s.perEvent.all()) > 0
}

func (e *Event) run() {
	if e.lease != nil {
		defer e.lease.end()
	}
	if e.stream != nil {
		defer e.stream.close()
	}
	s := e.Socket
	for h := range inherited(s.ns, func(ns *Namespace) *list[func(*Event)] { return &ns.handlers.any }) {
		h(e)
	}
	for _, h := range s.any.all() {
		h(e)
	}
	if err := e.admit(); err != nil {
		e.refuse(err)
		return
	}
	if h := e.handler(); h != nil {
		h(e)
	}
}

// admit asks the middleware.
func (e *Event) admit() error {
	for m := range inherited(e.Socket.ns, func(ns *Namespace) *list[func(*Event) error] { return &ns.handlers.perEvent }) {
		if err := m(e); err != nil {
			return err
		}
	}
	for _, m := range e.Socket.perEvent.all() {
		if err := m(e); err != nil {
			return err
		}
	}
	return nil
}

// refuse tells that the middleware said no.
func (e *Event) refuse(err error) {
	if h := inheritedOne(e.Socket.ns, func(ns *Namespace) *slot[func(*Event, error)] { return &ns.handlers.refused }); h != nil {
		h(e, err)
		return
	}
	e.Socket.logger().Info("sio: event refused", "event", e.Name, "err", err)
}

// handler returns the socket's own handler, else what was found when the event came.
func (e *Event) handler() func(*Event) {
	s := e.Socket
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if h := s.events[e.Name]; h != nil && e.stream == nil {
		return h
	}
	return e.call
}

// farewell has OnDisconnect's handlers called, after the events that wait. away is told when that is done.
func (c *conn) farewell(s *Socket, reason string, away *absence) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.farewell = func() {
		defer away.settle(s)
		s.bye(reason)
	}
	c.work(s)
}

// bye calls OnDisconnect's handlers.
func (s *Socket) bye(reason string) {
	for _, h := range s.disconnected.all() {
		s.conn.server.guard(s, "OnDisconnect", func() { h(reason) })
	}
	for h := range inherited(s.ns, func(ns *Namespace) *list[func(*Socket, string)] { return &ns.handlers.disconnected }) {
		s.conn.server.guard(s, "OnDisconnect", func() { h(s, reason) })
	}
}

// guard calls f. When it panics, that is logged and the connection of s is closed.
func (srv *Server) guard(s *Socket, what string, f func()) {
	srv.catch(f, func(v any, stack []byte) {
		s.logger().Error("sio: panic in "+what, "err", fmt.Sprint(v), "stack", string(stack))
		s.conn.session.Close(errPanicked)
	})
}

// contain calls f. When it panics, that is logged.
func (srv *Server) contain(what string, f func()) {
	srv.catch(f, func(v any, stack []byte) {
		srv.log().Error("sio: panic in "+what, "err", fmt.Sprint(v), "stack", string(stack))
	})
}

// catch calls f, and caught when it panics.
func (srv *Server) catch(f func(), caught func(v any, stack []byte)) {
	returned := false
	defer func() {
		if returned {
			return
		}
		v := recover()
		if v == nil {
			v = "runtime.Goexit"
		}
		srv.counters.panics.Add(1)
		caught(v, debug.Stack())
	}()
	f()
	returned = true
}

package sio

import "sluice/sio/engine"

// Source is where a socket's further events are pulled from, when its client's transport can take them: what does not fit a
// bounded queue. What was emitted always goes first; the Sources of a connection's sockets take turns.
type Source interface {
	// Next returns the next event to send, and whether there may be more after it. It is called by one goroutine at a time.
	// With wait false it must not block: (nil, true) says that there is more which must be waited for, and Next is called
	// again with wait true, on a goroutine that may wait. (nil, false) is the end until Socket.Wake, which Next must not call.
	Next(wait bool) (p *Prepared, more bool)
}

// SetSource makes src what the socket's events are pulled from, in place of an earlier one. It is asked for the first time
// after Wake. nil is none.
func (s *Socket) SetSource(src Source) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.state == ended {
		return
	}
	s.source = src
	c.listSource(s)
}

// Wake says that the socket's Source has something. It never waits, and sends at once what the transport takes without waiting;
// then it calls Source.Next, on the caller's goroutine.
func (s *Socket) Wake() {
	s.ready.Store(true)
	s.conn.session.Wake()
}

// listSource keeps c.sources the list of sockets that have one. Called with c.mu held.
func (c *conn) listSource(s *Socket) {
	for i, other := range c.sources {
		if other == s {
			if s.source == nil {
				c.sources = append(c.sources[:i:i], c.sources[i+1:]...)
			}
			return
		}
	}
	if s.source != nil {
		c.sources = append(c.sources[:len(c.sources):len(c.sources)], s) // pull may be reading the old list
	}
}

// pull asks the sources in turn, beginning after the one that gave last.
func (c *conn) pull(wait bool) (*engine.Prepared, bool) {
	c.mu.Lock()
	sources, turn := c.sources, c.turn
	if c.draining {
		sources = nil
	}
	c.mu.Unlock()
	later := false
	for i := range sources {
		turn := (turn + i) % len(sources)
		p, more := c.ask(sources[turn], false)
		if p != nil {
			c.turn = turn + 1
			return p, true
		}
		later = later || more
	}
	if !later || !wait {
		return nil, later
	}
	for i := range sources {
		turn := (turn + i) % len(sources)
		if p, _ := c.ask(sources[turn], true); p != nil {
			c.turn = turn + 1
			return p, true
		}
	}
	return nil, c.anyReady(sources)
}

// ask calls the Source of s, if it has said that there is something.
func (c *conn) ask(s *Socket, wait bool) (p *engine.Prepared, more bool) {
	if !s.ready.Load() {
		return nil, false
	}
	c.mu.Lock()
	src := s.source
	c.mu.Unlock()
	if src == nil {
		return nil, false
	}
	s.ready.Store(false) // before asking: a Wake from now on counts
	defer func() {
		if more {
			s.ready.Store(true)
		}
	}()
	c.server.guard(s, "source", func() { p, more = s.fetch(src, wait) })
	return p, more
}

// fetch returns the source's next event that can be sent.
func (s *Socket) fetch(src Source, wait bool) (*engine.Prepared, bool) {
	for {
		event, more := src.Next(wait)
		switch {
		case event == nil:
			return nil, more
		case event.err == nil:
			s.conn.server.counters.emitted(nil)
			s.outgoing(event)
			m := event.as(s.variant(false))
			m.Retain()     // for the session, which releases it
			return m, true // whatever it says, it is asked once more
		}
		s.logger().Error("sio: a source's event cannot be sent", "err", event.err)
		if !more {
			return nil, false
		}
	}
}

func (c *conn) anyReady(sources []*Socket) bool {
	for _, s := range sources {
		if s.ready.Load() {
			return true
		}
	}
	return false
}

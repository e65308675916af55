package sio

import (
	"slices"
	"sync"
	"time"

	"sluice/sio/engine"
)

const (
	// burstBytes is how much goes out together at most.
	burstBytes = 512 << 10
	// burstShare is how much of what a queue takes a burst is at most, as a divisor: what is sent by itself finds an empty queue with
	// every client that takes what it is sent.
	burstShare = 4
	// burstTime is how long it may be held back by a handler that does not return.
	burstTime = 5 * time.Millisecond
)

// burst is what a client's handlers have broadcast to the same sockets, and what is not on their queues yet. When events come
// faster than each could be sent to everybody by itself, those that have come together go out together: found, queued and
// written once.
//
// Nobody can tell. Who gets an event is settled when it is emitted, and whatever else is queued for one of them comes after it:
// conn.enqueue sees to that, and no two bursts hold something for the same connection. It is held back while its client's next event
// waits to be handled, and never longer than burstTime.
type burst struct {
	origin *Socket // set once

	mu sync.Mutex
	// Guarded by mu.
	to      Selection
	plain   bool
	changes uint64    // of the rooms, when the sockets were found
	sockets []*Socket // who gets it
	events  []*Prepared
	bytes   int
	late    *time.Timer // calls flush; nil before the first
}

func newBurst(origin *Socket) *burst { return &burst{origin: origin} }

// sendHeld sends what is held back for the client, if anything is.
func (c *conn) sendHeld() {
	if h := c.held.Load(); h != nil {
		h.flush()
	}
}

// pressed reports whether the client's next event waits already, so that what is broadcast now may wait for it.
func (s *Socket) pressed() bool {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return s.busy && len(s.queue) > 0
}

// hold takes b, which is of the origin, to be sent with what comes next. It reports whether it did: else b is to be sent now, and
// what came before it has been.
func (h *burst) hold(b Broadcast) bool {
	pressed := h.origin.pressed()
	if h.join(b) {
		if !pressed {
			h.flush()
		}
		return true
	}
	h.flush()
	return pressed && h.begin(b)
}

// join adds b to what goes to the same sockets.
func (h *burst) join(b Broadcast) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) == 0 || !h.fits(b.Event) || h.changes != h.origin.ns.rooms.changes.Load() || h.plain != b.Plain || !h.to.equal(b.Selection) {
		return false
	}
	h.put(b.Event)
	return true
}

// begin makes b the first event, unless it is too large, its sockets change meanwhile or somebody else was faster.
func (h *burst) begin(b Broadcast) bool {
	rooms := &h.origin.ns.rooms
	changes := rooms.changes.Load()
	sockets := rooms.find(b.Selection)
	for _, s := range sockets {
		s.conn.sendHeld() // what other clients' handlers have broadcast comes first
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) > 0 || len(sockets) == 0 || !h.fits(b.Event) || changes != rooms.changes.Load() || !h.claim(sockets) {
		return false
	}
	h.to, h.plain, h.changes, h.sockets = b.Selection, b.Plain, changes, sockets
	h.put(b.Event)
	if h.late == nil {
		h.late = time.AfterFunc(burstTime, h.flush)
	} else {
		h.late.Reset(burstTime)
	}
	return true
}

// claim makes h what holds something for the sockets, unless another burst does for one of them. Called with mu held.
func (h *burst) claim(sockets []*Socket) bool {
	for i, s := range sockets {
		if !s.conn.held.CompareAndSwap(nil, h) && s.conn.held.Load() != h {
			h.disclaim(sockets[:i])
			return false
		}
	}
	return true
}

func (h *burst) disclaim(sockets []*Socket) {
	for _, s := range sockets {
		s.conn.held.CompareAndSwap(h, nil)
	}
}

// fits reports whether there is room for p. Called with mu held.
func (h *burst) fits(p *Prepared) bool {
	srv := h.origin.ns.server
	return h.bytes+burstCost(p) <= min(burstBytes, srv.maxQueuedBytes()/burstShare) && len(h.events) < srv.maxQueuedPackets()/burstShare
}

func (h *burst) put(p *Prepared) {
	p.retain()
	h.events = append(h.events, p)
	h.bytes += burstCost(p)
}

// burstCost is what p counts for.
func burstCost(p *Prepared) int { return p.Size() + messageOverhead }

// settle is called when a handler has returned.
func (h *burst) settle() {
	if !h.origin.pressed() {
		h.flush()
	}
}

// flush sends what is held back. What those do who are told of it is the origin's fault, as if they had been told at once.
func (h *burst) flush() {
	sockets, seen := h.queue()
	defer func() { // even if one of them ends the goroutine
		for _, s := range sockets {
			s.conn.session.Wake()
		}
	}()
	for _, o := range seen {
		h.origin.ns.server.guard(h.origin, "OnAnyOutgoing", func() { o.socket.outgoing(o.event) })
	}
}

// queue puts what is held back on the queues of the sockets. It returns these, and what somebody wants to know of.
func (h *burst) queue() ([]*Socket, []observation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) == 0 {
		return nil, nil
	}
	h.late.Stop()
	sockets, run := h.sockets, run{events: h.events, plain: h.plain}
	for _, s := range sockets {
		run.send(s)
	}
	run.end()
	h.disclaim(sockets) // not before: what is emitted next would overtake it
	h.to, h.sockets, h.events, h.bytes = Selection{}, nil, nil, 0
	return sockets, run.seen
}

// run is a run of events that is sent to many.
type run struct {
	events []*Prepared
	plain  bool
	joined [codecs]*engine.Prepared // the events as one message, by codec; nil before the first that it is for
	seen   []observation
}

// observation is something that was sent to a socket of which somebody wants to know that.
type observation struct {
	socket *Socket
	event  *Prepared
}

// send puts the events on the queue of s: all at once, or if they do not fit as many as do.
func (r *run) send(s *Socket) {
	v := s.variant(r.plain)
	if r.joined[v.codec] == nil {
		r.joined[v.codec] = r.join(v)
	}
	if s.conn.tryEnqueue(s, message{r.joined[v.codec], len(r.events)}, ordinary) == nil {
		r.sent(s, r.events...)
		return
	}
	for _, p := range r.events {
		if err := s.conn.enqueueNow(s, message{p.as(v), 1}, ordinary); err != nil {
			s.conn.server.counters.emitted(err)
			continue
		}
		r.sent(s, p)
	}
}

func (r *run) sent(s *Socket, events ...*Prepared) {
	s.conn.server.counters.eventsOut.Add(uint64(len(events)))
	if !s.observed() {
		return
	}
	for _, p := range events {
		p.keep() // it is told of later
		r.seen = append(r.seen, observation{s, p})
	}
}

// end is for when the events are on all queues.
func (r *run) end() {
	for _, m := range r.joined {
		if m != nil {
			m.Release()
		}
	}
	for _, p := range r.events {
		p.release()
	}
}

func (r *run) join(v variant) *engine.Prepared {
	parts := make([]*engine.Prepared, len(r.events))
	for i, p := range r.events {
		parts[i] = p.as(v)
	}
	return engine.Join(parts...)
}

// equal reports whether both mean the same sockets, said in the same way.
func (a Selection) equal(b Selection) bool {
	return a.Local == b.Local && slices.Equal(a.Rooms, b.Rooms) && slices.Equal(a.Except, b.Except)
}

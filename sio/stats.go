package sio

import (
	"maps"
	"sync"
	"sync/atomic"

	"sluice/sio/engine"
)

// Stats is a snapshot of what a server has done.
type Stats struct {
	Engine engine.Stats // the connections beneath

	Sockets  int64 // open now, of all namespaces
	HalfSent int64 // bytes kept of events whose attachments have not all arrived

	Connects  uint64 // sockets since the start
	Recovered uint64 // of them, those of clients that came back
	Refused   uint64 // of clients that asked for a namespace, those that did not get it
	EventsIn  uint64 // events from clients
	EventsOut uint64 // events put on queues; one for every recipient
	Dropped   uint64 // events not sent because a client's queue was full
	Volatile  uint64 // volatile events not sent because something else waited to be
	Invalid   uint64 // connections closed because of what the client sent
	Panics    uint64 // of handlers

	Disconnects map[string]uint64 // sockets that have ended, by reason
}

type counters struct {
	sockets                                atomic.Int64
	connects, refused, eventsIn, eventsOut atomic.Uint64
	recovered                              atomic.Uint64
	dropped, volatile, invalid, panics     atomic.Uint64

	mu          sync.Mutex
	disconnects map[string]uint64 // guarded by mu
}

// ended counts the end of a socket that had joined.
func (c *counters) ended(reason string) {
	c.sockets.Add(-1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.disconnects == nil {
		c.disconnects = make(map[string]uint64)
	}
	c.disconnects[reason]++
}

// emitted counts an event that was put on a queue, or not for err.
func (c *counters) emitted(err error) {
	switch err {
	case nil:
		c.eventsOut.Add(1)
	case ErrQueueFull:
		c.dropped.Add(1)
	case errVolatile:
		c.volatile.Add(1)
	}
}

// Stats returns a snapshot of the counters.
func (srv *Server) Stats() Stats {
	srv.setUp()
	c := &srv.counters
	c.mu.Lock()
	disconnects := maps.Clone(c.disconnects)
	c.mu.Unlock()
	return Stats{
		Engine:    srv.engine.Stats(),
		Sockets:   c.sockets.Load(),
		HalfSent:  srv.halfSent.Load(),
		Connects:  c.connects.Load(),
		Recovered: c.recovered.Load(),
		Refused:   c.refused.Load(),
		EventsIn:  c.eventsIn.Load(),
		EventsOut: c.eventsOut.Load(),
		Dropped:   c.dropped.Load(),
		Volatile:  c.volatile.Load(),
		Invalid:   c.invalid.Load(),
		Panics:    c.panics.Load(),

		Disconnects: disconnects,
	}
}

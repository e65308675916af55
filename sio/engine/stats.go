package engine

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// maxKeys bounds the messages by which refusals are counted: the application's may hold what a client sent.
	maxKeys   = 100
	otherKeys = "others"
)

// Stats is a snapshot of what a server has done.
type Stats struct {
	Polling      int // sessions open on polling
	WebSocket    int // sessions open on WebSocket
	WebTransport int // sessions open on WebTransport

	Opened   uint64 // sessions since the start
	Upgraded uint64 // of them, moved from polling to another transport
	BytesIn  uint64 // of messages, as they arrived on the wire
	BytesOut uint64 // of messages, as they left on the wire

	MessagesIn  uint64 // from clients
	MessagesOut uint64 // handed to transports

	Closed  map[string]uint64 // sessions ended, by reason
	Refused map[string]uint64 // requests refused, by message; "others" are those beyond the first so many messages
}

// Sessions returns the number of open sessions.
func (s Stats) Sessions() int { return s.Polling + s.WebSocket + s.WebTransport }

// counters are what Stats tells of the past.
type counters struct {
	opened, upgraded, bytesIn, bytesOut atomic.Uint64
	messagesIn, messagesOut             atomic.Uint64

	mu       sync.Mutex
	closings map[string]uint64 // guarded by mu
	refusals map[string]uint64 // guarded by mu
}

func (c *counters) sent(n int) { c.bytesOut.Add(uint64(n)) }

// ended counts a session's end, by reason.
func (c *counters) ended(reason string) { c.count(&c.closings, reason) }

// refused counts a refused request, by what it was told.
func (c *counters) refused(message string) { c.count(&c.refusals, message) }

func (c *counters) count(m *map[string]uint64, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if *m == nil {
		*m = make(map[string]uint64)
	}
	if _, known := (*m)[key]; !known && len(*m) >= maxKeys {
		key = otherKeys
	}
	(*m)[key]++
}

// Stats returns what the server has done so far.
func (srv *Server) Stats() Stats {
	c := &srv.counters
	c.mu.Lock()
	closed, refused := maps.Clone(c.closings), maps.Clone(c.refusals)
	c.mu.Unlock()
	st := Stats{
		Opened: c.opened.Load(), Upgraded: c.upgraded.Load(), BytesIn: c.bytesIn.Load(), BytesOut: c.bytesOut.Load(),
		MessagesIn: c.messagesIn.Load(), MessagesOut: c.messagesOut.Load(),
		Closed: closed, Refused: refused,
	}
	srv.mu.Lock()
	sessions := slices.Collect(maps.Values(srv.sessions))
	srv.mu.Unlock()
	for _, s := range sessions {
		switch s.Transport() {
		case transportWebSocket:
			st.WebSocket++
		case transportWebTransport:
			st.WebTransport++
		default:
			st.Polling++
		}
	}
	return st
}

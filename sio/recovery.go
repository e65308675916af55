package sio

import (
	"cmp"
	"encoding/json"
	"errors"
	"net"
	"slices"
	"time"
)

// Recovery lets a client whose connection broke take up its socket where it was, as Node's connection state recovery does: with
// the same id, rooms and Data, and with the events that it missed, in order and with their attachments. Its socket is another
// value, whose Recovered is true; OnDisconnect's and OnConnect's handlers are called for both. Where the server has not noticed yet
// that the old connection is of no use, that ends then; with Node's server the client is a stranger.
//
// For that, every event that is neither volatile nor to be acknowledged is kept for a while, in memory, and is sent with one more
// argument, a string, which tells the client where it is. Clients do not take it off. What a Source yields is not kept. A client
// that the bounds have left too far behind gets a fresh socket; and so do those of Socket.IO 2.
//
// An event for a socket whose client may come back is kept, too: Emit then returns nil.
type Recovery struct {
	MaxDisconnection time.Duration // for how long a client may be away; 0 means 2 min
	RunMiddleware    bool          // for sockets that are recovered, too; Node's default is not to

	// Each is for one namespace. What goes over, the oldest first, is forgotten.
	MaxSockets int // of clients that are away; 0 means 10,000
	MaxEvents  int // that are kept; 0 means 65,536
	MaxBytes   int // of those events, and 512 for each; in all their forms they take a few times as much; 0 means 16 MiB
}

func (r *Recovery) maxDisconnection() time.Duration { return cmp.Or(r.MaxDisconnection, 2*time.Minute) }
func (r *Recovery) maxSockets() int                 { return cmp.Or(r.MaxSockets, 10_000) }
func (r *Recovery) maxEvents() int                  { return cmp.Or(r.MaxEvents, 1<<16) }
func (r *Recovery) maxBytes() int                   { return cmp.Or(r.MaxBytes, 16<<20) }

// recoverable are the reasons after which a client may come back; those of Node's server.
var recoverable = []string{
	reasonTransportError, reasonTransportClose, reasonForcedClose, reasonPingTimeout, reasonShutdown, reasonForcedServer,
}

// absence is what is kept of a socket whose client may come back. It keeps its namespace from ending.
type absence struct {
	pid   string // what the client shows when it comes back; a secret
	id    string // of the socket
	rooms []string
	since time.Time

	joined map[string]uint64 // by room: the newest event when it joined

	sent  uint64 // the number of the newest event that was sent to it
	until uint64 // the number of the newest event when it went away
	next  uint64 // once the client is back: of the first event that it may have missed

	handled chan struct{} // closed when all that the client sent before has been handled
	data    *any          // then, what SetData had set
}

// Recovered reports whether the socket is that of a client that came back. See [Recovery].
func (s *Socket) Recovered() bool { return s.recovered }

// recall returns what is kept of the client that says with auth that it was here before, nil if there is nothing.
func (ns *Namespace) recall(auth json.RawMessage) *absence {
	var claim struct{ PID, Offset *string }
	if len(auth) == 0 || json.Unmarshal(auth, &claim) != nil || claim.PID == nil || claim.Offset == nil {
		return nil
	}
	ns.log.oust(*claim.PID)
	return ns.log.take(*claim.PID, *claim.Offset)
}

// recoverFrom lets s take up what is kept of a client, if anything is.
func (s *Socket) recoverFrom(auth json.RawMessage) {
	if s.ns.server.Recovery == nil || s.conn.old() {
		return
	}
	s.absence = s.ns.recall(auth)
	if s.absence == nil {
		s.pid = newID()
		return
	}
	s.id, s.pid, s.recovered = s.absence.id, s.absence.pid, true
}

// resume waits until what the client sent before it went away has been handled. It reports whether s may go on.
func (s *Socket) resume() bool {
	s.conn.mu.Lock()
	back := s.absence
	s.conn.mu.Unlock()
	if back == nil {
		return true
	}
	select {
	case <-back.handled:
		s.data.Store(back.data)
		return true
	case <-s.life.context().Done():
		return false
	}
}

// goAway keeps what is needed for the client of an ended socket to come back, unless the reason of its end speaks against it. was
// is where s stood; back is what it was to take up, and did not. Called with ns.log.mu held.
func (s *Socket) goAway(was state, back *absence, reason string) *absence {
	if s.pid == "" || s.ns.log.over || !slices.Contains(recoverable, reason) {
		return nil
	}
	if was == connected && (s.sent > 0 || s.recovered) { // else it has no offset to come back with
		rooms, joined := s.ns.rooms.history(s)
		back = &absence{
			pid: s.pid, id: s.id, rooms: rooms, joined: joined, since: time.Now(),
			sent: s.sent, until: s.ns.log.newest, handled: make(chan struct{}),
		}
	}
	if back != nil {
		s.ns.log.keep(back)
	}
	return back
}

// settle says that all that the client of s sent has been handled. a may be nil.
func (a *absence) settle(s *Socket) {
	if a != nil {
		a.data = s.data.Load()
		close(a.handled)
	}
}

// errOvertaken is why a connection ends whose client waited so long to be let in again that what it missed has been forgotten.
var errOvertaken = errors.New("sio: what the client missed has been forgotten")

// catchUp queues what s missed: it may go over the queue's limit, being kept anyway. Called with c.mu and s.ns.log.mu held.
func (c *conn) catchUp(s *Socket, missed []keptEvent) {
	for _, e := range missed {
		c.control.putMissed(message{e.event.as(s.variant(e.plain)), 1})
		c.server.counters.emitted(nil)
		s.sent = e.number
	}
}

// keeps reports whether what is sent so is kept.
func (ns *Namespace) keeps(f Flags) bool { return ns.server.Recovery != nil && !f.Volatile }

// broadcast sends b and keeps it.
func (l *backlog) broadcast(b Broadcast) {
	l.mu.Lock()
	e := l.number(b)
	l.add(e)
	took := slices.DeleteFunc(l.ns.rooms.find(b.Selection), func(s *Socket) bool { return s.take(e, b) != nil })
	l.given.Store(e.number)
	l.mu.Unlock()
	for _, s := range took {
		s.outgoing(b.Event)
		s.conn.session.Wake()
	}
}

// send sends b to s alone and keeps it.
func (l *backlog) send(s *Socket, b Broadcast) error {
	l.mu.Lock()
	e := l.number(b)
	e.alone = s.id
	err := s.take(e, b)
	comes := err == net.ErrClosed && l.absences[s.pid] != nil
	if err == nil || comes {
		l.add(e)
		l.given.Store(e.number)
	}
	l.mu.Unlock()
	if comes {
		return nil
	}
	if err == nil {
		s.outgoing(b.Event)
		s.conn.session.Wake()
	}
	return err
}

// take puts e, which is b with its number, on the connection's queue. Called with ns.log.mu held.
func (s *Socket) take(e keptEvent, b Broadcast) error {
	event := e.event
	if s.pid == "" { // an old client
		event = b.Event
	}
	err := s.conn.enqueue(s, event.as(s.variant(b.Plain)), ordinary)
	s.conn.server.counters.emitted(err)
	if err == nil {
		s.sent = e.number
	}
	return err
}

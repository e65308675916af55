package sockets

import (
	"slices"
	"sync"
	"sync/atomic"

	"sluice/chunker"
	"sluice/relay"
	"sluice/sio"
)

// quantum is how many bytes one stream may send before the next of its class has its turn.
const quantum = chunker.MaxChunkBytes

// client is one socket: what it has joined, what it reads, what it publishes. It is the source its socket pulls from.
type client struct {
	door   *Door
	socket *sio.Socket
	who    relay.Identity
	wg     sync.WaitGroup

	syncing chan struct{} // a place for each chunk that waits for the disk; nil before the first, as is paced
	paced   *pace         // used by the handlers of what is published, of which one runs at a time

	newsMu sync.Mutex // never held while waiting: publishers take it
	news   []news     // guarded by newsMu
	lost   bool       // guarded by newsMu: there was more news than is kept

	missed atomic.Bool // there is something to pull once mu is free

	mu      sync.Mutex       // taken by lock and Next
	closed  bool             // guarded by mu, as is all below
	rooms   map[string]*room // joined; nil before the first, as are all maps here: thousands of clients may do nothing
	subs    map[string]*subscription
	live    turns
	files   turns
	gave    *relay.Chunk       // pulled last: while it is on its way, others who read the same stream may as well have it
	writers map[string]*writer // publishing
}

// pace is what bounds the rate of what the socket publishes.
func (c *client) pace() *pace {
	if c.paced == nil {
		c.paced = newPace(c, c.door.Limits)
	}
	return c.paced
}

// room is how a socket has joined one.
type room struct {
	from   string
	whole  bool
	accept string
	name   string
}

// news is what the relay has told since the last pull.
type news struct {
	began   *relay.Stream
	deleted *deletedEvent
}

// turns gives the streams of one class their turns.
type turns struct {
	subs []*subscription
	at   int
	sent int // bytes in this turn
}

func (t *turns) add(s *subscription) { t.subs = append(t.subs, s) }

func (t *turns) remove(s *subscription) {
	i := slices.Index(t.subs, s)
	if i < 0 {
		return
	}
	t.subs = slices.Delete(t.subs, i, i+1)
	if i < t.at {
		t.at--
	}
}

// next returns the next packet of whose turn it is.
func (t *turns) next() *sio.Prepared {
	for left := len(t.subs); left > 0; left-- {
		if t.at >= len(t.subs) {
			t.at = 0
		}
		s := t.subs[t.at]
		if p := s.take(); p != nil {
			t.count(s, p.Size())
			return p
		}
		if t.at < len(t.subs) && t.subs[t.at] == s {
			t.at, t.sent = t.at+1, 0
		}
		if len(t.subs) == 0 {
			break
		}
	}
	return nil
}

// count adds what s sends, and passes the turn on when it had its share.
func (t *turns) count(s *subscription, bytes int) {
	t.sent += bytes
	if t.sent >= quantum && t.at < len(t.subs) && t.subs[t.at] == s {
		t.at, t.sent = t.at+1, 0
	}
}

// take is next, keeping account of whether there is more.
func (s *subscription) take() *sio.Prepared {
	if !s.ready.Swap(false) {
		return nil
	}
	p := s.next()
	if p != nil {
		s.ready.Store(true)
	}
	return p
}

// lock takes the client for a request. What is emitted meanwhile goes out, nothing is pulled.
func (c *client) lock() { c.mu.Lock() }

// unlock lets go, and has the socket pull what it could not, or there was not, before.
func (c *client) unlock() {
	c.mu.Unlock()
	if c.missed.Swap(false) {
		c.socket.Wake()
	}
}

// Next is pulled by the socket's writer. It never waits, not even for a request that has the client locked: that may be what
// the writer was called by.
func (c *client) Next(bool) (*sio.Prepared, bool) {
	c.missed.Store(true) // before trying, so that who is about to unlock sees it
	if !c.mu.TryLock() {
		return nil, false
	}
	c.missed.Store(false)
	defer c.mu.Unlock()
	if p := c.hear(); p != nil {
		return p, true
	}
	c.gave = nil
	if p := c.live.next(); p != nil {
		return p, true
	}
	p := c.files.next()
	return p, p != nil
}

// hear takes in the news; it returns an event if that is what a piece of news comes to.
func (c *client) hear() *sio.Prepared {
	for {
		n, ok, lost := c.nextNews()
		switch {
		case lost:
			return sio.Prepare(evProblem, problemEvent{Code: relay.TooMany, Event: evStream, Limit: int64(c.door.maxReading()),
				Message: "more began or was deleted than this socket has taken in: join again to be shown what there is"})
		case !ok:
			return nil
		case n.deleted != nil:
			if c.rooms[n.deleted.Room] != nil {
				return sio.Prepare(evDeleted, n.deleted)
			}
		default:
			if r := c.rooms[n.began.Room()]; r != nil && !c.follow(r, n.began, true) {
				return sio.Prepare(evProblem, c.tooMany(n.began))
			}
		}
	}
}

// tooMany says that the socket is not given a stream.
func (c *client) tooMany(st *relay.Stream) problemEvent {
	return problemEvent{Code: relay.TooMany, Event: evStream, Limit: int64(c.door.maxReading()),
		Message: "this socket reads too many streams to be given another: " + st.ID()}
}

// nextNews takes the oldest of the news, if there is any. lost says, once, that what would follow was not kept.
func (c *client) nextNews() (n news, ok, lost bool) {
	c.newsMu.Lock()
	defer c.newsMu.Unlock()
	if len(c.news) == 0 {
		lost, c.lost, c.news = c.lost, false, nil
		return news{}, false, lost
	}
	n, c.news = c.news[0], c.news[1:]
	return n, true, false
}

// tell keeps the news until the socket pulls, which it does not while its client does not read.
func (c *client) tell(n news) {
	c.newsMu.Lock()
	if len(c.news) < c.door.maxReading() {
		c.news = append(c.news, n)
	} else {
		c.lost = true
	}
	c.newsMu.Unlock()
	c.socket.Wake()
}

// Began is called by publishers.
func (c *client) Began(st *relay.Stream) { c.tell(news{began: st}) }

// Deleted is called by who deletes.
func (c *client) Deleted(room, stream string) {
	c.tell(news{deleted: &deletedEvent{Room: room, Stream: stream}})
}

// follow subscribes the socket to a stream of a room it has joined; false if it has too many already. announce: it has just begun.
func (c *client) follow(r *room, st *relay.Stream, announce bool) bool {
	if s := c.subs[st.ID()]; s != nil {
		s.member = true
		return true
	}
	if len(c.subs) >= c.door.maxReading() {
		return false
	}
	s := &subscription{client: c, stream: st, accept: r.accept, member: true, whole: r.whole, announce: announce}
	s.mute = r.from == fromNone || st.Info().From == c.socket.ID()
	from := relay.FromLive
	switch {
	case r.from == fromStart || r.whole:
		from = 0
	case announce:
		from = relay.FromBirth
	}
	s.read(from)
	c.enter(s)
	return true
}

// put is (*m)[key] = v of a map that may not have been made.
func put[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}

func (c *client) enter(s *subscription) {
	put(&c.subs, s.stream.ID(), s)
	if s.stream.Kind() == relay.Live {
		c.live.add(s)
	} else {
		c.files.add(s)
	}
	s.rouse()
}

// rouse has the socket pull once the client is unlocked. The client is locked.
func (s *subscription) rouse() {
	s.ready.Store(true)
	s.client.missed.Store(true)
}

// forget ends a subscription. The client is locked.
func (c *client) forget(s *subscription) {
	s.closed = true
	s.dropReader()
	delete(c.subs, s.stream.ID())
	c.live.remove(s)
	c.files.remove(s)
}

// spawn runs f in a goroutine that leave waits for. The client is locked.
func (c *client) spawn(f func()) {
	if c.closed {
		return
	}
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		f()
	}()
}

// leave ends everything the socket had: it is gone.
func (c *client) leave() {
	c.lock()
	c.closed = true
	for _, s := range c.subs {
		c.forget(s)
	}
	writers, rooms := c.writers, c.rooms
	c.writers, c.rooms = nil, nil
	c.unlock()
	for name := range rooms {
		c.door.Hub.Leave(name, c)
		c.door.sayMember(c, name, rooms[name].name, "leave")
	}
	c.wg.Wait() // what it had asked for is done before what it holds is given up: a "finish" still counts
	for _, w := range writers {
		w.Abandon()
	}
}

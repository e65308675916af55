package sio

import (
	"context"
	"io"
	"time"
)

// Selection says which sockets of a namespace are meant. The room of its own id stands for a socket alone.
type Selection struct {
	Rooms  []string // who is in one of these; none means everybody
	Except []string // who is in one of these is left out
	Local  bool     // only sockets of this node
}

// Flags say how an event is sent.
type Flags struct {
	Volatile bool          // a socket to which something waits to be sent already does not get it
	Plain    bool          // it is not to be compressed
	Timeout  time.Duration // how long acks are waited for; 0 means as long as the context lasts
}

// Broadcast is an event on its way to a choice of sockets.
type Broadcast struct {
	Selection
	Flags
	Event *Prepared

	origin *Socket // whose handlers send it; nil: nobody's
}

// Command is something that is done to a choice of sockets.
type Command struct {
	Selection
	Join       []string // rooms to join
	Leave      []string // rooms to leave
	Disconnect bool     // to be made to leave the namespace
	CloseConn  bool     // with Disconnect: their whole connections are closed
}

// Adapter brings what is sent in a namespace to its sockets, on whatever node they are. Every namespace has its own. That of
// a single process, which is the default, finds them in memory; one for several nodes has it do so on each
// ([Server.NewAdapter]). Any goroutine may call the methods.
//
// An Adapter that is an io.Closer is closed when its namespace ends or the server shuts down. A child namespace that ends may
// begin anew before its old Adapter has been closed. One that reaches other nodes may be a [ServerEmitter], too.
type Adapter interface {
	// Broadcast sends an event. It does not wait; whether a socket gets it, the sender does not learn.
	Broadcast(b Broadcast) error

	// Gather sends an event that is to be acknowledged. It calls sent for every node, with how many sockets there were sent
	// the event, and ack with every ack; neither waits, and either may be called by several goroutines at once. It returns
	// when no further ack can come: nil then, or when ctx ends, its cause. Neither sent nor ack is called after that.
	Gather(ctx context.Context, b Broadcast, sent func(sockets int), ack func(Args)) error

	// Apply carries out c. It does not wait: on other nodes it is done later.
	Apply(c Command) error

	// Fetch returns what is known of the sockets. What it knows when ctx ends comes with the error.
	Fetch(ctx context.Context, sel Selection) ([]RemoteSocket, error)
}

// Adapter returns what brings events to the namespace's sockets.
func (ns *Namespace) Adapter() Adapter {
	ns.adapterOnce.Do(func() {
		switch {
		case ns.match != nil:
			ns.adapter = family{ns}
		case ns.server.NewAdapter != nil:
			ns.adapter = ns.server.NewAdapter(ns, local{ns})
		default:
			ns.adapter = local{ns}
		}
	})
	return ns.adapter
}

// close says that nothing more will be sent in the namespace. Only the first time counts.
func (ns *Namespace) close() (err error) {
	ns.log.close()
	ns.adapterEnd.Do(func() {
		if c, ok := ns.Adapter().(io.Closer); ok {
			err = c.Close()
		}
	})
	return err
}

// local is the Adapter of one process.
type local struct {
	ns *Namespace
}

// Broadcast sends b. Who cannot take it misses it, and is counted.
func (l local) Broadcast(b Broadcast) error {
	if b.Event.err != nil {
		return b.Event.err
	}
	if l.ns.keeps(b.Flags) {
		l.ns.log.broadcast(b)
		return nil
	}
	if s := b.origin; s != nil && s.ns == l.ns && !b.Volatile && own(s, &s.burst, newBurst).hold(b) {
		return nil
	}
	for _, s := range l.ns.rooms.find(b.Selection) {
		s.sendOnce(b.Event, b.Flags)
	}
	return nil
}

// sendAll sends events together. Who cannot take all of them gets those that fit.
func (l local) sendAll(sel Selection, events []*Prepared, plain bool) {
	run := run{events: events, plain: plain}
	for _, p := range events {
		p.retain()
	}
	sockets := l.ns.rooms.find(sel)
	for _, s := range sockets {
		s.conn.sendHeld()
		run.send(s)
	}
	run.end()
	for _, o := range run.seen {
		o.socket.outgoing(o.event)
	}
	for _, s := range sockets {
		s.conn.session.Wake()
	}
}

// Gather sends b, and waits on the caller's goroutine alone.
func (l local) Gather(ctx context.Context, b Broadcast, sent func(sockets int), ack func(Args)) error {
	if b.Event.err != nil {
		return b.Event.err
	}
	if b.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, b.Timeout)
		defer cancel()
	}
	sockets := l.ns.rooms.find(b.Selection)
	g := newGathering(l.ns, len(sockets), ack)
	sent(g.send(sockets, b))
	return g.wait(ctx, sockets)
}

// Apply carries out c.
func (l local) Apply(c Command) error {
	for _, s := range l.ns.rooms.find(c.Selection) {
		switch {
		case c.Disconnect:
			s.Disconnect(c.CloseConn)
		default:
			s.Join(c.Join...)
			s.Leave(c.Leave...)
		}
	}
	return nil
}

// Fetch returns the sockets.
func (l local) Fetch(_ context.Context, sel Selection) ([]RemoteSocket, error) {
	sockets := l.ns.rooms.find(sel)
	remotes := make([]RemoteSocket, len(sockets))
	for i, s := range sockets {
		remotes[i] = RemoteSocket{ID: s.id, Rooms: s.Rooms(), Handshake: s.handshake, Data: s.Data()}
	}
	return remotes, nil
}

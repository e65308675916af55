package sio

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"
)

// Namespace is a part of a server with its own handlers, sockets and rooms; clients join it by name, any number of them over
// one connection. Handlers may be set at any time; those of a name must be set once.
type Namespace struct {
	server *Server
	name   string
	parent *Namespace                                   // whose handlers it has, too; nil for none
	match  func(name string, auth json.RawMessage) bool // of a parent: which names children may have
	ready  chan struct{}                                // closed when it may be joined
	rooms  rooms

	log backlog // used where Server.Recovery is set

	adapterOnce sync.Once
	adapter     Adapter // set by adapterOnce
	adapterEnd  sync.Once

	// Guarded by server.mu.
	visitors int  // sockets that join or have joined
	kept     bool // it stays without any

	lastAck atomic.Int64 // the id of the last ack that was asked for

	handlers handlers
}

func newNamespace(srv *Server, name string) *Namespace {
	ns := &Namespace{server: srv, name: name, ready: make(chan struct{})}
	ns.rooms.init()
	ns.log.ns = ns
	ns.lastAck.Store(-1)
	return ns
}

// Name returns the name, which begins with a slash. That of a parent is empty.
func (ns *Namespace) Name() string { return ns.name }

// Server returns the server that the namespace is a part of.
func (ns *Namespace) Server() *Server { return ns.server }

// Emit sends an event to all sockets of the namespace. See [Audience.Emit].
func (ns *Namespace) Emit(event string, args ...any) error { return ns.all().Emit(event, args...) }

// Send sends a prepared event to all sockets of the namespace. See [Audience.Send].
func (ns *Namespace) Send(p *Prepared) error { return ns.all().Send(p) }

// SendAll is Audience.SendAll to all sockets.
func (ns *Namespace) SendAll(events ...*Prepared) error { return ns.all().SendAll(events...) }

// To selects the sockets that are in one of rooms.
func (ns *Namespace) To(rooms ...string) Audience { return ns.all().To(rooms...) }

// In is another name of To.
func (ns *Namespace) In(rooms ...string) Audience { return ns.To(rooms...) }

// Except selects the sockets that are in none of rooms.
func (ns *Namespace) Except(rooms ...string) Audience { return ns.all().Except(rooms...) }

// Local selects the sockets of this node.
func (ns *Namespace) Local() Audience { return ns.all().Local() }

// Volatile emits to all sockets what may be lost. See [Audience.Volatile].
func (ns *Namespace) Volatile() Audience { return ns.all().Volatile() }

// Compress says whether what is emitted may be compressed. See [Audience.Compress].
func (ns *Namespace) Compress(may bool) Audience { return ns.all().Compress(may) }

// Timeout bounds how long EmitWithAck and FetchSockets wait.
func (ns *Namespace) Timeout(d time.Duration) Audience { return ns.all().Timeout(d) }

// EmitWithAck sends an event to all sockets of the namespace and gathers their acks. See [Audience.EmitWithAck].
func (ns *Namespace) EmitWithAck(ctx context.Context, event string, args ...any) ([]Args, error) {
	return ns.all().EmitWithAck(ctx, event, args...)
}

// FetchSockets returns what is known of the namespace's sockets on all nodes. See [Audience.FetchSockets].
func (ns *Namespace) FetchSockets(ctx context.Context) ([]RemoteSocket, error) {
	return ns.all().FetchSockets(ctx)
}

// SocketsJoin lets all sockets of the namespace join rooms.
func (ns *Namespace) SocketsJoin(rooms ...string) error { return ns.all().SocketsJoin(rooms...) }

// SocketsLeave lets all sockets of the namespace leave rooms.
func (ns *Namespace) SocketsLeave(rooms ...string) error { return ns.all().SocketsLeave(rooms...) }

// DisconnectSockets disconnects all sockets of the namespace. See [Socket.Disconnect].
func (ns *Namespace) DisconnectSockets(closeConn bool) error {
	return ns.all().DisconnectSockets(closeConn)
}

// Sockets returns all sockets of the namespace on this node.
func (ns *Namespace) Sockets() []*Socket { return ns.all().Sockets() }

// Socket returns the socket with that id, nil if there is none on this node.
func (ns *Namespace) Socket(id string) *Socket {
	for _, ns := range ns.members() {
		if s := ns.rooms.socket(id); s != nil {
			return s
		}
	}
	return nil
}

// find returns the sockets of this node that are meant.
func (ns *Namespace) find(sel Selection) (found []*Socket) {
	for _, ns := range ns.members() {
		found = append(found, ns.rooms.find(sel)...)
	}
	return found
}

// members returns the namespace, or a parent's children.
func (ns *Namespace) members() []*Namespace {
	if ns.match != nil {
		return family{ns}.children()
	}
	return []*Namespace{ns}
}

func (ns *Namespace) all() Audience { return Audience{ns: ns} }

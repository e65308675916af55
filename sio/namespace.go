package sio

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"sluice/sio/packet"
)

// Namespace is a part of a server with its own handlers, sockets and rooms; clients join it by name, any number of them over
// one connection. Handlers may be set at any time; those of a name must be set once.
type Namespace struct {
	server *Server
	name   string
	rooms  rooms

	adapterOnce sync.Once
	adapter     Adapter // set by adapterOnce

	lastAck atomic.Int64 // the id of the last ack that was asked for

	mu         sync.RWMutex
	middleware []func(*Socket) error // guarded by mu, as all below
	connected  []func(*Socket)
	handlers   map[string]handler
	unknown    func(*Event)
	invalid    func(*Socket, error)
}

// handler is what is called with the events of one name.
type handler struct {
	call   func(*Event)
	stream bool // as soon as the text has come
}

func newNamespace(srv *Server, name string) *Namespace {
	ns := &Namespace{server: srv, name: name, handlers: make(map[string]handler), rooms: newRooms()}
	ns.lastAck.Store(-1)
	return ns
}

// Name returns the name, which begins with a slash.
func (ns *Namespace) Name() string { return ns.name }

// Use adds a middleware: it is called, in the order of adding, with every client that wants to join, before anything else.
// An error refuses the client, which sees it as connect_error: the text and Data of an *Error, of any other only "internal".
// The socket can be inspected, but not yet be sent to.
func (ns *Namespace) Use(middleware func(s *Socket) error) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.middleware = append(ns.middleware, middleware)
}

// OnConnect adds a handler for clients that have joined; the client's first event is handled when it has returned.
func (ns *Namespace) OnConnect(h func(s *Socket)) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.connected = append(ns.connected, h)
}

// On sets the handler of an event, which is called when all its attachments are in memory. It panics if event has one or is
// a name that clients reserve for themselves ("connect", "disconnect", ...).
func (ns *Namespace) On(event string, h func(e *Event)) { ns.handle(event, handler{call: h}) }

// OnStream sets a handler like On, but it is called as soon as the event's text has come. It reads the attachments while they
// arrive, with Event.Attachment; they may be of any size. What it leaves unread when it returns is skipped, if it is no more
// than MaxEventBytes; else the connection is closed. The client's next event is handled afterwards.
func (ns *Namespace) OnStream(event string, h func(e *Event)) {
	ns.handle(event, handler{call: h, stream: true})
}

func (ns *Namespace) handle(event string, h handler) {
	if packet.Reserved(event) {
		panic("sio: reserved event name " + event)
	}
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if _, ok := ns.handlers[event]; ok {
		panic("sio: a second handler for " + event)
	}
	ns.handlers[event] = h
}

// OnUnknown sets the handler of events that have none of their own. Without it they are ignored, and not acknowledged.
func (ns *Namespace) OnUnknown(h func(e *Event)) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.unknown = h
}

// OnInvalid sets what is called before a connection is closed because of what the client sent: err is a *LimitError, a
// *packet.FormatError or an *engine.ProtocolError. It may Emit once more; it must not wait. It may run beside a handler of the
// same socket.
func (ns *Namespace) OnInvalid(h func(s *Socket, err error)) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.invalid = h
}

// handler returns what to call for event, and whether there is anything.
func (ns *Namespace) handler(event string) (handler, bool) {
	ns.mu.RLock()
	defer ns.mu.RUnlock()
	if h, ok := ns.handlers[event]; ok {
		return h, true
	}
	return handler{call: ns.unknown}, ns.unknown != nil
}

// Emit sends an event to all sockets of the namespace. See [Audience.Emit].
func (ns *Namespace) Emit(event string, args ...any) error { return ns.all().Emit(event, args...) }

// Send sends a prepared event to all sockets of the namespace. See [Audience.Send].
func (ns *Namespace) Send(p *Prepared) error { return ns.all().Send(p) }

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
func (ns *Namespace) Socket(id string) *Socket { return ns.rooms.socket(id) }

func (ns *Namespace) all() Audience { return Audience{ns: ns} }

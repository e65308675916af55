package sio

import (
	"sync"

	"sluice/sio/packet"
)

// handlers are what an application wants to be called in a namespace.
type handlers struct {
	middleware   list[func(*Socket) error]
	connected    list[func(*Socket)]
	disconnected list[func(*Socket, string)]
	any          list[func(*Event)]
	anyOutgoing  list[func(*Socket, *Prepared)]
	perEvent     list[func(*Event) error]

	unknown slot[func(*Event)]
	refused slot[func(*Event, error)]
	invalid slot[func(*Socket, error)]

	mu         sync.RWMutex
	events     map[string]handler            // guarded by mu
	serverSide map[string]func(*ServerEvent) // guarded by mu
}

// handler is what is called with the events of one name.
type handler struct {
	call   func(*Event)
	stream bool // as soon as the text has come
}

// Use adds a middleware: it is called, in the order of adding, with every client that wants to join, before anything else.
// An error refuses the client, which sees it as connect_error: the text and Data of an *Error, of any other only "internal".
// The socket can be inspected, but not yet be sent to.
func (ns *Namespace) Use(middleware func(s *Socket) error) { ns.handlers.middleware.add(middleware) }

// OnConnect adds a handler for clients that have joined; the client's first event is handled when it has returned.
func (ns *Namespace) OnConnect(h func(s *Socket)) { ns.handlers.connected.add(h) }

// OnDisconnect adds a handler for sockets that have ended. See [Socket.OnDisconnect], whose handlers are called first.
func (ns *Namespace) OnDisconnect(h func(s *Socket, reason string)) { ns.handlers.disconnected.add(h) }

// On sets the handler of an event, which is called when all its attachments are in memory. It panics if event has one or is
// a name that clients reserve for themselves ("connect", "disconnect", ...).
func (ns *Namespace) On(event string, h func(e *Event)) { ns.handle(event, handler{call: h}) }

// OnStream sets a handler like On, but it is called as soon as the event's text has come. It reads the attachments while
// they arrive, with Event.Attachment; they may be of any size. What it leaves unread when it returns is skipped, if it is no
// more than MaxEventBytes; else the connection is closed. The client's next event is handled afterwards.
//
// A client that speaks msgpack sends its event in one piece: that is in memory before, and no larger than MaxEventBytes.
func (ns *Namespace) OnStream(event string, h func(e *Event)) {
	ns.handle(event, handler{call: h, stream: true})
}

func (ns *Namespace) handle(event string, h handler) {
	refuseReserved(event)
	ns.handlers.mu.Lock()
	defer ns.handlers.mu.Unlock()
	if _, ok := ns.handlers.events[event]; ok {
		panic("sio: a second handler for " + event)
	}
	if ns.handlers.events == nil {
		ns.handlers.events = make(map[string]handler)
	}
	ns.handlers.events[event] = h
}

func refuseReserved(event string) {
	if packet.Reserved(event) {
		panic("sio: reserved event name " + event)
	}
}

// OnUnknown sets the handler of events that have none of their own. Without it they are ignored, and not acknowledged.
func (ns *Namespace) OnUnknown(h func(e *Event)) { ns.handlers.unknown.set(h) }

// OnAny adds a handler of all events that clients send, which is called before the middleware of UseEvent and the event's
// own handler. It must leave the attachments of an event of OnStream to that.
func (ns *Namespace) OnAny(h func(e *Event)) { ns.handlers.any.add(h) }

// OnAnyOutgoing adds what is called with every event that is sent to a socket of the namespace: once for each that gets it.
// It is called by whoever sends, and must not wait.
func (ns *Namespace) OnAnyOutgoing(h func(s *Socket, p *Prepared)) { ns.handlers.anyOutgoing.add(h) }

// UseEvent adds a middleware for events: it is called, in the order of adding, before an event's handler, and for events that
// have none, too. On an error the event is not handled; OnRefused's handler is told. The client is not, unless that does it: it waits for no ack forever.
func (ns *Namespace) UseEvent(middleware func(e *Event) error) {
	ns.handlers.perEvent.add(middleware)
}

// OnRefused sets what is called with an event that a middleware of UseEvent refused, and with its error. It may acknowledge
// the event. Without it the error is logged.
func (ns *Namespace) OnRefused(h func(e *Event, err error)) { ns.handlers.refused.set(h) }

// OnInvalid sets what is called before a connection is closed because of what the client sent: err is a *LimitError, a
// *packet.FormatError or an *engine.ProtocolError. It may Emit once more; it must not wait. It may run beside a handler of
// the same socket.
func (ns *Namespace) OnInvalid(h func(s *Socket, err error)) { ns.handlers.invalid.set(h) }

// On sets the handler of an event of this socket alone, in place of an earlier one and of the namespace's (OnStream's still
// gets what has attachments); nil takes it away. Set by OnConnect's handlers, it misses no event. It panics if event is a name that clients reserve for themselves.
//
// Namespace.On costs nothing for each socket; this is for what a handler keeps in variables of OnConnect's.
func (s *Socket) On(event string, h func(e *Event)) {
	refuseReserved(event)
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.events == nil {
		s.events = make(map[string]func(*Event))
	}
	s.events[event] = h
	if h == nil {
		delete(s.events, event)
	}
}

// OnAny adds a handler of all events of this socket, which is called after those of [Namespace.OnAny].
func (s *Socket) OnAny(h func(e *Event)) { s.any.add(h) }

// OnAnyOutgoing adds what is called with every event that is sent to this socket. See [Namespace.OnAnyOutgoing].
func (s *Socket) OnAnyOutgoing(h func(p *Prepared)) { s.anyOutgoing.add(h) }

// UseEvent adds a middleware for events of this socket, which is called after those of [Namespace.UseEvent].
func (s *Socket) UseEvent(middleware func(e *Event) error) { s.perEvent.add(middleware) }

// OnDisconnect adds a handler for the socket's end. The reason is in the words of Node's server: "transport close", "ping
// timeout", "client namespace disconnect" and so on. It is to be called from a handler of the socket, OnConnect at best, and
// runs after the events that came before the end. The socket is in no room any more; Rooms still tells in which it was.
func (s *Socket) OnDisconnect(h func(reason string)) { s.disconnected.add(h) }

// handler returns what to call for event, and whether there is anything.
func (ns *Namespace) handler(event string) (handler, bool) {
	for at := ns; at != nil; at = at.parent {
		if h, ok := at.handlers.named(event); ok {
			return h, true
		}
	}
	unknown := inheritedOne(ns, func(ns *Namespace) *slot[func(*Event)] { return &ns.handlers.unknown })
	return handler{call: unknown}, unknown != nil
}

// greets reports whether there is a handler of OnConnect.
func (ns *Namespace) greets() bool {
	return len(ns.handlers.connected.all()) > 0 || ns.parent != nil && ns.parent.greets()
}

// heedsAll reports whether any event is to be handled, whatever its name.
func (ns *Namespace) heedsAll() bool {
	return len(ns.handlers.any.all())+len(ns.handlers.perEvent.all()) > 0 || ns.parent != nil && ns.parent.heedsAll()
}

func (h *handlers) named(event string) (handler, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	found, ok := h.events[event]
	return found, ok
}

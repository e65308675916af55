// Package sio is a Socket.IO 5 server that feels like net/http: namespaces, rooms, acks, middleware, and binary attachments
// of any size, which a handler may read while they arrive. It serves every stock client over long-polling, WebSocket and, with
// package webtransport, WebTransport.
//
//	io := &sio.Server{}
//	chat := io.Of("/")
//	chat.OnConnect(func(s *sio.Socket) { s.Join("lobby") })
//	chat.On("chat message", func(e *sio.Event) {
//		var text string
//		if err := e.Decode(0, &text); err != nil {
//			return
//		}
//		e.Socket.To("lobby").Emit("chat message", text)
//		e.Ack("delivered")
//	})
//	http.Handle("/socket.io/", io)
//
// # Order and waiting
//
// The handlers of one socket (middleware, OnConnect, events, OnDisconnect) run one after another, in the order in which the
// client sent, on a goroutine that exists only while there is something to handle; those of different sockets run side by
// side. What takes a context may wait; nothing else does, but for reading an [Attachment]. Acks do not pass through that
// order: a handler may wait for one with [Socket.EmitWithAck].
//
// An event passes the handlers of OnAny, then the middleware of UseEvent, then its own handler: that of its socket
// ([Socket.On]), else that of its namespace. Handlers are set on a namespace once, and cost nothing for each client.
//
// # Whom an event is sent to
//
// A [Socket] is one client, an [Audience] a choice of clients by rooms; [Socket.Volatile] and its like say how. An event is
// encoded once for all who get it. An [Adapter] brings it to them, on this node or on others.
//
// # Bounds
//
// What a client sends and no handler is done with is bounded ([Server.MaxPendingBytes]); then the client is not read from.
// What is sent to a client goes through a queue that is bounded, too ([Server.MaxQueuedBytes]); when it is full Emit returns
// [ErrQueueFull], or the client is cut off ([Server.CloseSlow]). What does not fit a bounded queue, such as a film, is
// pulled from a [Source], only when the transport can take it. Everything else a client could make grow has its limit in
// limits.go.
//
// One bound is the http.Server's: how long a client may take for the header of a request. By default that is for ever; set
// ReadHeaderTimeout, to ten seconds for one, and IdleTimeout.
//
// # Clients that come back, and old ones
//
// With [Server.Recovery] a client whose connection broke takes up its socket where it was, and gets what it missed. Clients
// with socket.io-msgpack-parser need no setting: what their first packet is in, they are answered in. Clients of Socket.IO 2
// are admitted by [Server.AllowEIO3].
//
// # Typed events
//
// Where both sides are Go, or the protocol is to be written down in one place, it is a table of typed constants: see [Call]
// and [Cast].
//
// Programs written for Node's server: porting.md beside this file maps its API to this one, line by line.
//
// The protocol: https://github.com/socketio/socket.io-protocol, revision 5. The package knows nothing of Engine.IO beneath
// it, which is [sluice/sio/engine].
package sio

// Package engine is an Engine.IO 4 server (3 on request): sessions with a heartbeat over HTTP long-polling, WebSocket and
// WebTransport, and the upgrade from the first to the others. WebTransport takes package webtransport, which builds QUIC.
//
// A session carries messages, text or binary, in order and both ways. What comes in is handed to a [Receiver]: a text whole,
// a binary message as an io.Reader from its first byte on, so that a message of any size passes in constant memory. What goes
// out is pulled from the same Receiver, and only when the transport can take it: there is no outgoing queue here. The package
// knows nothing of Socket.IO, which is a Receiver on top of it.
//
//	srv := &engine.Server{
//		Accept: func(s *engine.Session, r *http.Request) (engine.Receiver, error) { return newEcho(s), nil },
//	}
//	http.Handle("/engine.io/", srv)
//
// Large messages of stock clients shaped what is here. A client that sends 64 MiB the moment it connects, by polling while
// it tries the upgrade, at 1 MB/s, cannot answer a ping for a minute and a half: so the bytes of a binary message count as a
// sign of life, and the time in which the server does not read is forgiven. It closes by itself when it sees no ping, and once
// it has seen 3probe it polls no more until its POST has ended: so pings go on while one is owed, and 3probe is held back until
// the POST, and the event it belongs to, are complete. That client passes with a ping timeout of 5 s, and the server holds
// 44 MiB at most.
//
// A connection that says nothing holds no buffer, and on Linux no goroutine unless there is TLS: its reader rests after some
// tenths of a second, until epoll tells that something comes.
//
// Order of sending can only be chosen for what the kernel does not have yet. So little is left unsent there
// (TCP_NOTSENT_LOWAT), below TLS too (see [Listener]), and as little as that is pulled ahead once a connection lags.
//
// In Engine.IO 3 the client pings and the server answers, the packets of a payload have their length before them, and binary
// messages have a type; a Receiver sees nothing of it but Session.Protocol.
//
// The protocol: https://socket.io/docs/v4/engine-io-protocol/
package engine

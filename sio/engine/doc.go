// Package engine is an Engine.IO 4 server: sessions with a heartbeat over HTTP long-polling and WebSocket, and the upgrade
// from the first to the second.
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
// The protocol: https://socket.io/docs/v4/engine-io-protocol/
package engine

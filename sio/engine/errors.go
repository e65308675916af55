package engine

import (
	"errors"
	"fmt"
	"net/http"
)

// What ends a session; Receiver.Closed gets one of these (perhaps wrapped), a *ProtocolError, or what Close or Receive was given.
var (
	// ErrPingTimeout says that the client did not answer a ping in time.
	ErrPingTimeout = errors.New("ping timeout")
	// ErrTransportClose says that the client closed the transport, in order or by vanishing.
	ErrTransportClose = errors.New("transport close")
	// ErrTransportError says that reading from or writing to the transport failed; it is wrapped with the cause.
	ErrTransportError = errors.New("transport error")
	// ErrTooLarge says that a message went over the limit.
	ErrTooLarge = errors.New("message too large")
	// ErrServerShutdown says that Server.Shutdown closed the session.
	ErrServerShutdown = errors.New("server shutting down")
)

// ProtocolError is a client's breach of Engine.IO, HTTP or WebSocket rules.
type ProtocolError struct {
	Packet string // what was being read: "payload", "frame", "pong" ...
	Reason string // what was wrong with it
}

// Error implements error.
func (e *ProtocolError) Error() string { return fmt.Sprintf("invalid %s: %s", e.Packet, e.Reason) }

// HandshakeError refuses a request. Its code and message are the JSON body of the reply.
type HandshakeError struct {
	Status  int    // of HTTP; 0 means 403
	Code    int    // of Engine.IO
	Message string // for the client
}

// Error implements error.
func (e *HandshakeError) Error() string { return e.Message }

// The refusals of Engine.IO, with the codes and words of Node's server.
var (
	errUnknownTransport   = &HandshakeError{http.StatusBadRequest, 0, "Transport unknown"}
	errUnknownSession     = &HandshakeError{http.StatusBadRequest, 1, "Session ID unknown"}
	errBadHandshakeMethod = &HandshakeError{http.StatusBadRequest, 2, "Bad handshake method"}
	errBadRequest         = &HandshakeError{http.StatusBadRequest, 3, "Bad request"}
	errForbidden          = &HandshakeError{http.StatusForbidden, 4, "Forbidden"}
	errUnsupportedVersion = &HandshakeError{http.StatusBadRequest, 5, "Unsupported protocol version"}
)

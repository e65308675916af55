package engine

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gobwas/ws"
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
	// ErrClosed says that Session.Close or Drain was called without an error.
	ErrClosed = errors.New("closed")
	// ErrServerShutdown says that Server.Shutdown closed the session.
	ErrServerShutdown = errors.New("server shutting down")
)

// ProtocolError is a client's breach of Engine.IO, HTTP or WebSocket rules.
type ProtocolError struct {
	Packet string // what was being read: "payload", "frame", "pong" ...
	Reason string // what was wrong with it

	status ws.StatusCode // for the WebSocket's close frame; 0 means 1002
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

// closeStatus returns the status of the close frame that tells a client of err; 0 stands for none.
func closeStatus(err error) ws.StatusCode {
	var breach *ProtocolError
	switch {
	case errors.Is(err, ErrTooLarge):
		return ws.StatusMessageTooBig
	case errors.As(err, &breach) && breach.status != 0:
		return breach.status
	case breach != nil:
		return ws.StatusProtocolError
	case errors.Is(err, ErrServerShutdown):
		return ws.StatusGoingAway
	}
	return 0
}

// transportError wraps what reading or writing said.
func transportError(err error) error { return fmt.Errorf("%w: %w", ErrTransportError, err) }

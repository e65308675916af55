package sio

import (
	"errors"
	"fmt"

	"sluice/sio/engine"
	"sluice/sio/packet"
)

// Errors of sending. A socket that has ended returns net.ErrClosed.
var (
	// ErrQueueFull says that the client has not taken what was sent before: nothing of this was sent.
	ErrQueueFull = errors.New("sio: queue full")
	// ErrNoAck says that the client asked for no ack, or has been given it.
	ErrNoAck = errors.New("sio: no ack asked for, or acknowledged already")
)

// errVolatile says that an event was dropped, as its sender allowed.
var errVolatile = errors.New("sio: a volatile event was dropped")

// What sio itself ends connections with.
var (
	errConnectTimeout = errors.New("sio: no namespace was joined in time")
	errDisconnected   = errors.New("sio: disconnected by the server")
	errPanicked       = errors.New("sio: a handler panicked")
	errBinaryRefusal  = errors.New("sio: binary in the data of a refusal")
	errTooSlow        = errors.New("sio: the client did not take what was sent to it")
	errReplaced       = errors.New("sio: the client has come back by another connection")
	errStalled        = errors.New("sio: a half-sent event made no progress")
)

// Error is an error whose text may reach a client: middleware returns it to say why a client is refused, a [Call]'s handler
// why a request failed. Any other error is "internal" to the client and whole in the log.
type Error struct {
	Message string
	Data    any // more for the client, encoded as JSON; nil for none
}

func (e *Error) Error() string { return e.Message }

// public returns what of err may be shown to a client, and whether err was meant for one.
func public(err error) (*Error, bool) {
	var e *Error
	if errors.As(err, &e) {
		return e, true
	}
	return &Error{Message: "internal"}, false
}

// LimitError says which limit of the server a client went over. It wraps engine.ErrTooLarge, which closes a WebSocket with
// 1009 and answers a POST with 413.
type LimitError struct {
	What  string // "event", "attachments", ...
	Limit int64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("sio: %s over the limit of %d", e.What, e.Limit)
}

// Unwrap returns engine.ErrTooLarge.
func (e *LimitError) Unwrap() error { return engine.ErrTooLarge }

// violation is a packet that is well-formed but may not come now.
func violation(t packet.Type, reason string) error {
	return &engine.ProtocolError{Packet: t.String(), Reason: reason}
}

// stateError is a violation that Node's server does not take for a parser's error: that shows over polling.
type stateError struct{ error }

func (e stateError) Unwrap() error { return e.error }

// asViolation turns the packet's own error into the engine's kind, which closes a session as it should.
func asViolation(err error) error {
	var format *packet.FormatError
	if errors.As(err, &format) {
		return fmt.Errorf("%w: %w", &engine.ProtocolError{Packet: "packet", Reason: format.Reason}, err)
	}
	return err
}

// The reasons of disconnects, in the words of Node's server.
const (
	reasonTransportClose   = "transport close"
	reasonTransportError   = "transport error"
	reasonPingTimeout      = "ping timeout"
	reasonParseError       = "parse error"
	reasonForcedClose      = "forced close"
	reasonForcedServer     = "forced server close"
	reasonShutdown         = "server shutting down"
	reasonClientDisconnect = "client namespace disconnect"
	reasonServerDisconnect = "server namespace disconnect"

	reasonTooSlow = "too slow" // ours: see Server.CloseSlow
)

// reason tells what ended a connection that was on transport.
func reason(err error, transport string) string {
	var refused refusedError
	var state stateError
	var protocol *engine.ProtocolError
	switch {
	case errors.Is(err, engine.ErrPingTimeout):
		return reasonPingTimeout
	case errors.Is(err, engine.ErrTransportClose), errors.Is(err, errReplaced):
		return reasonTransportClose
	case errors.Is(err, engine.ErrServerShutdown):
		return reasonShutdown
	case errors.As(err, &state) && transport == "polling":
		return reasonForcedServer
	case errors.As(err, &refused):
		return reasonForcedClose
	case errors.Is(err, engine.ErrTooLarge):
		return reasonTransportError
	case errors.As(err, &protocol):
		return reasonParseError
	case errors.Is(err, errTooSlow):
		return reasonTooSlow
	case errors.Is(err, errConnectTimeout), errors.Is(err, errDisconnected), errors.Is(err, errOvertaken):
		return reasonForcedServer
	case errors.Is(err, errPanicked), errors.Is(err, errStalled):
		return reasonForcedClose
	default:
		return reasonTransportError
	}
}

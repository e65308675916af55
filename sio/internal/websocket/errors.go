package websocket

import (
	"errors"
	"fmt"

	"github.com/gobwas/ws"
)

// Error is a peer's breach of RFC 6455, or of a limit.
type Error struct {
	Status ws.StatusCode // for the close frame that tells the peer
	Reason string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("invalid frame: %s", e.Reason) }

var (
	// ErrTooLarge says that a message went over the limit. It is an *Error.
	ErrTooLarge error = &Error{ws.StatusMessageTooBig, "message too large"}
	// errNotUTF8 is the fault of a text that is none.
	errNotUTF8 error = &Error{ws.StatusInvalidFramePayloadData, "text is not UTF-8"}
)

// What is wrong with a handshake.
var (
	// ErrHandshake says that a request is no WebSocket handshake.
	ErrHandshake = errors.New("not a WebSocket handshake")
	// ErrVersion says that a request asks for another version than 13.
	ErrVersion = errors.New("WebSocket version is not 13")
	// ErrNoConnection says that a request's connection cannot be taken over; the request has not been answered.
	ErrNoConnection = errors.New("connection cannot be taken over")
)

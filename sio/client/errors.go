package client

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Errors a caller may want to tell apart. A closed client's is net.ErrClosed.
var (
	// ErrNotConnected: nothing can be emitted now; see WaitConnected.
	ErrNotConnected = errors.New("socket.io: not connected")
	// ErrQueueFull: Options.MaxQueuedBytes wait to be sent already.
	ErrQueueFull = errors.New("socket.io: send queue is full")
)

// A Reason says why a connection ended, in the words of the JavaScript client.
type Reason string

// Reasons of a DisconnectError.
const (
	ServerDisconnect Reason = "io server disconnect"
	ClientDisconnect Reason = "io client disconnect"
	PingTimeout      Reason = "ping timeout"
	TransportClose   Reason = "transport close"
	TransportError   Reason = "transport error"
	ParseError       Reason = "parse error"
)

// A DisconnectError is why a connection ended. After ServerDisconnect and ClientDisconnect the client does
// not reconnect.
type DisconnectError struct {
	Reason Reason
	Err    error // the cause; nil when there is no more to say
}

func (e *DisconnectError) Error() string {
	if e.Err == nil {
		return "socket.io: disconnected: " + string(e.Reason)
	}
	return fmt.Sprintf("socket.io: disconnected: %s: %v", e.Reason, e.Err)
}

func (e *DisconnectError) Unwrap() error { return e.Err }

// A ConnectError is the server's refusal of the namespace (CONNECT_ERROR).
type ConnectError struct {
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data,omitempty"`
}

func (e *ConnectError) Error() string { return "socket.io: connection refused: " + e.Message }

// A HandshakeError is the server's refusal of a request, with Engine.IO's code and message where the answer
// had them.
type HandshakeError struct {
	Status  int
	Code    int
	Message string
}

func (e *HandshakeError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("engine.io: server answered with status %d", e.Status)
	}
	return fmt.Sprintf("engine.io: server answered with status %d: %s", e.Status, e.Message)
}

// A ProtocolError is something the server may not send.
type ProtocolError struct {
	Layer string // "engine.io", "socket.io" or "websocket"
	Err   error
}

func (e *ProtocolError) Error() string { return e.Layer + ": " + e.Err.Error() }

func (e *ProtocolError) Unwrap() error { return e.Err }

// TooLargeError is a message above a limit of Options.
type TooLargeError struct {
	Limit int // bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("message is larger than the limit of %d bytes", e.Limit)
}

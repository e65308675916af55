package sio

import (
	"context"
	"encoding/json"
)

// Emitter sends events: a [Socket], an [Emission], a [RemoteSocket], an [Audience], a [Namespace], or a client.
type Emitter interface {
	Emit(event string, args ...any) error
}

// Caller sends events and waits for their acks: a [Socket], an [Emission], a [RemoteSocket], or a client.
type Caller interface {
	EmitWithAck(ctx context.Context, event string, args ...any) (Args, error)
}

// Listener has handlers of events: a [Namespace], or a [Socket].
type Listener interface {
	On(event string, h func(e *Event))
}

// Cast is the name of an event that carries a T and wants no ack; server and client share the constant.
//
//	const typing sio.Cast[Typing] = "typing"
type Cast[T any] string

// Emit sends v.
func (c Cast[T]) Emit(to Emitter, v T) error { return to.Emit(string(c), v) }

// Handle sets the handler. What cannot be decoded is logged, and not handled.
func (c Cast[T]) Handle(on Listener, h func(s *Socket, v T)) {
	on.On(string(c), func(e *Event) {
		var v T
		if err := e.decodeOnly(&v); err != nil {
			e.Socket.logger().Info("sio: bad argument", "event", string(c), "err", err)
			return
		}
		h(e.Socket, v)
	})
}

// Call is the name of an event that carries a Req and is acknowledged with a Res; server and client share the constant.
//
//	const join sio.Call[JoinRequest, Joined] = "join"
//
// The ack is one argument: the Res, or an object that tells what went wrong,
//
//	{"error": {"message": "the room is full", "data": ...}}
type Call[Req, Res any] string

// Handle sets the handler. Of an error that it returns the client is told text and Data if it is an *Error, else "internal". ctx
// ends with the socket.
func (c Call[Req, Res]) Handle(on Listener, h func(ctx context.Context, s *Socket, req Req) (Res, error)) {
	on.On(string(c), func(e *Event) {
		var req Req
		if err := e.decodeOnly(&req); err != nil {
			e.fail(&Error{Message: "bad request"})
			return
		}
		res, err := h(e.Socket.Context(), e.Socket, req)
		if err == nil {
			err = e.Ack(res)
		}
		if err != nil {
			e.fail(err)
		}
	})
}

// decodeOnly decodes the argument; there need be none.
func (a Args) decodeOnly(v any) error {
	if a.NumArgs() == 0 {
		return nil
	}
	return a.Decode(0, v)
}

// fail acknowledges a request with what of err is public.
func (e *Event) fail(err error) {
	why, meant := public(err)
	if !meant && e.Socket.Connected() && e.WantsAck() {
		e.Socket.logger().Error("sio: request failed", "event", e.Name, "err", err)
	}
	e.Ack(failed{callError{Message: why.Message, Data: why.Data}})
}

// Do sends req and waits for the answer. It returns an *Error if the other side says that it failed; its Data is then a
// json.RawMessage, of the member "data" if there is one and else of all that was said.
func (c Call[Req, Res]) Do(ctx context.Context, to Caller, req Req) (res Res, err error) {
	args, err := to.EmitWithAck(ctx, string(c), req)
	if err != nil {
		return res, err
	}
	if err := args.failure(); err != nil {
		return res, err
	}
	err = args.Decode(0, &res)
	return res, err
}

// failed is the ack of a request that failed.
type failed struct {
	Error callError `json:"error"`
}

type callError struct {
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

// failure returns the error that an ack tells of, nil for none.
func (a Args) failure() error {
	var ack struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(a.Raw(0), &ack) != nil || len(ack.Error) == 0 {
		return nil
	}
	var told struct {
		Message *string         `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	if json.Unmarshal(ack.Error, &told) != nil || told.Message == nil {
		return nil
	}
	if told.Data == nil {
		told.Data = ack.Error
	}
	return &Error{Message: *told.Message, Data: told.Data}
}

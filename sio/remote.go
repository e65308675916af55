package sio

import (
	"context"
	"encoding/json"
	"net"
)

// RemoteSocket is what is known of a socket that may be on another node: a copy, made when it was fetched.
type RemoteSocket struct {
	ID        string
	Rooms     []string // that of its own id is the first
	Handshake *Handshake
	// Data is what Socket.SetData was given; of a socket on another node a json.RawMessage of it. See Decode.
	Data any

	ns *Namespace
}

// Decode decodes Data into v, wherever the socket is. No Data is null.
func (r RemoteSocket) Decode(v any) error {
	data, ok := r.Data.(json.RawMessage)
	if !ok {
		var err error
		if data, err = json.Marshal(r.Data); err != nil {
			return err
		}
	}
	return json.Unmarshal(data, v)
}

// Join adds the socket to rooms.
func (r RemoteSocket) Join(rooms ...string) error { return r.audience().SocketsJoin(rooms...) }

// Leave takes the socket out of rooms.
func (r RemoteSocket) Leave(rooms ...string) error { return r.audience().SocketsLeave(rooms...) }

// Disconnect disconnects the socket. See [Socket.Disconnect].
func (r RemoteSocket) Disconnect(closeConn bool) error {
	return r.audience().DisconnectSockets(closeConn)
}

// Emit sends the socket an event. See [Audience.Emit].
func (r RemoteSocket) Emit(event string, args ...any) error { return r.audience().Emit(event, args...) }

// EmitWithAck sends the socket an event and waits for the ack. It returns net.ErrClosed if the socket is gone.
func (r RemoteSocket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	acks, err := r.audience().EmitWithAck(ctx, event, args...)
	switch {
	case len(acks) > 0:
		return acks[0], nil
	case err == nil:
		err = net.ErrClosed
	}
	return Args{}, err
}

func (r RemoteSocket) audience() Audience { return r.ns.To(r.ID) }

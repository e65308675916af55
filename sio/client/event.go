package client

import (
	"errors"
	"sync/atomic"

	"sluice/sio"
	"sluice/sio/packet"
)

// Args are the arguments of an event or of an acknowledgement: those of package sio, so that its typed events work on
// both sides. The bytes in them are the event's own: every Decode yields the same memory.
type Args = sio.Args

// An Event is what a handler gets. It may be kept.
type Event struct {
	Name string
	Args

	link  *link
	ackID int64
	acked atomic.Bool
}

var errNoAck = errors.New("socket.io: the server awaits no acknowledgement, or has it")

// WantsAck reports whether the server awaits an acknowledgement.
func (e *Event) WantsAck() bool { return e.ackID != packet.NoID }

// Ack acknowledges the event. It may be called once, from any goroutine. It fails with ErrNotConnected when
// the connection the event came on is gone.
func (e *Event) Ack(args ...any) error {
	if !e.WantsAck() || e.acked.Swap(true) {
		return errNoAck
	}
	o, err := newOutgoing(packet.Packet{Type: packet.Ack, Namespace: e.link.namespace, ID: e.ackID}, args...)
	if err != nil {
		return err
	}
	if o.streams {
		return errStreamUnawaited
	}
	return e.link.session.queue.push(o)
}

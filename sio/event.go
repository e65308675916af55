package sio

import (
	"sync/atomic"

	"sluice/sio/packet"
)

// Event is what a client emitted, given to a handler. It may be kept and acknowledged after the handler has returned.
type Event struct {
	Name   string
	Socket *Socket
	Args

	id     int64 // of the ack, packet.NoID if none is asked for
	acked  atomic.Bool
	call   func(*Event)
	stream *stream // nil unless the handler reads the attachments
	cost   int     // what it counts for while it waits
}

// Attachments returns how many attachments the event has.
func (e *Event) Attachments() int {
	if e.stream != nil {
		return e.stream.total
	}
	return len(e.attachments)
}

// Attachment returns the next attachment of an event of OnStream, in the order in which the client's encoder found them in the
// arguments; nil when all were taken. It does not wait for it: reading does. It skips what is unread of the one before. For
// events of other handlers, whose attachments are in memory, it returns nil: Decode them.
//
// It may be used until the handler returns, by one goroutine at a time.
func (e *Event) Attachment() *Attachment {
	if e.stream == nil {
		return nil
	}
	return e.stream.next()
}

// WantsAck reports whether the client asked for an ack and has not been given it.
func (e *Event) WantsAck() bool { return e.id != packet.NoID && !e.acked.Load() }

// Ack acknowledges the event with args, encoded as in [Prepare]. It works once, from any goroutine, and never waits. Errors
// are ErrNoAck, net.ErrClosed when the client is gone, ErrQueueFull when it has let far too much lie, and those of encoding.
func (e *Event) Ack(args ...any) error {
	var p Prepared
	p.encode(args)
	err := e.ack(&p)
	if err == nil {
		own(e.Socket, &e.Socket.replies, newReplies).wake()
	}
	return err
}

// ack puts the ack on the connection's queue.
func (e *Event) ack(p *Prepared) error {
	switch {
	case e.id == packet.NoID:
		return ErrNoAck
	case p.err != nil:
		return p.err
	case !e.acked.CompareAndSwap(false, true):
		return ErrNoAck
	}
	s := e.Socket
	err := s.conn.enqueue(s, p.message(packet.Ack, s.variant(false), e.id), urgent)
	if err == ErrQueueFull {
		e.acked.Store(false) // it may be tried again
	}
	return err
}

// AckAll acknowledges events, all of one socket, with the same args: these are encoded once, and the acks go out together. It
// returns the first error, as of [Event.Ack]; the other events are acknowledged all the same.
func AckAll(events []*Event, args ...any) error {
	var p Prepared
	p.encode(args)
	var first error
	for _, e := range events {
		if err := e.ack(&p); err != nil && first == nil {
			first = err
		}
	}
	if len(events) > 0 {
		s := events[0].Socket
		own(s, &s.replies, newReplies).wake()
	}
	return first
}

package sio

import (
	"context"
	"fmt"
	"net"

	"sluice/sio/packet"
)

// EmitWithAck sends an event and waits for the client to acknowledge it, with any number of arguments. The client may never
// do so: ctx says how long to wait. Other errors are those of Emit.
//
// It may be called in a handler: the ack passes the events that came before it. It cannot pass the attachments of an event of
// OnStream, which nobody reads before the handler that waits has returned.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	p := Prepare(event, args...)
	if p.err != nil {
		return Args{}, p.err
	}
	answer := make(chan Args, 1)
	id, err := s.expect(answer)
	if err != nil {
		return Args{}, err
	}
	defer s.expectNot(id)
	if err := s.push(p.message(packet.Event, s.ns.name, id), ordinary); err != nil {
		return Args{}, err
	}
	s.conn.server.counters.eventsOut.Add(1)
	select {
	case a := <-answer:
		return a, nil
	case <-ctx.Done():
		return Args{}, fmt.Errorf("sio: ack of %q: %w", event, context.Cause(ctx))
	case <-s.ctx.Done():
		return Args{}, context.Cause(s.ctx)
	}
}

// expect prepares for an ack. While anybody waits for one, the client is read from whatever waits to be handled.
func (s *Socket) expect(answer chan<- Args) (id int64, err error) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.state != connected {
		return 0, net.ErrClosed
	}
	if s.acks == nil {
		s.acks = make(map[int64]chan<- Args)
	}
	s.lastAck++
	s.acks[s.lastAck] = answer
	c.awaiting++
	c.changed.broadcast()
	return s.lastAck, nil
}

func (s *Socket) expectNot(id int64) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(s.acks, id)
	c.awaiting--
}

// acknowledged hands an ack to who waits for it; one that nobody waits for any more is nothing special.
func (s *Socket) acknowledged(id int64, args Args) {
	c := s.conn
	c.mu.Lock()
	answer := s.acks[id]
	delete(s.acks, id)
	c.mu.Unlock()
	if answer != nil {
		answer <- args // has room for the one
	}
}

package sio

import (
	"context"
	"fmt"
	"net"

	"sluice/sio/engine"
	"sluice/sio/packet"
)

// EmitWithAck sends an event and waits for the client to acknowledge it, with any number of arguments. The client may never
// do so: ctx says how long to wait. Other errors are those of Emit.
//
// It may be called in a handler: the ack passes the events that came before it. It cannot pass the attachments of an event
// of OnStream, which nobody reads before the handler that waits has returned.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	return s.emission().EmitWithAck(ctx, event, args...)
}

// ask sends p and waits for its ack.
func (s *Socket) ask(ctx context.Context, p *Prepared, f Flags) (Args, error) {
	if p.err != nil {
		return Args{}, p.err
	}
	if f.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.Timeout)
		defer cancel()
	}
	id := s.ns.lastAck.Add(1)
	answer := make(reply, 1)
	if err := s.request(p, p.message(packet.Event, s.variant(f.Plain), id), id, answer, f.Volatile); err != nil {
		return Args{}, err
	}
	defer s.expectNot(id)
	select {
	case a := <-answer:
		return a, nil
	case <-ctx.Done():
		return Args{}, fmt.Errorf("sio: ack of %q: %w", p.name, context.Cause(ctx))
	case <-s.life.context().Done():
	}
	select {
	case a := <-answer: // it came before the end
		return a, nil
	default:
		return Args{}, context.Cause(s.life.context())
	}
}

// reply takes one ack.
type reply chan Args

func (r reply) answer(a Args) { r <- a } // has room for the one
func (r reply) gone()         {}         // who waits sees the socket's context end

// request sends m, which is p with the ack id, and has the ack given to a. On an error a is not called.
func (s *Socket) request(p *Prepared, m *engine.Prepared, id int64, a answerer, volatile bool) error {
	if err := s.expect(id, a); err != nil {
		return err
	}
	if err := s.put(p, m, volatile); err != nil {
		if s.expectNot(id) {
			return err
		}
		return nil // the socket has ended meanwhile, and told a
	}
	return nil
}

// expect prepares for an ack. While anybody waits for one, the client is read from whatever waits to be handled.
func (s *Socket) expect(id int64, a answerer) error {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.state != connected {
		return net.ErrClosed
	}
	if s.acks == nil {
		s.acks = make(map[int64]answerer)
	}
	s.acks[id] = a
	c.await(a, 1)
	c.changed.broadcast()
	return nil
}

// expectNot gives up waiting for an ack. It reports whether one was waited for.
func (s *Socket) expectNot(id int64) bool {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	return s.takeAck(id) != nil
}

// acknowledged hands an ack to who waits for it; one that nobody waits for any more is nothing special.
func (s *Socket) acknowledged(id int64, args Args) {
	c := s.conn
	c.mu.Lock()
	a := s.takeAck(id)
	c.mu.Unlock()
	if a != nil {
		a.answer(args)
	}
}

// takeAck returns who waits for an ack, nil for nobody: it is waited for no more. Called with conn.mu held.
func (s *Socket) takeAck(id int64) answerer {
	a := s.acks[id]
	if a != nil {
		delete(s.acks, id)
		s.conn.await(a, -1)
	}
	return a
}

// await counts who waits for acks. Called with c.mu held.
func (c *conn) await(a answerer, n int) {
	c.awaiting += n
	if _, alone := a.(reply); alone {
		c.asking += n
	}
}

// takeAcks returns all who wait for acks of a socket that ends. Called with conn.mu held.
func (s *Socket) takeAcks() []answerer {
	var all []answerer
	for _, a := range s.acks {
		all = append(all, a)
		s.conn.await(a, -1)
	}
	s.acks = nil
	return all
}

package sio

import (
	"context"
	"sync"

	"sluice/sio/engine"
	"sluice/sio/packet"
)

// answerer waits for the ack of an event.
type answerer interface {
	answer(Args) // with the ack; it does not wait
	gone()       // in its place: the socket has ended
}

// gathering collects the acks of a broadcast. All its packets have one id, so that they are encoded once for each codec.
type gathering struct {
	id   int64
	ack  func(Args)
	done chan struct{} // closed when nothing is outstanding

	mu          sync.Mutex
	over        bool // guarded by mu: ack is not called any more
	outstanding int  // guarded by mu: sockets that may still acknowledge
}

// newGathering expects acks of that many sockets.
func newGathering(ns *Namespace, sockets int, ack func(Args)) *gathering {
	g := &gathering{id: ns.lastAck.Add(1), ack: ack, done: make(chan struct{}), outstanding: sockets}
	if sockets == 0 {
		close(g.done)
	}
	return g
}

// send sends b, and returns how many sockets it was sent to.
func (g *gathering) send(sockets []*Socket, b Broadcast) (sent int) {
	messages := make(map[variant]*engine.Prepared, 1)
	for _, s := range sockets {
		v := s.variant(b.Plain)
		m := messages[v]
		if m == nil {
			m = b.Event.message(packet.Event, v, g.id)
			messages[v] = m
		}
		if s.request(b.Event, m, g.id, g, b.Volatile) != nil {
			g.gone()
			continue
		}
		sent++
	}
	return sent
}

// wait returns when everybody has acknowledged or gone, or ctx ends.
func (g *gathering) wait(ctx context.Context, sockets []*Socket) error {
	select {
	case <-g.done:
		return nil
	case <-ctx.Done():
	}
	for _, s := range sockets {
		s.expectNot(g.id)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	if g.outstanding == 0 {
		return nil
	}
	return context.Cause(ctx)
}

func (g *gathering) answer(a Args) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return
	}
	g.ack(a)
	g.settle()
}

func (g *gathering) gone() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settle()
}

// settle counts a socket out. Called with g.mu held.
func (g *gathering) settle() {
	if g.outstanding--; g.outstanding == 0 {
		close(g.done)
	}
}

package sio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
)

// ServerEmitter is what an Adapter that reaches other nodes may be, too: it carries events from server to server. An event
// that comes from elsewhere is given to [Namespace.ServeServerSide].
type ServerEmitter interface {
	// ServerSideEmit sends p to the same namespace of all other nodes. It does not wait.
	ServerSideEmit(p *Prepared) error

	// ServerSideEmitWithAck does so and waits for their acks. When ctx ends before all have come, it returns those that came
	// and an error that wraps the cause of that.
	ServerSideEmitWithAck(ctx context.Context, p *Prepared) ([]Args, error)
}

// ServerEvent is what another node emitted with ServerSideEmit.
type ServerEvent struct {
	Name string
	Args

	ack func(Args) // nil if none is asked for, or it was given
	out atomic.Bool
}

// Ack acknowledges the event with args, encoded as in [Prepare]. It works once, from any goroutine. Errors are ErrNoAck and
// those of encoding.
func (e *ServerEvent) Ack(args ...any) error {
	encoded, err := Prepare(e.Name, args...).Args()
	if err != nil {
		return err
	}
	if e.ack == nil || !e.out.CompareAndSwap(false, true) {
		return ErrNoAck
	}
	e.ack(encoded)
	return nil
}

// serverReserved are the names that servers in Node emit to the application themselves.
var serverReserved = []string{"connect", "connection", "new_namespace"}

// errAlone is what emitting to other servers comes to when there can be none.
var errAlone = fmt.Errorf("sio: the namespace's Adapter reaches no other servers: %w", errors.ErrUnsupported)

// ServerSideEmit sends an event to the handlers that the same namespace has on all other nodes (OnServerSide). It never
// waits. The error is errors.ErrUnsupported when the namespace's Adapter is no [ServerEmitter], as that of a single process
// is not: nobody else is there, and a program that relies on somebody is to notice.
func (ns *Namespace) ServerSideEmit(event string, args ...any) error {
	e, p, err := ns.serverSide(event, args)
	if err != nil {
		return err
	}
	return e.ServerSideEmit(p)
}

// ServerSideEmitWithAck sends an event as ServerSideEmit does, and waits for an ack of every other node. When ctx ends
// before all have come, it returns those that came and an error.
func (ns *Namespace) ServerSideEmitWithAck(ctx context.Context, event string, args ...any) ([]Args, error) {
	e, p, err := ns.serverSide(event, args)
	if err != nil {
		return nil, err
	}
	return e.ServerSideEmitWithAck(ctx, p)
}

// serverSide returns an event for other servers, and what brings it to them.
func (ns *Namespace) serverSide(event string, args []any) (ServerEmitter, *Prepared, error) {
	if slices.Contains(serverReserved, event) {
		return nil, nil, fmt.Errorf("sio: reserved event name %q", event)
	}
	p := Prepare(event, args...)
	if p.err != nil {
		return nil, nil, p.err
	}
	e, ok := ns.Adapter().(ServerEmitter)
	if !ok {
		return nil, nil, errAlone
	}
	return e, p, nil
}

// OnServerSide sets the handler of an event that other nodes emit with ServerSideEmit. It is called by the Adapter, and must
// not wait. It panics if event has a handler.
func (ns *Namespace) OnServerSide(event string, h func(e *ServerEvent)) {
	ns.handlers.mu.Lock()
	defer ns.handlers.mu.Unlock()
	if _, ok := ns.handlers.serverSide[event]; ok {
		panic("sio: a second handler for " + event)
	}
	if ns.handlers.serverSide == nil {
		ns.handlers.serverSide = make(map[string]func(*ServerEvent))
	}
	ns.handlers.serverSide[event] = h
}

// ServeServerSide calls the handler of an event of another node, if there is one; it is for Adapters. ack is called at most
// once, perhaps later and by another goroutine; nil says that no ack is asked for. A handler's panic is logged.
func (ns *Namespace) ServeServerSide(event string, args Args, ack func(Args)) {
	for at := ns; at != nil; at = at.parent {
		if h := at.handlers.forServers(event); h != nil {
			ns.server.contain("OnServerSide", func() { h(&ServerEvent{Name: event, Args: args, ack: ack}) })
			return
		}
	}
}

func (h *handlers) forServers(event string) func(*ServerEvent) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.serverSide[event]
}

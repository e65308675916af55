package sio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Audience is a choice of a namespace's sockets, made when something is sent: a value that can be narrowed, kept and used
// from any goroutine.
//
//	ns.To("lobby").Except("muted").Emit("news", text)
//	s.To("lobby").Volatile().Emit("typing") // to all in the lobby but s itself, if they are not behind
type Audience struct {
	ns     *Namespace
	sel    Selection
	flags  Flags
	origin *Socket // it is what that one sees as the others; nil: it is nobody's view
}

// To selects, beside those selected by an earlier To, the sockets that are in one of rooms. Every socket is in the room of
// its own id.
func (a Audience) To(rooms ...string) Audience {
	a.sel.Rooms = append(slices.Clip(a.sel.Rooms), rooms...)
	return a
}

// In is another name of To.
func (a Audience) In(rooms ...string) Audience { return a.To(rooms...) }

// Except leaves out the sockets that are in one of rooms.
func (a Audience) Except(rooms ...string) Audience {
	a.sel.Except = append(slices.Clip(a.sel.Except), rooms...)
	return a
}

// Local leaves out the sockets of other nodes.
func (a Audience) Local() Audience {
	a.sel.Local = true
	return a
}

// Volatile emits what may be lost: a socket to which something still waits to be sent does not get it, which Stats counts.
// So it never waits behind anything, and what comes is fresh.
func (a Audience) Volatile() Audience {
	a.flags.Volatile = true
	return a
}

// Compress says whether what is emitted may be compressed, which is the default.
func (a Audience) Compress(may bool) Audience {
	a.flags.Plain = !may
	return a
}

// Timeout bounds how long EmitWithAck and FetchSockets wait.
func (a Audience) Timeout(d time.Duration) Audience {
	a.flags.Timeout = d
	return a
}

// Emit sends an event to all of the audience; it is encoded once. The error says that it cannot be encoded, or that the
// Adapter refused it. Who has a full queue does not get it, which Stats counts. Bytes among args must not be changed
// afterwards.
func (a Audience) Emit(event string, args ...any) error { return a.Send(Prepare(event, args...)) }

// Send is Emit of an event that is encoded already.
func (a Audience) Send(p *Prepared) error {
	if p.err != nil {
		return p.err
	}
	return a.ns.Adapter().Broadcast(a.broadcast(p))
}

// SendAll is Send of several events, in their order. They go out together, so that many of them cost each socket hardly more than
// one does. The error is that of the first that fails; those before it are sent.
func (a Audience) SendAll(events ...*Prepared) error {
	l, ok := a.ns.Adapter().(local)
	together := ok && len(events) > 1 && !a.flags.Volatile && !a.ns.keeps(a.flags)
	for i, p := range events {
		if p.err != nil {
			events, together = events[:i+1], false
			break
		}
	}
	if together {
		l.sendAll(a.sel, events, a.flags.Plain)
		return nil
	}
	for _, p := range events {
		if err := a.Send(p); err != nil {
			return err
		}
	}
	return nil
}

func (a Audience) broadcast(p *Prepared) Broadcast {
	return Broadcast{Selection: a.sel, Flags: a.flags, Event: p, origin: a.origin}
}

// EmitWithAck sends an event to all of the audience and waits until all have acknowledged it; who disconnects meanwhile, or
// could not be sent the event, is not waited for. It returns the acks in the order of their coming. When ctx or the Timeout
// ends before that, it returns those that came and an *[AckError].
//
// In a handler it may be called as [Socket.EmitWithAck] may.
func (a Audience) EmitWithAck(ctx context.Context, event string, args ...any) ([]Args, error) {
	p := Prepare(event, args...)
	if p.err != nil {
		return nil, p.err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	var (
		mu   sync.Mutex
		sent int    // guarded by mu
		acks []Args // guarded by mu
	)
	b := a.broadcast(p)
	if deadline, ok := ctx.Deadline(); ok {
		b.Timeout = time.Until(deadline) // other nodes have to know
	}
	err := a.ns.Adapter().Gather(ctx, b, func(sockets int) {
		mu.Lock()
		defer mu.Unlock()
		sent += sockets
	}, func(ack Args) {
		mu.Lock()
		defer mu.Unlock()
		acks = append(acks, ack)
	})
	mu.Lock()
	defer mu.Unlock()
	if ctx.Err() != nil && err != nil || errors.Is(err, context.DeadlineExceeded) {
		err = &AckError{Event: event, Missing: sent - len(acks), Err: err}
	}
	return acks, err
}

// AckError says that not all of an audience acknowledged an event in time.
type AckError struct {
	Event   string
	Missing int   // sockets that are known to have been sent it, and have not acknowledged it
	Err     error // why nobody waits any longer: context.DeadlineExceeded after the time, else the cause of the context's end
}

func (e *AckError) Error() string {
	return fmt.Sprintf("sio: %d acks of %q are missing: %v", e.Missing, e.Event, e.Err)
}

// Unwrap returns Err.
func (e *AckError) Unwrap() error { return e.Err }

// bounded returns ctx with the audience's timeout.
func (a Audience) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.flags.Timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, a.flags.Timeout)
}

// Sockets returns the sockets of this node that are the audience now.
func (a Audience) Sockets() []*Socket { return a.ns.find(a.sel) }

// FetchSockets returns what is known of all sockets that are the audience now, on all nodes. With an error it returns those
// it knows of.
func (a Audience) FetchSockets(ctx context.Context) ([]RemoteSocket, error) {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	sockets, err := a.ns.Adapter().Fetch(ctx, a.sel)
	for i := range sockets {
		if sockets[i].ns == nil { // else a parent's Adapter set it
			sockets[i].ns = a.ns
		}
	}
	return sockets, err
}

// SocketsJoin lets all of the audience join rooms.
func (a Audience) SocketsJoin(rooms ...string) error { return a.apply(Command{Join: rooms}) }

// SocketsLeave lets all of the audience leave rooms.
func (a Audience) SocketsLeave(rooms ...string) error { return a.apply(Command{Leave: rooms}) }

// DisconnectSockets disconnects all of the audience. See [Socket.Disconnect].
func (a Audience) DisconnectSockets(closeConn bool) error {
	return a.apply(Command{Disconnect: true, CloseConn: closeConn})
}

func (a Audience) apply(c Command) error {
	c.Selection = a.sel
	return a.ns.Adapter().Apply(c)
}

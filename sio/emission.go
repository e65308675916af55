package sio

import (
	"context"
	"time"
)

// Emission is a way of emitting to one socket: a value that can be kept and used from any goroutine.
//
//	s.Volatile().Emit("cursor", x, y)
//	reply, err := s.Timeout(time.Second).EmitWithAck(ctx, "question")
type Emission struct {
	s     *Socket
	flags Flags
}

func (s *Socket) emission() Emission { return Emission{s: s} }

// Volatile emits what may be lost: while something still waits to be sent to the client it is dropped, without an error, and
// counted in Stats. So it never waits behind anything, and what comes is fresh.
func (s *Socket) Volatile() Emission { return s.emission().Volatile() }

// Compress says whether what is emitted may be compressed, which is the default.
func (s *Socket) Compress(may bool) Emission { return s.emission().Compress(may) }

// Timeout bounds how long EmitWithAck waits.
func (s *Socket) Timeout(d time.Duration) Emission { return s.emission().Timeout(d) }

// Volatile is [Socket.Volatile].
func (e Emission) Volatile() Emission {
	e.flags.Volatile = true
	return e
}

// Compress is [Socket.Compress].
func (e Emission) Compress(may bool) Emission {
	e.flags.Plain = !may
	return e
}

// Timeout is [Socket.Timeout].
func (e Emission) Timeout(d time.Duration) Emission {
	e.flags.Timeout = d
	return e
}

// Emit is [Socket.Emit].
func (e Emission) Emit(event string, args ...any) error { return e.Send(Prepare(event, args...)) }

// Send is [Socket.Send].
func (e Emission) Send(p *Prepared) error {
	if p.err != nil {
		return p.err
	}
	if err := e.s.send(p, e.flags); err != errVolatile {
		return err
	}
	return nil
}

// EmitWithAck is [Socket.EmitWithAck]. When the time is up the error is context.DeadlineExceeded. An event that is dropped
// for being volatile is ErrQueueFull, since nobody will acknowledge it.
func (e Emission) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	reply, err := e.s.ask(ctx, Prepare(event, args...), e.flags)
	if err == errVolatile {
		err = ErrQueueFull
	}
	return reply, err
}

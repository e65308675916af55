package engine

import (
	"net"
	"sync"
	"sync/atomic"
)

const (
	// inlineBytes is how much is sent by the goroutine that called Wake before one of the session's own takes over.
	inlineBytes = 512 << 10
	// batchBytes is how much is pulled for one write, at most. After a write that the connection did not take whole it is
	// leastBatchBytes, and doubles with every one that it does: what has been pulled cannot be overtaken any more.
	batchBytes      = 512 << 10
	leastBatchBytes = 32 << 10
	// replyBytes is how much a polling reply holds, before it is encoded, when no more is added.
	replyBytes = 512 << 10
)

// outlet is the sending half of a session: a lock that is only ever tried, and what its holder owns. Who finds it taken leaves
// word, and the holder looks once more before it goes.
type outlet struct {
	state atomic.Int32
	stuck atomic.Bool    // the carrier does not take at once what it was given
	held  sync.WaitGroup // done when a holder has seen the session's end; the lock is never given up then

	// Owned by the holder.
	carrier *carrier    // nil while the session is on polling
	pending net.Buffers // pulled, but not written
	sending []*Prepared // what pending is of, if its bytes are lent
	space   [4][]byte   // where pending begins: most batches are as small, and need no allocation
	limit   int         // of the next batch
}

// The states of an outlet's lock.
const (
	outletFree int32 = iota
	outletTaken
	outletWanted // taken, and somebody came since
)

// init makes an outlet that is locked.
func (o *outlet) init() {
	o.held.Add(1)
	o.limit = batchBytes
	o.state.Store(outletTaken)
}

// acquire takes the lock if it is free, else it leaves word.
func (o *outlet) acquire() bool {
	for {
		switch {
		case o.state.CompareAndSwap(outletFree, outletTaken):
			return true
		case o.state.CompareAndSwap(outletTaken, outletWanted), o.state.Load() == outletWanted:
			return false
		}
	}
}

// release gives the lock up, unless somebody left word.
func (o *outlet) release() bool {
	if o.state.CompareAndSwap(outletTaken, outletFree) {
		return true
	}
	o.state.Store(outletTaken)
	return false
}

// verdict says how a round of sending ended.
type verdict int

const (
	dry    verdict = iota // there is nothing to send, or nobody to send it to
	behind                // there is more, which must be waited for
	over                  // the session has ended
	again                 // look once more
)

// transmit sends what there is without waiting, and leaves the rest to a goroutine. Its caller holds the lock and gives it up.
func (s *Session) transmit() {
	for {
		switch s.send(false) {
		case over:
			return
		case behind:
			s.server.spawn(s.serve)
			return
		}
		if s.out.release() {
			return
		}
	}
}

// serve sends, waiting, until there is nothing more. It holds the lock.
func (s *Session) serve() {
	for {
		switch s.send(true) {
		case over:
			return
		case behind:
			s.out.stuck.Store(true)
			n, err := s.out.carrier.out.write(&s.out.pending)
			s.out.stuck.Store(false)
			s.server.counters.sent(n)
			if err != nil {
				s.fail(err)
			}
		case dry:
			if s.out.release() {
				return
			}
		}
	}
}

// send sends until there is nothing more or it would have to wait; for the Receiver it waits if wait is set.
func (s *Session) send(wait bool) verdict {
	for budget := inlineBytes; ; {
		if !s.running() {
			s.out.held.Done()
			return over
		}
		s.move()
		if s.out.carrier == nil {
			if v := s.sendPolling(wait); v != again {
				return v
			}
			continue
		}
		n, err := s.out.push()
		s.server.counters.sent(n)
		switch {
		case err == errBusy:
			return behind
		case err != nil:
			s.fail(err)
			continue
		}
		more := s.gather(wait)
		if len(s.out.pending) > 0 {
			if budget -= n; budget < 0 && !wait {
				return behind
			}
			continue
		}
		if !more {
			if s.drained() {
				continue
			}
			return dry
		}
		if !wait {
			return behind
		}
	}
}

// fail ends the session because its transport could not be written to.
func (s *Session) fail(err error) { s.end(transportError(err), goodbyeGone) }

// drained ends the session if it was only to send what it had.
func (s *Session) drained() bool {
	s.mu.Lock()
	draining, err := s.draining, s.drainErr
	s.mu.Unlock()
	if draining {
		s.Close(err)
	}
	return draining
}

// push writes what is pending without waiting, and learns from it how much to pull next.
func (o *outlet) push() (int, error) {
	n, err := o.carrier.out.tryWrite(&o.pending)
	switch {
	case err != nil:
		o.limit = leastBatchBytes
	case n > 0:
		o.limit = min(2*o.limit, batchBytes)
	}
	if len(o.pending) == 0 {
		o.pending = nil
		clear(o.space[:])
		o.letGo()
	}
	return n, err
}

// letGo is for when all of pending has been written.
func (o *outlet) letGo() {
	for i, p := range o.sending {
		p.Release()
		o.sending[i] = nil
	}
	o.sending = o.sending[:0]
}

// gather fills the next batch: the session's own frames, then what the Receiver has. It reports whether there may be more.
func (s *Session) gather(wait bool) (more bool) {
	o := &s.out
	if len(o.pending) == 0 {
		o.pending = o.space[:0]
	}
	o.pending = s.appendOwnFrames(o.pending)
	for size := 0; size < o.limit && len(o.pending) < maxSegments; {
		p, more := s.receiver.Next(wait && len(o.pending) == 0)
		if p != nil {
			size += p.Size()
			s.server.counters.messagesOut.Add(uint64(len(p.msgs)))
			o.pending = append(o.pending, p.as(o.carrier.variant)...)
			if p.done != nil {
				o.sending = append(o.sending, p)
			}
		}
		if p == nil || !more {
			return more
		}
	}
	return true
}

// appendOwnFrames appends the frames that the engine itself has to send.
func (s *Session) appendOwnFrames(dst [][]byte) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pong != nil {
		dst = append(dst, s.pong)
		s.pong = nil
	}
	for _, packet := range s.ownPackets() {
		dst = append(dst, s.out.carrier.framing.appendText(nil, packet))
	}
	return dst
}

// move switches to the carrier once the upgrade is done.
func (s *Session) move() {
	if s.out.carrier != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.carrier == nil {
		return
	}
	s.out.carrier = s.carrier
	s.noopDue = false
	if s.poll != nil {
		s.dismiss(s.poll)
		s.poll = nil
	}
}

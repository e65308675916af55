package engine

import (
	"errors"
	"sync/atomic"
	"time"
)

// defaultLull is how long nothing must have come over a carrier for its reader to rest; it may be twice that. One that is in use
// pays nothing for it.
const defaultLull = 100 * time.Millisecond

// errParked says that a reader has left its carrier to the parking.
var errParked = errors.New("carrier is parked")

// rester is an inlet that can give up what it holds while nothing comes.
type rester interface {
	inlet
	// rest does so until await or next is called. It reports whether it did: something may have come.
	rest() bool
}

// lull finds out that nothing comes over a carrier: a timer sees its reader wait as it did a while ago, and wakes it. So
// there is no deadline to set for each message.
type lull struct {
	waits atomic.Uint32 // goes up when the reader begins to wait and when that ends: odd while it waits

	// Guarded by the session's mu.
	timer *time.Timer
	seen  uint32 // waits, when the timer fired
	token uint64 // of the carrier, in the parking
}

// awaitMessage waits for the first byte of a message. When none has come for a while the reader rests: in the parking, which
// is errParked, or here.
func (s *Session) awaitMessage(c *carrier, in rester) error {
	turn := c.lull.waits.Add(1)
	err := in.await()
	if c.lull.waits.CompareAndSwap(turn, turn+1) {
		return readError(err)
	}
	if err := s.rest(c, in); err != nil {
		return err
	}
	defer s.watch(c)
	return readError(in.await()) // if it was woken in vain, that returns what the one before did
}

// watch starts the timer, before the reader waits.
func (s *Session) watch(c *carrier) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return // a timer would hold the session until it fires
	}
	c.lull.seen = c.lull.waits.Load() + 1
	c.lull.timer = time.AfterFunc(s.server.lullTime(), func() { s.listen(c) })
}

// listen wakes the reader if it has waited since the timer fired last.
func (s *Session) listen(c *carrier) {
	s.mu.Lock()
	defer s.mu.Unlock()
	turn := c.lull.waits.Load()
	switch {
	case s.ended:
	case turn%2 == 1 && turn == c.lull.seen && c.lull.waits.CompareAndSwap(turn, turn+1):
		c.conn.SetReadDeadline(longAgo)
	default:
		c.lull.seen = turn
		c.lull.timer.Reset(s.server.lullTime())
	}
}

// rest is for a reader that was woken: it gives up what it holds, and the carrier to the parking if that takes it.
func (s *Session) rest(c *carrier, in rester) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return errEnded
	}
	c.lull.timer = nil
	c.conn.SetReadDeadline(time.Time{})
	if in.rest() && s.server.parking.park(s, c) {
		return errParked
	}
	return nil
}

// interrupt makes the reader of c stop at once, wherever it rests. Its caller holds mu.
func (s *Session) interrupt(c *carrier) {
	c.interrupt()
	if c.lull.timer != nil {
		c.lull.timer.Stop()
	}
	s.server.parking.wake(c.lull.token)
}

package engine

import (
	"errors"
	"net/http"
	"os"
	"time"
)

const (
	// quietLeast and quietMost bound how long the POSTs of a session must have rested before its upgrade goes on.
	quietLeast = 50 * time.Millisecond
	quietMost  = 2 * time.Second
	// quietTimes is after how many times that long only a POST that took long matters: a client may always have something to say.
	quietTimes = 3
	// longPost is what part of the time that a client may be silent a POST must have taken to be long.
	longPost = 8
)

var errNoUpgrade = errors.New("client did not complete the upgrade")

// serveUpgrade opens a WebSocket that may become the session's transport.
func (s *Session) serveUpgrade(w http.ResponseWriter, r *http.Request) {
	first := s.beginUpgrade() // not later: a client that sees its WebSocket open may send more requests at once
	c, err := s.server.openWebSocket(w, r, s, nil, "")
	if err != nil {
		if first {
			s.dropUpgrade()
		}
		return
	}
	c.request = keep(r)
	opened := time.Now()
	s.server.spawn(func() { s.tryUpgrade(c, opened, first) })
}

// beginUpgrade reports whether there may be an upgrade: there is no transport beside polling, and nothing is about to become one.
func (s *Session) beginUpgrade() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.carrier != nil || s.upgrade != nil {
		return false
	}
	s.upgrade = make(chan struct{})
	return true
}

// tryUpgrade makes c the session's transport, if it is the first to try and the client goes through the steps. It reads from c
// until that ends.
func (s *Session) tryUpgrade(c *carrier, opened time.Time, first bool) {
	c.answer = func(frame []byte) error { return c.writeNow(frame, s.server.upgradeTimeout()) }
	if !first {
		s.awaitUpgrade()
	}
	if !first || !s.addProbe(c) {
		c.gone.close()
		c.interrupt()
		c.part(nil, nil)
		return
	}
	if err := s.goThrough(c, opened); err != nil {
		c.gone.close()
		s.dropProbe(c, err)
		return
	}
	s.readCarrier(c)
}

// endUpgrade says that an upgrade is over. Its caller holds mu.
func (s *Session) endUpgrade() {
	close(s.upgrade)
	s.upgrade = nil
}

// awaitUpgrade lets an upgrade that may be nearly over end first, so that a client sees things in the order in which it did them.
func (s *Session) awaitUpgrade() {
	s.mu.Lock()
	upgrade := s.upgrade
	s.mu.Unlock()
	if upgrade == nil {
		return
	}
	soon := time.NewTimer(earlyTime)
	defer soon.Stop()
	select {
	case <-upgrade:
	case <-soon.C:
	case <-s.Done():
	}
}

// addProbe makes c what may become the transport, unless the session has ended.
func (s *Session) addProbe(c *carrier) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.probe = c
	return true
}

// dropProbe gives c up.
func (s *Session) dropProbe(c *carrier, err error) {
	s.dropUpgrade()
	c.interrupt()
	c.part(nil, err)
}

// dropUpgrade gives an upgrade up; the session goes on as it was.
func (s *Session) dropUpgrade() {
	s.mu.Lock()
	s.probe, s.probed = nil, false
	s.endUpgrade()
	p := s.poll
	s.mu.Unlock()
	if p != nil {
		s.releasePoll(p)
	}
}

// goThrough goes through the steps of an upgrade.
func (s *Session) goThrough(c *carrier, opened time.Time) error {
	if err := s.expect(c, probePing); err != nil {
		return err
	}
	quiet := min(max(3*time.Since(opened), quietLeast), quietMost)
	if !s.awaitQuiet(quiet) {
		return errEnded
	}
	if err := c.writeNow(c.framing.appendText(nil, probePong), s.server.upgradeTimeout()); err != nil {
		return err
	}
	s.Wake() // the noop
	if err := s.expect(c, upgraded); err != nil {
		return err
	}
	return s.moveTo(c)
}

// awaitQuiet waits until no POST of the session has been read for a while and none is expected, and then marks it as probed;
// false is its end.
//
// A client that got 3probe polls no more until its running POST has ended: it sees no ping, and closes when that takes longer
// than interval and timeout. POSTs follow each other at a round trip's distance, so the first pause between two is no end; and
// before the POST of a large attachment the client takes its time to encode it, so an event that lacks one is no end either.
// But one that keeps sending little things is not to be kept from the upgrade for ever.
func (s *Session) awaitQuiet(quiet time.Duration) bool {
	for enough := time.Now().Add(quietTimes * quiet); ; {
		expecting := s.expecting() // without mu: it is the Receiver's to lock
		s.mu.Lock()
		last := s.lastPost
		if time.Now().After(enough) {
			last = s.lastLong
		}
		p, rest := s.post, quiet-time.Since(last)
		if p == nil && rest <= 0 && expecting {
			rest = quiet
		} else if p == nil && rest <= 0 {
			s.probed, s.noopDue = true, true
			if s.poll != nil {
				s.hold(s.poll, earlyTime-time.Since(s.poll.early))
			}
			s.mu.Unlock()
			return true
		}
		s.mu.Unlock()
		if !s.await(p, rest) {
			return false
		}
	}
}

// expecting reports whether the Receiver needs another message to go on.
func (s *Session) expecting() bool {
	e, ok := s.receiver.(Expecter)
	return ok && e.Expecting()
}

// await waits for p to have been read, or for a time if p is nil. It returns false if the session ended first.
func (s *Session) await(p *post, rest time.Duration) bool {
	var read <-chan struct{}
	var rested <-chan time.Time
	if p != nil {
		read = p.done
	} else {
		t := time.NewTimer(rest)
		defer t.Stop()
		rested = t.C
	}
	select {
	case <-read:
	case <-rested:
	case <-s.Done():
		return false
	}
	return true
}

// expect reads one message from the probing client, which must be want. The time in which a POST is being read does not count.
func (s *Session) expect(c *carrier, want string) error {
	for {
		if !s.isProbing(c) {
			return errEnded
		}
		c.conn.SetReadDeadline(time.Now().Add(s.server.upgradeTimeout()))
		err := c.in.await()
		if err == nil {
			break
		}
		p := s.postBeingRead()
		if !errors.Is(err, os.ErrDeadlineExceeded) || p == nil {
			return err
		}
		if !s.await(p, 0) {
			return errEnded
		}
	}
	binary, _, err := c.in.next()
	if err != nil {
		return err
	}
	if binary {
		return errNoUpgrade
	}
	text, release, err := c.in.text(len(probePing))
	if err != nil {
		return err
	}
	defer release()
	if string(text) != want {
		return errNoUpgrade
	}
	return nil
}

func (s *Session) postBeingRead() *post {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.post
}

// begin makes c the transport of a session that starts on it.
func (s *Session) begin(c *carrier) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.carrier = c
	if s.ended {
		c.interrupt() // nobody reads it yet
	}
}

// moveTo makes c the session's transport.
func (s *Session) moveTo(c *carrier) error {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return errEnded
	}
	c.answer = s.answerLater
	c.conn.SetReadDeadline(time.Time{})
	s.carrier, s.probe, s.probed = c, nil, false
	s.endUpgrade()
	s.mu.Unlock()
	s.server.counters.upgraded.Add(1)
	s.Wake()
	if u, ok := s.receiver.(Upgrader); ok {
		u.Upgraded()
	}
	return nil
}

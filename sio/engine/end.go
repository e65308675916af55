package engine

import (
	"errors"
	"log/slog"
	"time"
)

const (
	// partingTime is how long the end of a carrier may take: for writing the last words, and again for the client to close.
	partingTime = time.Second
	// partingGET is how long, after a client closed over polling, its GET may still come.
	partingGET = 50 * time.Millisecond
	// refusedPOST is how long a session is left after a POST that was too large.
	refusedPOST = 500 * time.Millisecond
	// closedGET is how long, after the server closed a polling session, a GET may come that is told so.
	closedGET = 5 * time.Second
)

// goodbye is how a client is told that its session is over.
type goodbye int

const (
	goodbyeFault  goodbye = iota // the client's fault: a close packet to a waiting GET, nothing later
	goodbyeClose                 // the server closes: a close packet, also to a GET that comes soon
	goodbyeClosed                // the client closed over polling: a noop, also to a GET that comes soon
	goodbyeEcho                  // the client sent a close frame, which is sent back
	goodbyeGone                  // nobody is there to be told
	goodbyeSaid                  // the close packet has been sent
)

// packet returns what a GET is answered with.
func (g goodbye) packet() string {
	if g == goodbyeClosed {
		return string(typeNoop)
	}
	return string(typeClose)
}

// late returns for how long a GET that comes after the end is answered.
func (g goodbye) late() time.Duration {
	switch g {
	case goodbyeClosed:
		return partingGET
	case goodbyeClose:
		return closedGET
	}
	return 0
}

// end begins the end of the session, once; a goroutine does the rest, since end never waits.
func (s *Session) end(err error, g goodbye) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.ended, s.err, s.goodbye = true, err, g
	s.done.close()
	if s.drainEnds != nil {
		s.drainEnds.Stop()
	}
	if s.post != nil && g != goodbyeClosed { // the POST that brings the client's close has been read
		s.post.aborted = true
		s.post.abort()
	}
	for _, p := range s.replies {
		p.limit(partingTime)
	}
	for _, c := range []*carrier{s.carrier, s.probe} {
		if c != nil {
			s.interrupt(c)
		}
	}
	if late := g.late(); s.carrier == nil && late > 0 {
		// Before anybody sees that it has ended: the GET may come now. One that waits may be answered with messages at this moment.
		s.server.linger(s.id, s.packets(g.packet()), late)
	}
	s.mu.Unlock()
	s.beat.stop()
	s.server.spawn(s.finish)
	s.server.forget(s)
}

// finish takes the session down. Whoever sends or receives sees that it has ended and stops.
func (s *Session) finish() {
	s.Wake() // whoever holds the outlet's lock now, it is kept for good
	s.out.held.Wait()
	s.part()
	s.recv.Lock() // the last Receive has returned
	defer s.recv.Unlock()
	if s.opened {
		s.server.counters.ended(reason(s.err))
	}
	s.server.log().LogAttrs(s.request.Context(), slog.LevelDebug, "session closed",
		slog.String("sid", s.id), slog.String("reason", reason(s.err)), slog.Any("error", s.err))
	if s.receiver != nil {
		s.receiver.Closed(s.err)
	}
}

// part tells the client, over whatever transport there is, and closes it. What may become the transport parts by itself.
func (s *Session) part() {
	s.mu.Lock()
	c, p, g := s.carrier, s.poll, s.goodbye
	s.poll = nil
	s.mu.Unlock()
	switch {
	case c == nil && p != nil:
		s.server.takeLate(s.id) // this GET is the last
		p.reply <- s.packets(g.packet())
	case p != nil:
		s.dismiss(p)
	}
	if c == nil {
		return
	}
	if g == goodbyeGone {
		c.drop()
		return
	}
	c.part(s.out.pending, s.err)
}

// reason is the word under which an end is counted.
func reason(err error) string {
	var breach *ProtocolError
	switch {
	case errors.As(err, &breach):
		return "protocol error"
	case errors.Is(err, ErrTransportError):
		return ErrTransportError.Error()
	}
	for _, known := range []error{ErrPingTimeout, ErrTransportClose, ErrTooLarge, ErrServerShutdown} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return ErrClosed.Error()
}

// isProbing reports whether c may still become the transport.
func (s *Session) isProbing(c *carrier) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.ended && s.probe == c
}

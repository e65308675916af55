package engine

import (
	"net/http"
	"slices"
	"time"
)

const (
	transportPolling   = "polling"
	transportWebSocket = "websocket"

	// okType is what Node's server says of its "ok": text/plain makes some browsers offer a download.
	okType = "text/html"
	// holdTime is how long a GET that comes while the client is upgrading waits for the upgrade: Node's interval.
	holdTime = 100 * time.Millisecond
	// earlyTime is the same for a GET that came before the answer to the client's probe: who has sent "5" has not waited for that,
	// so it is there soon, and everybody else waits for this GET to end.
	earlyTime = 30 * time.Millisecond
)

// poll is a GET that waits for something to send. It is answered once, by the holder of the outlet's lock.
type poll struct {
	reply chan pollReply      // holds one
	limit func(time.Duration) // sets how long writing that may take from now on

	// Guarded by the session's mu.
	early time.Time   // when it came, if the client was upgrading and its probe was not answered
	held  bool        // an upgrade may come first
	until *time.Timer // releases it
}

// dismiss answers a GET that came when the session was on a carrier already; one that waited before gets a noop.
func (s *Session) dismiss(p *poll) {
	if p.held {
		p.reply <- pollReply{refuse: true}
		return
	}
	p.reply <- s.packets(string(typeNoop))
}

// serveGet waits until there is something to send.
func (s *Session) serveGet(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	p := &poll{
		reply: make(chan pollReply, 1),
		limit: func(d time.Duration) { rc.SetWriteDeadline(time.Now().Add(d)) },
	}
	refusal := s.addPoll(p)
	switch {
	case refusal == errUnknownSession && s.server.serveLate(w, r, s.id):
		return
	case refusal != nil:
		s.server.refuse(w, refusal)
		return
	}
	// The server's own timeouts are not made for a request that waits.
	rc.SetReadDeadline(time.Time{})
	rc.SetWriteDeadline(time.Time{})
	defer s.forgetPoll(p)
	s.Wake()
	select {
	case reply := <-p.reply:
		s.beginReply(p)
		s.writeReply(w, r, reply)
	case <-r.Context().Done():
		s.end(transportError(errPollDropped), goodbyeGone)
	}
}

// addPoll makes p the waiting GET. A second one ends the session.
func (s *Session) addPoll(p *poll) *HandshakeError {
	s.mu.Lock()
	switch {
	case s.ended:
		s.mu.Unlock()
		return errUnknownSession
	case s.carrier != nil:
		s.mu.Unlock()
		return errBadRequest
	case s.poll != nil:
		s.mu.Unlock()
		s.end(&ProtocolError{Packet: "GET", Reason: "another one is waiting"}, goodbyeFault)
		return errBadRequest
	}
	s.poll = p
	switch {
	case s.probed:
		s.hold(p, holdTime)
	case s.upgrade != nil:
		p.early = time.Now()
	}
	s.mu.Unlock()
	return nil
}

// hold lets p wait for the upgrade, for a while. Its caller holds mu.
func (s *Session) hold(p *poll, most time.Duration) {
	if most <= 0 {
		return
	}
	p.held = true
	p.until = time.AfterFunc(most, func() { s.releasePoll(p) })
}

// beginReply notes that the reply to p is being written, which may take as long as the client may be silent, and no longer than
// the end of a carrier once the session has ended.
func (s *Session) beginReply(p *poll) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		p.limit(partingTime)
		return
	}
	p.limit(s.beat.interval + s.beat.timeout)
	s.replies = append(s.replies, p)
}

// forgetPoll ends what was to happen to p.
func (s *Session) forgetPoll(p *poll) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replies = slices.DeleteFunc(s.replies, func(r *poll) bool { return r == p })
	if p.until != nil {
		p.until.Stop()
	}
}

// releasePoll gives up waiting for an upgrade.
func (s *Session) releasePoll(p *poll) {
	s.mu.Lock()
	waiting := s.poll == p
	if waiting {
		p.held = false
		s.noopDue = true
	}
	s.mu.Unlock()
	if waiting {
		s.Wake()
	}
}

// writeReply writes the reply of a GET.
func (s *Session) writeReply(w http.ResponseWriter, r *http.Request, reply pollReply) {
	if reply.refuse {
		s.server.refuse(w, errBadRequest)
		return
	}
	if err := s.server.writePayload(w, r, reply); err != nil {
		s.end(transportError(err), goodbyeGone)
	}
}

// sendPolling answers the waiting GET, if there is one and something to answer.
func (s *Session) sendPolling(wait bool) verdict {
	p, own := s.waitingPoll()
	if p == nil {
		return dry
	}
	var msgs []*Prepared
	more := true
	for size := 0; more && size < replyBytes; {
		var next *Prepared
		next, more = s.receiver.Next(wait && len(own)+len(msgs) == 0)
		if next == nil {
			break
		}
		msgs = append(msgs, next)
		size += next.Size()
		s.server.counters.messagesOut.Add(uint64(len(next.msgs)))
	}
	none := len(own)+len(msgs) == 0
	// Not with anything before it: clients act on a close packet before they have handed on what came with it.
	closes := !more && none && s.drained()
	switch {
	case closes:
		own = append(own, string(typeClose))
	case none && more && wait:
		return again
	case none && more:
		return behind
	case none:
		return dry
	}
	s.takePoll(closes)
	p.reply <- s.payload(own, msgs)
	for _, m := range msgs { // encoding them was copying them
		m.Release()
	}
	return again
}

// waitingPoll returns the GET to answer, if one waits, and the packets that the engine itself has to send.
func (s *Session) waitingPoll() (p *poll, own []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll == nil || s.poll.held {
		return nil, nil
	}
	own = s.ownPackets()
	if s.noopDue {
		own = append(own, string(typeNoop))
	}
	s.noopDue = false
	return s.poll, own
}

// ownPackets takes what the heartbeat has to send. Its caller holds mu.
func (s *Session) ownPackets() (own []string) {
	if s.pingDue {
		own = append(own, string(typePing))
		s.beat.sent()
	}
	if s.pongDue {
		own = append(own, string(typePong))
	}
	s.pingDue, s.pongDue = false, false
	return own
}

// takePoll notes that the waiting GET has been answered, and whether that was the last word.
func (s *Session) takePoll(last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.poll = nil
	if last {
		s.goodbye = goodbyeSaid
		s.server.takeLate(s.id)
	}
}

package engine

import (
	"net/http"
	"strconv"
	"time"
)

const (
	transportPolling   = "polling"
	transportWebSocket = "websocket"

	payloadType = "text/plain; charset=UTF-8"
	// okType is what Node's server says of its "ok": text/plain makes some browsers offer a download.
	okType = "text/html"
	// holdTime is how long a GET that comes while the client is upgrading waits for the upgrade: Node's interval.
	holdTime = 100 * time.Millisecond
)

// poll is a GET that waits for something to send. It is answered once, by the holder of the outlet's lock.
type poll struct {
	reply chan pollReply // holds one
	held  bool           // an upgrade may come first; guarded by the session's mu
}

// pollReply is a payload in parts that belong together, or a refusal.
type pollReply struct {
	parts  [][]byte
	refuse bool
}

func (p *poll) answer(packet string) {
	p.reply <- pollReply{parts: [][]byte{[]byte(packet)}}
}

// refuse answers a GET that came when the session was on the WebSocket already; one that waited before gets a noop.
func (p *poll) refuse() {
	if p.held {
		p.reply <- pollReply{refuse: true}
		return
	}
	p.answer(string(typeNoop))
}

// serveGet waits until there is something to send.
func (s *Session) serveGet(w http.ResponseWriter, r *http.Request) {
	p := &poll{reply: make(chan pollReply, 1)}
	held, refusal := s.addPoll(p)
	switch {
	case refusal == errUnknownSession && s.server.serveLate(w, s.id):
		return
	case refusal != nil:
		s.server.refuse(w, refusal)
		return
	}
	rc := http.NewResponseController(w)
	// The server's own timeouts are not made for a request that waits.
	rc.SetReadDeadline(time.Time{})
	rc.SetWriteDeadline(time.Time{})
	if held {
		release := time.AfterFunc(holdTime, func() { s.releasePoll(p) })
		defer release.Stop()
	}
	s.Wake()
	select {
	case reply := <-p.reply:
		rc.SetWriteDeadline(time.Now().Add(s.beat.interval + s.beat.timeout))
		s.writeReply(w, reply)
	case <-r.Context().Done():
		s.end(transportError(errPollDropped), goodbyeGone)
	}
}

// addPoll makes p the waiting GET, and tells whether an upgrade may come first. A second one ends the session.
func (s *Session) addPoll(p *poll) (held bool, refusal *HandshakeError) {
	s.mu.Lock()
	switch {
	case s.ended:
		s.mu.Unlock()
		return false, errUnknownSession
	case s.carrier != nil:
		s.mu.Unlock()
		return false, errBadRequest
	case s.poll != nil:
		s.mu.Unlock()
		s.end(&ProtocolError{Packet: "GET", Reason: "another one is waiting"}, goodbyeFault)
		return false, errBadRequest
	}
	p.held = s.probed
	s.poll = p
	held = p.held
	s.mu.Unlock()
	return held, nil
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
func (s *Session) writeReply(w http.ResponseWriter, reply pollReply) {
	if reply.refuse {
		s.server.refuse(w, errBadRequest)
		return
	}
	size := max(len(reply.parts)-1, 0) // separators
	for _, part := range reply.parts {
		size += len(part)
	}
	h := w.Header()
	h.Set("Content-Type", payloadType)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(size))
	for i, part := range reply.parts {
		if i > 0 {
			w.Write([]byte{separator})
		}
		if _, err := w.Write(part); err != nil {
			s.end(transportError(err), goodbyeGone)
			return
		}
	}
	s.server.counters.sent(size)
}

// sendPolling answers the waiting GET, if there is one and something to answer.
func (s *Session) sendPolling(wait bool) verdict {
	p, parts := s.pollParts()
	if p == nil {
		return dry
	}
	more := true
	for size := 0; more && size < replyBytes; {
		var next *Prepared
		next, more = s.receiver.Next(wait && len(parts) == 0)
		if next == nil {
			break
		}
		parts = append(parts, next.as(asPayload)...)
		size += len(parts[len(parts)-1])
	}
	// Not with anything before it: clients act on a close packet before they have handed on what came with it.
	closes := !more && len(parts) == 0 && s.drained()
	switch {
	case closes:
		parts = append(parts, []byte{typeClose})
	case len(parts) == 0 && more && wait:
		return again
	case len(parts) == 0 && more:
		return behind
	case len(parts) == 0:
		return dry
	}
	s.takePoll(closes)
	p.reply <- pollReply{parts: parts}
	return again
}

// pollParts returns the GET to answer, if one waits, and the packets that the engine itself has to send.
func (s *Session) pollParts() (p *poll, parts [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll == nil || s.poll.held {
		return nil, nil
	}
	if s.pingDue {
		parts = append(parts, []byte{typePing})
		s.beat.sent()
	}
	if s.noopDue {
		parts = append(parts, []byte{typeNoop})
	}
	s.pingDue, s.noopDue = false, false
	return s.poll, parts
}

// takePoll notes that the waiting GET has been answered, and whether that was the last word.
func (s *Session) takePoll(last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.poll = nil
	if last {
		s.goodbye = goodbyeSaid
	}
}

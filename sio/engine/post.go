package engine

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// post is a POST that is being read.
type post struct {
	began   time.Time
	abort   func()        // makes its reading fail, and its connection useless
	aborted bool          // guarded by the session's mu
	done    chan struct{} // closed when it has been read
}

// servePost feeds the Receiver with the body of a POST.
func (s *Session) servePost(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	p := &post{
		began: time.Now(),
		abort: func() { rc.SetReadDeadline(time.Unix(1, 0)) },
		done:  make(chan struct{}),
	}
	if refusal := s.addPost(p); refusal != nil {
		s.server.refuse(w, refusal)
		return
	}
	// A long upload is not an error: what ends a POST that drips is the heartbeat.
	rc.SetReadDeadline(time.Time{})
	err := s.readPost(r)
	if err != nil {
		s.endByPeer(err, s.endByPost)
	}
	if errors.Is(err, ErrTooLarge) {
		w.Header().Set("Connection", "close")
		rc.SetReadDeadline(time.Now().Add(partingTime)) // for what net/http reads of the rest, lest the reply be lost
	}
	if aborted := s.removePost(p); aborted {
		// net/http takes the deadline for the end of the connection, and so of every request that comes on it.
		w.Header().Set("Connection", "close")
	}
	s.writePostReply(w, err)
}

// endByPost ends the session for what a POST brought. What was too large the client learns from the reply, if no GET tells it before
// that the session is over: so that comes later.
func (s *Session) endByPost(err error, g goodbye) {
	s.mu.Lock()
	if !errors.Is(err, ErrTooLarge) || s.draining || s.refusing {
		s.mu.Unlock()
		s.end(err, g)
		return
	}
	defer s.mu.Unlock()
	if !s.ended {
		s.refusing = true
		s.drainEnds = time.AfterFunc(refusedPOST, func() { s.end(err, g) })
	}
}

// addPost makes p the POST being read. A second one ends the session.
func (s *Session) addPost(p *post) *HandshakeError {
	s.mu.Lock()
	switch {
	case s.ended:
		s.mu.Unlock()
		return errUnknownSession
	case s.carrier != nil, s.refusing, s.draining && isFault(s.drainErr):
		s.mu.Unlock()
		return errBadRequest
	case s.post != nil:
		s.mu.Unlock()
		s.end(&ProtocolError{Packet: "POST", Reason: "another one is being read"}, goodbyeFault)
		return errBadRequest
	}
	s.post = p
	s.mu.Unlock()
	return nil
}

// removePost notes that p has been read, and tells whether it was aborted.
func (s *Session) removePost(p *post) (aborted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.post = nil
	s.lastPost = time.Now()
	if s.lastPost.Sub(p.began) > (s.beat.interval+s.beat.timeout)/longPost {
		s.lastLong = s.lastPost
	}
	close(p.done)
	return p.aborted
}

// writePostReply answers a POST that ended with err.
func (s *Session) writePostReply(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, ErrTooLarge):
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	case err != nil && !errors.Is(err, errEnded):
		s.server.refuse(w, errBadRequest)
		return
	}
	h := w.Header()
	h.Set("Content-Type", okType)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", "2")
	io.WriteString(w, "ok")
}

// readPost takes the packets of a body one after the other.
func (s *Session) readPost(r *http.Request) error {
	s.recv.Lock()
	defer s.recv.Unlock()
	payload, err := s.openPayload(r)
	if err != nil {
		return err
	}
	for {
		kind, err := payload.next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = s.readPostPacket(r, payload, kind)
		}
		if err != nil {
			return readError(err)
		}
	}
}

// payload is the body of a POST, taken apart as it comes. Its reader reads the current packet, which is binary.
type payload interface {
	io.Reader
	// next returns the type of the next packet, io.EOF after the last. The packet before must have been read to its end.
	next() (kind byte, err error)
	// rest returns what follows the type of a text packet. It is valid until the next call.
	rest() ([]byte, error)
	// setStreaming says whether the binary bytes that follow are read by somebody who wants them.
	setStreaming(on bool)
}

// openPayload returns the payload in the body of r.
func (s *Session) openPayload(r *http.Request) (payload, error) {
	body := &countingReader{r: r.Body, n: &s.server.counters.bytesIn}
	limit := int64(s.server.maxPayloadBytes())
	bytes := r.Header.Get("Content-Type") == bytesType
	switch {
	case s.protocol == 3:
		return newPayload3Reader(body, bytes, r.ContentLength, limit), nil
	case bytes:
		return nil, errMalformedPayload("content type of an older protocol")
	}
	return newPayloadReader(body, r.ContentLength, limit), nil
}

// readPostPacket takes one packet of a body.
func (s *Session) readPostPacket(r *http.Request, payload payload, kind byte) error {
	if kind == typeBinary {
		return s.receiveBody(&body{session: s, src: payload, size: -1, mode: payload.setStreaming}, r)
	}
	text, err := payload.rest()
	if err != nil {
		return readError(err)
	}
	if kind == typeClose {
		s.end(ErrTransportClose, goodbyeClosed)
		return errEnded
	}
	return s.receivePacket(kind, text, r)
}

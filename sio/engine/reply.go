package engine

import (
	"net/http"
	"strconv"
)

const (
	payloadType = "text/plain; charset=UTF-8"
	// bytesType is the type of what can hold binary; Engine.IO 3 has such payloads.
	bytesType = "application/octet-stream"
)

// pollReply is what a GET is answered with: a payload, or a refusal.
type pollReply struct {
	parts  [][]byte // of the body
	bytes  bool     // the payload is of Engine.IO 3's kind that can hold binary
	plain  bool     // it is not to be compressed
	refuse bool
}

// payload makes a reply of packets of the engine's own and of messages.
func (s *Session) payload(own []string, msgs []*Prepared) pollReply {
	if s.protocol == 3 {
		return s.payload3(own, msgs)
	}
	parts := make([][]byte, 0, 2*(len(own)+len(msgs)))
	var between []byte
	add := func(part []byte) {
		if len(parts) == 1 {
			between = []byte{separator} // one for all
		}
		if len(parts) > 0 {
			parts = append(parts, between)
		}
		parts = append(parts, part)
	}
	for _, packet := range own {
		add([]byte(packet))
	}
	plain := false
	for _, p := range msgs {
		add(p.as(variant{form: forPolling})[0])
		plain = plain || p.plain
	}
	return pollReply{parts: parts, plain: plain}
}

// payload3 makes a reply as Engine.IO 3 has it.
func (s *Session) payload3(own []string, msgs []*Prepared) pollReply {
	text, plain := true, false
	for _, p := range msgs {
		text = text && (s.base64 || !p.binary)
		plain = plain || p.plain
	}
	parts := make([][]byte, 0, len(own)+len(msgs))
	for _, packet := range own {
		parts = append(parts, append(appendHeader3(nil, false, text, len(packet)), packet...))
	}
	for _, p := range msgs {
		parts = append(parts, p.as(variant{form: forPolling, eio3: true, base64: text})[0])
	}
	return pollReply{parts: parts, bytes: !text, plain: plain}
}

// packets makes a reply of packets of the engine's own.
func (s *Session) packets(own ...string) pollReply { return s.payload(own, nil) }

// writePayload answers r, a GET. What was to be refused is not for it.
func (srv *Server) writePayload(w http.ResponseWriter, r *http.Request, reply pollReply) error {
	size := length(reply.parts)
	h := w.Header()
	h.Set("Content-Type", payloadType)
	if reply.bytes {
		h.Set("Content-Type", bytesType)
	}
	h.Set("Cache-Control", "no-store")
	counted := &countingWriter{w: w}
	defer func() { srv.counters.sent(counted.n) }()
	if encoding := srv.encoding(h, r, reply, size); encoding != "" {
		h.Set("Content-Encoding", encoding)
		return compressTo(counted, encoding, reply.parts)
	}
	h.Set("Content-Length", strconv.Itoa(size))
	for _, part := range reply.parts {
		if _, err := counted.Write(part); err != nil {
			return err
		}
	}
	return nil
}

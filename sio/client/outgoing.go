package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"sluice/sio/packet"
)

// A Stream is a binary argument that is read while it is sent. Exactly Size bytes are taken from R, in one
// message of constant memory; fewer break the connection, since the message cannot be completed. R is not
// read any more once the call it was given to has returned. A Stream is an argument of its own, not part of
// another.
//
// While a Stream is on its way the client answers no ping: that it makes progress must be life enough to
// the server.
type Stream struct {
	R    io.Reader
	Size int64
}

// outgoing is one thing to be sent without anything between its parts: a Socket.IO packet and its
// attachments, or a packet of Engine.IO.
type outgoing struct {
	text        []byte // an Engine.IO packet
	attachments []Stream
	size        int // bytes it counts for in the queue; those of streams do not
	streams     bool
	done        chan struct{} // closed when nothing of it is read any more

	mu        sync.Mutex
	begun     bool
	cancelled bool
	err       error // of reading a stream
}

// messageType is Engine.IO's prefix of a text message.
const messageType = '4'

// newOutgoing encodes an event or an acknowledgement for the wire.
func newOutgoing(p packet.Packet, args ...any) (*outgoing, error) {
	plain, streams := replaceStreams(args)
	data, attachments, err := packet.Marshal(plain...)
	if err != nil {
		return nil, err
	}
	p.Data = data
	o := &outgoing{done: make(chan struct{})}
	if err := o.attach(attachments, streams); err != nil {
		return nil, err
	}
	if p.Attachments = len(attachments); p.Attachments > 0 {
		p.Type = binaryType(p.Type)
	}
	o.text, err = p.AppendText([]byte{messageType})
	o.size += len(o.text)
	return o, err
}

func binaryType(t packet.Type) packet.Type {
	if t == packet.Ack {
		return packet.BinaryAck
	}
	return packet.BinaryEvent
}

// replaceStreams puts a placeholder of one byte in place of every Stream, by whose address it is found
// again among the attachments.
func replaceStreams(args []any) ([]any, map[*byte]Stream) {
	var (
		plain   []any
		streams map[*byte]Stream
	)
	for i, arg := range args {
		s, ok := arg.(Stream)
		if !ok {
			continue
		}
		if plain == nil {
			plain, streams = append(plain, args...), make(map[*byte]Stream)
		}
		mark := make([]byte, 1)
		plain[i], streams[&mark[0]] = mark, s
	}
	if plain == nil {
		return args, nil
	}
	return plain, streams
}

// attach takes over the attachments, with the streams back in their places.
func (o *outgoing) attach(attachments [][]byte, streams map[*byte]Stream) error {
	for _, a := range attachments {
		s := Stream{R: bytes.NewReader(a), Size: int64(len(a))}
		if len(a) == 1 {
			if given, ok := streams[&a[0]]; ok {
				s, o.streams = given, true
				delete(streams, &a[0])
			}
		}
		if s.R == nil || s.Size < 0 {
			return errors.New("socket.io: a Stream needs a reader and its size")
		}
		if !o.streams {
			o.size += len(a)
		}
		o.attachments = append(o.attachments, s)
	}
	if len(streams) > 0 {
		return errors.New("socket.io: a Stream was lost in encoding")
	}
	return nil
}

// begin reports whether o is still to be sent; from then on it can no longer be taken back.
func (o *outgoing) begin() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.begun = !o.cancelled
	return o.begun
}

// cancel takes o back and reports whether that was in time.
func (o *outgoing) cancel() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cancelled = !o.begun
	return o.cancelled
}

// fail notes why the rest of o cannot be sent.
func (o *outgoing) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
}

// failure returns why o could not be sent, if that was its own fault.
func (o *outgoing) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// sourceReader reads exactly the bytes a Stream promised, and tells a failure to read it from one to write.
type sourceReader struct {
	out  *outgoing
	r    io.Reader
	left int64
}

func (o *outgoing) source(s Stream) *sourceReader { return &sourceReader{out: o, r: s.R, left: s.Size} }

func (r *sourceReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.r.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if r.left == 0 {
		return n, nil
	}
	if err == nil {
		return n, nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	err = fmt.Errorf("socket.io: reading a stream, %d bytes before its end: %w", r.left, err)
	r.out.fail(err)
	return n, err
}

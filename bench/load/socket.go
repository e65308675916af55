package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// dialTime bounds a handshake.
const dialTime = 20 * time.Second

// Options of a Socket. The zero value is a plain one.
type Options struct {
	Deflate   *Inflater // offer permessage-deflate, without context takeover, and insist on it; nil: do not
	Polling   bool      // HTTP long-polling in place of WebSocket
	ReadBytes int       // of the buffer to read with; 0 means 64 KiB
	ReadRate  int       // bytes that are read in a second, over WebSocket; 0: as many as come

	// Event, if not nil, is told of an event, with its text from the name on and lent: `["chunk",{...},...]`.
	Event func(text []byte) error
	// Binary, if not nil, is given the attachments, piece by piece as they come, and lent.
	Binary func(part []byte) error
	// End, if not nil, is told of the end of an attachment.
	End func() error
}

// Socket is a Socket.IO connection over WebSocket or polling. An error of its callbacks ends it.
type Socket struct {
	options Options
	wire    wire
	ready   chan struct{} // closed when the namespace was joined
	ended   chan struct{} // closed when nothing more is read
	err     error         // why; set before ended is closed

	mu     sync.Mutex
	lastID int                        // guarded by mu
	calls  map[int]func(reply []byte) // guarded by mu
}

// wire is what a Socket runs over.
type wire interface {
	open(ctx context.Context, addr string) error // the handshake
	read() error                                 // reads until it cannot, and returns why
	send(text string) error                      // sends an Engine.IO packet
	bytesIn() int64                              // read so far
	io.Closer
}

// Dial connects to the namespace "/" of the server at addr.
func Dial(ctx context.Context, addr string, options Options) (*Socket, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	s := &Socket{options: options, ready: make(chan struct{}), ended: make(chan struct{}), calls: make(map[int]func([]byte))}
	if options.Polling {
		s.wire = &polling{in: payload{text: s.packet, binary: s.attachment, end: s.options.End}}
	} else {
		s.wire = newWebSocket(s)
	}
	if err := s.wire.open(ctx, addr); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", addr, err)
	}
	go func() {
		s.err = s.wire.read()
		s.wire.Close()
		close(s.ended)
	}()
	select {
	case <-s.ready:
		return s, nil
	case <-s.ended:
		return nil, fmt.Errorf("connect to %s: %w", addr, s.err)
	case <-ctx.Done():
		s.Close()
		return nil, fmt.Errorf("connect to %s: no answer: %w", addr, ctx.Err())
	}
}

// packet takes an Engine.IO packet.
func (s *Socket) packet(text []byte) error {
	switch {
	case len(text) == 0:
		return errFrame
	case text[0] == '0':
		return s.Send("40")
	case text[0] == '2':
		return s.Send("3")
	case text[0] != '4':
		return nil
	}
	return s.message(text[1:])
}

// message takes a Socket.IO packet of the namespace "/".
func (s *Socket) message(text []byte) error {
	if len(text) == 0 {
		return errFrame
	}
	kind, rest := text[0], text[1:]
	if kind == '5' || kind == '6' {
		_, rest, _ = bytes.Cut(rest, []byte{'-'})
	}
	switch kind {
	case '0':
		close(s.ready)
		return nil
	case '2', '5':
		if s.options.Event != nil {
			return s.options.Event(rest)
		}
		return nil
	case '3', '6':
		return s.acknowledged(rest)
	}
	return fmt.Errorf("the server said %q", text)
}

func (s *Socket) attachment(part []byte) error {
	if s.options.Binary == nil {
		return nil
	}
	return s.options.Binary(part)
}

func (s *Socket) acknowledged(text []byte) error {
	digits := bytes.IndexByte(text, '[')
	if digits < 0 {
		return errFrame
	}
	id, err := strconv.Atoi(string(text[:digits]))
	if err != nil {
		return err
	}
	s.mu.Lock()
	done := s.calls[id]
	delete(s.calls, id)
	s.mu.Unlock()
	if done == nil {
		return fmt.Errorf("an ack of nothing: %q", text)
	}
	done(text[digits:])
	return nil
}

// Send sends a packet of text.
func (s *Socket) Send(text string) error { return s.wire.send(text) }

// Write sends frames of WebSocket as they are.
func (s *Socket) Write(p []byte) (int, error) {
	w, ok := s.wire.(*webSocket)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	return w.write(p)
}

// Expect returns the id for an event that is to be acknowledged; done is told of the ack, lent: `[...]`.
func (s *Socket) Expect(done func(reply []byte)) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	s.calls[s.lastID] = done
	return s.lastID
}

// Call sends an event and waits for its ack, of which it returns the first argument.
func (s *Socket) Call(ctx context.Context, event string, args ...any) (json.RawMessage, error) {
	data, err := json.Marshal(append([]any{event}, args...))
	if err != nil {
		return nil, err
	}
	replies := make(chan []byte, 1)
	id := s.Expect(func(reply []byte) { replies <- bytes.Clone(reply) })
	if err := s.Send("42" + strconv.Itoa(id) + string(data)); err != nil {
		return nil, err
	}
	select {
	case reply := <-replies:
		var values []json.RawMessage
		if err := json.Unmarshal(reply, &values); err != nil || len(values) == 0 {
			return nil, err
		}
		return values[0], nil
	case <-s.ended:
		return nil, s.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// BytesIn returns how many bytes have come over the wire since the handshake.
func (s *Socket) BytesIn() int64 { return s.wire.bytesIn() }

// Ended returns a channel that is closed when the connection has ended.
func (s *Socket) Ended() <-chan struct{} { return s.ended }

// Err returns why the connection has ended.
func (s *Socket) Err() error { return s.err }

// Close ends the connection at once, and returns when nothing of it runs any more.
func (s *Socket) Close() {
	s.wire.Close()
	<-s.ended
}

// isEvent reports whether the text of an event begins with that name.
func isEvent(text []byte, name string) bool {
	return strings.HasPrefix(string(text[:min(len(text), len(name)+4)]), `["`+name+`"`)
}

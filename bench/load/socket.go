package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// dialTime bounds a handshake.
const dialTime = 20 * time.Second

// Options of a Socket. The zero value is a plain one.
type Options struct {
	Deflate   bool // offer permessage-deflate, without context takeover
	ReadBytes int  // of the buffer to read with; 0 means 64 KiB

	// Event, if not nil, is told of an event, with its text from the name on and lent: `["chunk",{...},...]`.
	Event func(text []byte) error
	// Binary, if not nil, is given the attachments, piece by piece as they come, and lent.
	Binary func(part []byte) error
}

// Socket is a Socket.IO connection over WebSocket. An error of its callbacks ends it.
type Socket struct {
	options Options
	conn    net.Conn
	frames  frames
	bytesIn atomic.Int64
	ready   chan struct{} // closed when the namespace was joined
	ended   chan struct{} // closed when nothing more is read
	err     error         // why; set before ended is closed

	mu     sync.Mutex
	out    []byte                     // guarded by mu: room for what is written
	lastID int                        // guarded by mu
	calls  map[int]func(reply []byte) // guarded by mu
}

// mask is what all frames are masked with: a server cannot know that it never changes.
var mask = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// Dial connects to the namespace "/" of the server at addr.
func Dial(ctx context.Context, addr string, options Options) (*Socket, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &Socket{options: options, conn: conn, ready: make(chan struct{}), ended: make(chan struct{}), calls: make(map[int]func([]byte))}
	s.frames = frames{text: s.packet, binary: s.attachment}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := s.open(addr); err != nil {
		conn.Close()
		return nil, fmt.Errorf("connect to %s: %w", addr, err)
	}
	go s.read()
	select {
	case <-s.ready:
		return s, nil
	case <-s.ended:
		return nil, fmt.Errorf("connect to %s: %w", addr, s.err)
	}
}

// open does the handshake of WebSocket.
func (s *Socket) open(addr string) error {
	request := "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: " + addr + "\r\nUpgrade: websocket\r\n" +
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
	if s.options.Deflate {
		request += "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
	}
	if _, err := io.WriteString(s.conn, request+"\r\n"); err != nil {
		return err
	}
	in := bufio.NewReaderSize(s.conn, 4<<10)
	response, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return errors.New(response.Status)
	}
	early, _ := in.Peek(in.Buffered())
	return s.frames.feed(early)
}

func (s *Socket) read() {
	size := s.options.ReadBytes
	if size == 0 {
		size = 64 << 10
	}
	buf := make([]byte, size)
	for {
		n, err := s.conn.Read(buf)
		s.bytesIn.Add(int64(n))
		if fault := s.frames.feed(buf[:n]); fault != nil {
			err = fault
		}
		if err != nil {
			s.err = err
			close(s.ended)
			s.conn.Close()
			return
		}
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

// Send sends a text frame.
func (s *Socket) Send(text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = appendFrame(s.out[:0], opText, mask, []byte(text))
	_, err := s.conn.Write(s.out)
	return err
}

// Write sends frames as they are.
func (s *Socket) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn.Write(p)
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
func (s *Socket) BytesIn() int64 { return s.bytesIn.Load() }

// Ended returns a channel that is closed when the connection has ended.
func (s *Socket) Ended() <-chan struct{} { return s.ended }

// Err returns why the connection has ended.
func (s *Socket) Err() error { return s.err }

// Close ends the connection at once, and returns when nothing of it runs any more.
func (s *Socket) Close() {
	s.conn.Close()
	<-s.ended
}

// isEvent reports whether the text of an event begins with that name.
func isEvent(text []byte, name string) bool {
	return strings.HasPrefix(string(text[:min(len(text), len(name)+4)]), `["`+name+`"`)
}

package engine

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// streamClient is a client on a stream, which is here a TCP connection: the engine does not know the difference.
type streamClient struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

// streamDial opens a stream that says nothing yet.
func (s *site) streamDial(t *testing.T) *streamClient {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	r, _ := http.NewRequest("CONNECT", "https://localhost/engine.io/", nil)
	go func() {
		defer close(served)
		s.engine.ServeStream(theirs, r)
	}()
	conn.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() {
		conn.Close()
		wait(t, served)
	})
	return &streamClient{t: t, conn: conn, r: bufio.NewReader(conn)}
}

// stream opens a session on a stream.
func (s *site) stream(t *testing.T) *streamClient {
	t.Helper()
	c := s.streamDial(t)
	c.packet("0")
	if m := c.message(); !strings.HasPrefix(string(m.Data), "0{") || !strings.Contains(string(m.Data), `"upgrades":[]`) {
		t.Fatalf("handshake = %q", m.Data)
	}
	return c
}

// moving begins to move a session to a stream, up to the answer of the probe.
func (s *site) moving(t *testing.T, sid string) *streamClient {
	t.Helper()
	c := s.streamDial(t)
	c.bytes(hello(sid))
	c.packet("2probe")
	if m := c.message(); string(m.Data) != "3probe" {
		t.Fatalf("answer to the probe = %q", m.Data)
	}
	if status, body := s.get(t, sid); status != 200 || body != "6" {
		t.Fatalf("GET after the probe = %d %q; want a noop", status, body)
	}
	return c
}

// packet sends a text packet.
func (c *streamClient) packet(text string) {
	c.t.Helper()
	c.bytes(appendStreamHeader(nil, false, len(text)), []byte(text))
}

func (c *streamClient) bytes(parts ...[]byte) {
	c.t.Helper()
	bufs := net.Buffers(parts)
	if _, err := bufs.WriteTo(c.conn); err != nil {
		c.t.Fatal(err)
	}
}

func (c *streamClient) send(m Outgoing) {
	c.t.Helper()
	if m.Binary {
		c.bytes(appendStreamHeader(nil, true, len(m.Data)), m.Data)
		return
	}
	c.packet("4" + string(m.Data))
}

// read returns the next packet as it came.
func (c *streamClient) read() (m Outgoing, err error) {
	head, err := c.r.ReadByte()
	if err != nil {
		return m, err
	}
	m.Binary = head&0x80 != 0
	length := uint64(head & 0x7f)
	switch length {
	case 126:
		var b [2]byte
		_, err = io.ReadFull(c.r, b[:])
		length = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, err = io.ReadFull(c.r, b[:])
		length = binary.BigEndian.Uint64(b[:])
	}
	if err != nil {
		return m, err
	}
	m.Data = make([]byte, length) // the server is ours
	_, err = io.ReadFull(c.r, m.Data)
	return m, err
}

func (c *streamClient) message() Outgoing {
	c.t.Helper()
	m, err := c.read()
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

func (c *streamClient) receive() Outgoing {
	c.t.Helper()
	for {
		switch m := c.message(); {
		case m.Binary:
			return m
		case m.Data[0] == '4':
			return Outgoing{Data: m.Data[1:]}
		}
	}
}

// ends returns when the server has ended the stream.
func (c *streamClient) ends() {
	c.t.Helper()
	for {
		if _, err := c.read(); err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				c.t.Fatal("the stream goes on")
			}
			return
		}
	}
}

func TestUpgradesToStreamsAreAnnouncedWhileADoorIsOpen(t *testing.T) {
	upgrades := func(srv *Server) []string {
		s := start(t, srv, false)
		defer srv.OpenDoor()()
		o, _ := s.opening(t)
		return o.Upgrades
	}
	for want, srv := range map[string]*Server{
		"[websocket webtransport]": {},
		"[webtransport]":           {Transports: []string{"polling", "webtransport"}},
		"[websocket]":              {Transports: []string{"polling", "websocket"}},
		"[]":                       {NoUpgrades: true},
	} {
		if got := fmt.Sprint(upgrades(srv)); got != want {
			t.Errorf("%v: %s; want %s", srv.Transports, got, want)
		}
	}
	srv := &Server{AllowEIO3: true}
	s := start(t, srv, false)
	shut := srv.OpenDoor()
	if _, body, _ := s.do(t, "GET", "transport=polling", ""); strings.Contains(body, "webtransport") {
		t.Errorf("Engine.IO 3 has no streams, but was told %s", body)
	}
	shut()
	if o, _ := s.opening(t); fmt.Sprint(o.Upgrades) != "[websocket]" {
		t.Errorf("after the door was shut: %v", o.Upgrades)
	}
}

func TestAStreamThatDoesNotBeginAsItMustIsEnded(t *testing.T) {
	s := start(t, &Server{UpgradeTimeout: 300 * time.Millisecond, AllowEIO3: true}, false)
	three := s.polling3(t, "")
	for name, first := range map[string][]byte{
		"nothing":         nil,
		"half a header":   {126, 0},
		"another packet":  []byte("\x014"),
		"empty":           {0},
		"binary":          {0x81, '0'},
		"no JSON":         []byte("\x040{\"s"),
		"no sid":          []byte("\x030{}"),
		"unknown sid":     []byte("\x0e0{\"sid\":\"abc\"}"),
		"another version": hello(three),
		"too long":        append([]byte{126, 1, 1}, strings.Repeat("0", 257)...),
		"length below 0":  {127, 0x80, 0, 0, 0, 0, 0, 0, 1, '0'},
		"far too long":    {127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, '0'},
		"not UTF-8":       []byte("\x020\xff"),
		"cut short":       []byte("\x050{"),
	} {
		c := s.streamDial(t)
		c.bytes(first)
		c.ends()
		if n := s.engine.Stats().WebTransport; n != 0 {
			t.Errorf("%s: %d sessions", name, n)
		}
	}
}

// hello is the first packet of a client that moves a session.
func hello(sid string) []byte {
	text := `0{"sid":"` + sid + `"}`
	return append(appendStreamHeader(nil, false, len(text)), text...)
}

func TestStreamsAreRefusedWhereTheyAreNotAllowed(t *testing.T) {
	s := start(t, &Server{Transports: []string{"polling"}}, false)
	c := s.streamDial(t)
	c.packet("0")
	c.ends()
	s = start(t, &Server{NoUpgrades: true}, false)
	c = s.streamDial(t)
	c.bytes(hello(s.polling(t)))
	c.ends()
	s.stream(t)
	s = start(t, &Server{Accept: func(*Session, *http.Request) (Receiver, error) { return nil, errors.New("no") }}, false)
	c = s.streamDial(t)
	c.packet("0")
	c.ends()
}

func TestFaultsOnAStreamEndTheSession(t *testing.T) {
	for name, tt := range map[string]struct {
		bytes []byte
		want  error // nil for a *ProtocolError
	}{
		"empty text":          {[]byte{0}, nil},
		"unknown type":        {[]byte("\x029a"), nil},
		"not UTF-8":           {[]byte("\x024\xff"), nil},
		"length below 0":      {[]byte{127, 0xff, 0, 0, 0, 0, 0, 0, 0}, nil},
		"text over the limit": {[]byte{126, 0x03, 0xe9}, ErrTooLarge},
		"huge text":           {[]byte{127, 0x7f, 0, 0, 0, 0, 0, 0, 0}, ErrTooLarge},
		"close":               {[]byte("\x011"), ErrTransportClose},
	} {
		s := start(t, &Server{MaxPayloadBytes: 1000}, false)
		c := s.stream(t)
		c.bytes(tt.bytes)
		err := wait(t, wait(t, s.sessions).ended)
		var breach *ProtocolError
		if tt.want != nil && !errors.Is(err, tt.want) || tt.want == nil && !errors.As(err, &breach) {
			t.Errorf("%s: ended with %v", name, err)
		}
	}
}

func TestAClientThatEndsItsStreamIsGone(t *testing.T) {
	s := start(t, &Server{}, false)
	s.stream(t).conn.Close()
	if err := wait(t, wait(t, s.sessions).ended); !errors.Is(err, ErrTransportClose) {
		t.Errorf("ended with %v", err)
	}
}

func TestASecondStreamDoesNoHarm(t *testing.T) {
	s := start(t, &Server{}, false)
	sid := s.polling(t)
	c := s.moving(t, sid)
	other := s.streamDial(t)
	other.bytes(hello(sid))
	other.ends()
	c.packet("5")
	c.send(Outgoing{Data: []byte("hello")})
	if got := c.receive(); string(got.Data) != "hello" {
		t.Errorf("came back %q", got.Data)
	}
	if status, _ := s.get(t, sid); status != 400 {
		t.Errorf("GET after the upgrade = %d", status)
	}
	if got := wait(t, s.sessions).session.Transport(); got != "webtransport" {
		t.Errorf("transport %q", got)
	}
	other = s.streamDial(t)
	other.bytes(hello(sid))
	other.ends()
	c.send(Outgoing{Data: []byte("still here")})
	if got := c.receive(); string(got.Data) != "still here" {
		t.Errorf("came back %q", got.Data)
	}
}

func TestAnUpgradeToAStreamThatStopsLeavesTheSession(t *testing.T) {
	for name, stop := range map[string]func(c *streamClient){
		"silent":         func(*streamClient) {},
		"gone":           func(c *streamClient) { c.conn.Close() },
		"another packet": func(c *streamClient) { c.packet("4hello") },
		"binary":         func(c *streamClient) { c.send(Outgoing{Binary: true, Data: []byte("5")}) },
	} {
		s := start(t, &Server{UpgradeTimeout: 200 * time.Millisecond}, false)
		sid := s.polling(t)
		c := s.moving(t, sid)
		stop(c)
		c.ends()
		p := &pollingClient{t: t, s: s, sid: sid}
		p.send(Outgoing{Data: []byte("still here")})
		if got := p.receive(); string(got.Data) != "still here" {
			t.Errorf("%s: came back %q", name, got.Data)
		}
		again := s.moving(t, sid)
		again.packet("5")
		again.send(Outgoing{Data: []byte("moved")})
		if got := again.receive(); string(got.Data) != "moved" {
			t.Errorf("%s: the second attempt: %q", name, got.Data)
		}
	}
}

func TestAStreamsLargeMessageIsReadAsItArrives(t *testing.T) {
	s := start(t, &Server{}, false)
	c := s.stream(t)
	const size = 8 << 20
	sizes, read := make(chan int64, 1), make(chan int64, 1)
	wait(t, s.sessions).onMessage(func(m Message) {
		sizes <- m.Size()
		n, _ := io.Copy(io.Discard, m.Body)
		read <- n
	})
	c.bytes(appendStreamHeader(nil, true, size))
	if got := wait(t, sizes); got != size { // before a byte of it was sent
		t.Errorf("Size = %d", got)
	}
	c.bytes(make([]byte, size))
	if got := wait(t, read); got != size {
		t.Errorf("%d bytes came", got)
	}
}

func TestShutdownDoesNotWaitForStreamsThatSayNothing(t *testing.T) {
	srv := &Server{UpgradeTimeout: time.Hour}
	s := start(t, srv, false)
	c := s.streamDial(t)
	for arriving := 0; arriving == 0; {
		srv.mu.Lock()
		arriving = len(srv.arriving)
		srv.mu.Unlock()
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	c.ends()
	c = s.streamDial(t)
	c.ends()
}

func TestMissedPongsEndAStream(t *testing.T) {
	s := start(t, &Server{PingInterval: 200 * time.Millisecond, PingTimeout: 200 * time.Millisecond}, false)
	c := s.stream(t)
	if m := c.message(); string(m.Data) != "2" {
		t.Errorf("came %q; want a ping", m.Data)
	}
	c.ends()
	if err := wait(t, wait(t, s.sessions).ended); err != ErrPingTimeout {
		t.Errorf("ended with %v", err)
	}
}

func FuzzStream(f *testing.F) {
	f.Add([]byte("\x064hello\x84abcd"))
	f.Add([]byte{126, 0, 2, '4', 'a', 127, 0, 0, 0, 0, 0, 0, 0, 2, '4', 'b'})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &stream{src: bufio.NewReader(strings.NewReader(string(b)))}
		for {
			isBinary, _, err := s.next()
			if err != nil {
				return
			}
			if isBinary {
				_, err = io.Copy(io.Discard, s)
			} else {
				var text []byte
				if text, _, err = s.text(1000); len(text) > 1000 {
					t.Fatalf("a text of %d bytes", len(text))
				}
			}
			if err != nil {
				return
			}
		}
	})
}

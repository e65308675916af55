package engine

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// echo sends every message back, and remembers how its session ended.
type echo struct {
	session *Session
	ended   chan error
	refused chan error // what Refused was called with

	mu     sync.Mutex
	out    []*Prepared
	before func(Message) // called with each message; may be nil
}

// onMessage makes f be called with each message that comes from now on.
func (e *echo) onMessage(f func(Message)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.before = f
}

func (e *echo) Receive(m Message) error {
	e.mu.Lock()
	before := e.before
	e.mu.Unlock()
	if before != nil {
		before(m)
	}
	back := Outgoing{Data: bytes.Clone(m.Text)}
	if m.Body != nil {
		data, err := io.ReadAll(m.Body)
		if err != nil {
			return err
		}
		back = Outgoing{Binary: true, Data: data}
	}
	e.send(back)
	return nil
}

func (e *echo) send(msgs ...Outgoing) {
	e.mu.Lock()
	e.out = append(e.out, Prepare(msgs...))
	e.mu.Unlock()
	e.session.Wake()
}

func (e *echo) Next(bool) (*Prepared, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.out) == 0 {
		return nil, false
	}
	p := e.out[0]
	e.out = e.out[1:]
	return p, len(e.out) > 0
}

func (e *echo) Closed(err error) { e.ended <- err }

// site is an echo server under test.
type site struct {
	*httptest.Server
	engine   *Server
	sessions chan *echo
}

// start serves srv, over TLS if secure.
func start(t *testing.T, srv *Server, secure bool) *site {
	t.Helper()
	s := &site{engine: srv, sessions: make(chan *echo, 100)}
	if srv.Accept == nil {
		srv.Accept = func(session *Session, _ *http.Request) (Receiver, error) {
			e := &echo{session: session, ended: make(chan error, 1), refused: make(chan error, 1)}
			s.sessions <- e
			return e, nil
		}
	}
	s.Server = httptest.NewUnstartedServer(srv)
	s.Listener = Listener(s.Listener)
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		s.Client().CloseIdleConnections()
		s.Close()
	})
	return s
}

// do sends a request to the endpoint with a query and returns status and body.
func (s *site) do(t *testing.T, method, query, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/engine.io/?"+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

// request sends a GET on a connection of its own, from which the reply can be read.
func (s *site) request(t *testing.T, target string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if s.TLS != nil {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // httptest's own certificate
	}
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target); err != nil {
		t.Fatal(err)
	}
	return conn
}

// polling opens a session and returns its id.
func (s *site) polling(t *testing.T) string {
	t.Helper()
	status, body, _ := s.do(t, "GET", "EIO=4&transport=polling", "")
	if status != 200 || body == "" || body[0] != '0' {
		t.Fatalf("handshake = %d %s", status, body)
	}
	var o open
	if err := json.Unmarshal([]byte(body[1:]), &o); err != nil {
		t.Fatal(err)
	}
	return o.SID
}

func (s *site) get(t *testing.T, sid string) (int, string) {
	t.Helper()
	status, body, _ := s.do(t, "GET", "EIO=4&transport=polling&sid="+sid, "")
	return status, body
}

func (s *site) post(t *testing.T, sid, body string) (int, string) {
	t.Helper()
	status, answer, _ := s.do(t, "POST", "EIO=4&transport=polling&sid="+sid, body)
	return status, answer
}

// socket is a raw WebSocket client.
type socket struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

// dial opens a WebSocket with a query.
func (s *site) dial(t *testing.T, query string) *socket {
	t.Helper()
	scheme := "ws"
	if s.TLS != nil {
		scheme = "wss"
	}
	d := ws.Dialer{TLSConfig: &tls.Config{InsecureSkipVerify: true}, Timeout: patience} // httptest's own certificate
	conn, r, _, err := d.Dial(t.Context(), fmt.Sprintf("%s://%s/engine.io/?%s", scheme, s.Listener.Addr(), query))
	if err != nil {
		t.Fatal(err)
	}
	if r == nil {
		r = bufio.NewReader(conn)
	}
	c := &socket{t: t, conn: conn, r: r}
	conn.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { conn.Close() })
	return c
}

// websocket opens a session on WebSocket.
func (s *site) websocket(t *testing.T) *socket {
	t.Helper()
	c := s.dial(t, "EIO=4&transport=websocket")
	if text := c.text(); text[0] != '0' {
		t.Fatalf("handshake = %s", text)
	}
	return c
}

// write sends one masked frame.
func (c *socket) write(f ws.Frame) {
	c.t.Helper()
	if err := c.try(f); err != nil {
		c.t.Fatal(err)
	}
}

func (c *socket) try(f ws.Frame) error { return ws.WriteFrame(c.conn, ws.MaskFrame(f)) }

// frame reads one frame.
func (c *socket) frame() (ws.Frame, error) {
	h, err := ws.ReadHeader(c.r)
	if err != nil {
		return ws.Frame{}, err
	}
	payload := make([]byte, h.Length) // the server is ours
	_, err = io.ReadFull(c.r, payload)
	return ws.Frame{Header: h, Payload: payload}, err
}

// read returns the next frame.
func (c *socket) read() ws.Frame {
	c.t.Helper()
	f, err := c.frame()
	if err != nil {
		c.t.Fatal(err)
	}
	return f
}

// text returns the next frame, which must be text.
func (c *socket) text() string {
	c.t.Helper()
	f := c.read()
	if f.Header.OpCode != ws.OpText {
		c.t.Fatalf("frame %v %q; want text", f.Header.OpCode, f.Payload)
	}
	return string(f.Payload)
}

// closed returns the status of the close frame that comes after what else there is; 0 if the connection just ends.
func (c *socket) closed() ws.StatusCode {
	c.t.Helper()
	for {
		f, err := c.frame()
		if err != nil {
			return 0
		}
		if f.Header.OpCode == ws.OpClose {
			if len(f.Payload) == 0 {
				return ws.StatusNoStatusRcvd
			}
			code, _ := ws.ParseCloseFrameData(f.Payload)
			return code
		}
	}
}

// wait returns what comes from c in time.
func wait[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

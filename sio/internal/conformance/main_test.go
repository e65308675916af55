package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// The seven servers, as servers returns them.
const (
	eio4 = iota
	eio3
	sio5
	eioc
	sioc
	openSIOC
	rawEcho
)

// start serves one of the seven until the test ends.
func start(t *testing.T, which int) *site {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	chosen := servers()[which]
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, []net.Listener{l}, []server{chosen}) }()
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	version := "4"
	if which == eio3 {
		version = "3"
	}
	return &site{addr: l.Addr().String(), path: chosen.path, version: version, client: client}
}

// site is a server under test.
type site struct {
	addr    string
	path    string
	version string // of Engine.IO, that requests ask for
	client  *http.Client
}

// reply is an answer over HTTP, or the failure of getting one.
type reply struct {
	status int
	body   string
	header http.Header
	err    error
}

func (r reply) String() string { return fmt.Sprintf("%d %q %v", r.status, r.body, r.err) }

// url returns the address for a query; transport=websocket makes it a ws one.
func (s *site) url(query string) string {
	scheme := "http"
	if strings.Contains(query, "transport=websocket") {
		scheme = "ws"
	}
	return scheme + "://" + s.addr + s.path + "?" + query
}

// do makes a request. header holds names and values in turn.
func (s *site) do(ctx context.Context, method, query, body string, header ...string) reply {
	r, err := http.NewRequestWithContext(ctx, method, s.url(query), strings.NewReader(body))
	if err != nil {
		return reply{err: err}
	}
	r.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return reply{err: err}
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	return reply{answer.StatusCode, string(b), answer.Header, err}
}

// session is a polling session.
type session struct {
	t     *testing.T
	site  *site
	query string
}

// poll opens a session by polling.
func (s *site) poll(t *testing.T) *session {
	t.Helper()
	query := "EIO=" + s.version + "&transport=polling"
	r := s.do(t.Context(), "GET", query, "")
	if r.status != 200 {
		t.Fatalf("handshake: %v", r)
	}
	open := decodeOpen(t, r.body)
	return &session{t, s, query + "&sid=" + open.SID}
}

func (s *session) get() reply { return s.site.do(s.t.Context(), "GET", s.query, "") }

func (s *session) post(body string) reply { return s.site.do(s.t.Context(), "POST", s.query, body) }

// later makes a request beside others.
func (s *session) later(method, body string) <-chan reply {
	c := make(chan reply, 1)
	go func() { c <- s.site.do(s.t.Context(), method, s.query, body) }()
	return c
}

// mustPost posts a body that is good.
func (s *session) mustPost(body string) {
	s.t.Helper()
	if r := s.post(body); r.status != 200 || r.body != "ok" {
		s.t.Fatalf("POST %.40q: %v", body, r)
	}
}

// mustGet waits for a payload.
func (s *session) mustGet() string {
	s.t.Helper()
	r := s.get()
	if r.status != 200 {
		s.t.Fatalf("GET: %v", r)
	}
	return r.body
}

// collect waits until the packets of polling replies, pings left out, are so many.
func (s *session) collect(n int) (packets []string) {
	s.t.Helper()
	for len(packets) < n {
		for packet := range strings.SplitSeq(s.mustGet(), "\x1e") {
			if packet != "2" {
				packets = append(packets, packet)
			} else {
				s.mustPost("3")
			}
		}
	}
	return packets
}

// mustBeGone fails unless the sid is unknown.
func (s *session) mustBeGone() {
	s.t.Helper()
	if r := s.get(); r.status != 400 {
		s.t.Errorf("GET of a session that should be gone: %v", r)
	}
}

// socket is a WebSocket.
type socket struct {
	t    *testing.T
	conn net.Conn
	in   io.Reader
}

// dial opens a WebSocket.
func (s *site) dial(t *testing.T, query string) *socket {
	t.Helper()
	c, err := s.tryDial(t, query)
	if err != nil {
		t.Fatalf("dial %s: %v", query, err)
	}
	return c
}

func (s *site) tryDial(t *testing.T, query string) (*socket, error) {
	conn, early, _, err := ws.Dial(t.Context(), s.url(query))
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	c := &socket{t: t, conn: conn, in: conn}
	if early != nil { // the server was fast
		c.in = io.MultiReader(early, conn)
	}
	return c, nil
}

// open opens a session on WebSocket and takes the handshake.
func (s *site) open(t *testing.T) *socket {
	t.Helper()
	c := s.dial(t, "EIO="+s.version+"&transport=websocket")
	decodeOpen(t, c.text())
	return c
}

func (c *socket) send(texts ...string) {
	c.t.Helper()
	for _, text := range texts {
		c.write(ws.NewTextFrame([]byte(text)))
	}
}

func (c *socket) sendBinary(data string) { c.write(ws.NewBinaryFrame([]byte(data))) }

func (c *socket) write(f ws.Frame) {
	if _, err := c.conn.Write(ws.MustCompileFrame(ws.MaskFrame(f))); err != nil {
		c.t.Logf("write: %v", err) // what became of the connection is seen by reading
	}
}

// frame returns the next frame, or how the connection ended.
func (c *socket) frame() (ws.Frame, error) {
	h, err := ws.ReadHeader(c.in)
	if err != nil {
		return ws.Frame{}, err
	}
	f := ws.Frame{Header: h, Payload: make([]byte, h.Length)} // the server is ours
	if _, err := io.ReadFull(c.in, f.Payload); err != nil {
		return f, err
	}
	if f.Header.OpCode == ws.OpClose {
		code, reason := ws.ParseCloseFrameData(f.Payload)
		return f, closed{code, reason}
	}
	return f, nil
}

// closed is a close frame.
type closed struct {
	code   ws.StatusCode
	reason string
}

func (c closed) Error() string { return fmt.Sprintf("closed with %d %q", c.code, c.reason) }

// text returns the next text; it answers pings, of version 4.
func (c *socket) text() string {
	c.t.Helper()
	for {
		f, err := c.frame()
		if err != nil {
			c.t.Fatalf("waiting for a text: %v", err)
		}
		switch {
		case f.Header.OpCode != ws.OpText:
			c.t.Fatalf("got %v %q; want a text", f.Header.OpCode, f.Payload)
		case string(f.Payload) == "2":
			c.send("3")
		default:
			return string(f.Payload)
		}
	}
}

func (c *socket) want(texts ...string) {
	c.t.Helper()
	for _, want := range texts {
		if got := c.text(); got != want {
			c.t.Fatalf("got %q; want %q", got, want)
		}
	}
}

func (c *socket) wantBinary(want string) {
	c.t.Helper()
	f, err := c.frame()
	if err != nil || f.Header.OpCode != ws.OpBinary || string(f.Payload) != want {
		c.t.Fatalf("got %v %q, %v; want binary %q", f.Header.OpCode, f.Payload, err, want)
	}
}

// wantClosed waits for the end of the connection, whatever else comes, and returns it.
func (c *socket) wantClosed() error {
	c.t.Helper()
	for {
		if _, err := c.frame(); err != nil {
			var late net.Error
			if errors.As(err, &late) && late.Timeout() {
				c.t.Fatal("the connection is still open")
			}
			return err
		}
	}
}

func TestTheProgramServesOnSevenPortsUntilItIsTold(t *testing.T) {
	base := freeBase(t)
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"--base", fmt.Sprint(base)}, in) }()
	ready := make([]byte, len("ready\n"))
	if _, err := io.ReadFull(out, ready); err != nil || string(ready) != "ready\n" {
		t.Fatalf("printed %q, %v", ready, err)
	}
	for i, s := range servers() {
		addr := fmt.Sprintf("http://127.0.0.1:%d", base+i)
		r, err := http.Get(addr + s.path + "?EIO=4&transport=polling")
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if want := map[bool]int{true: 400, false: 200}[i == rawEcho]; r.StatusCode != want {
			t.Errorf("port %d: status %d; want %d", base+i, r.StatusCode, want)
		}
		if r, err = http.Get(addr + "/elsewhere/"); err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if i != rawEcho && r.StatusCode != 404 {
			t.Errorf("port %d, another path: status %d; want 404", base+i, r.StatusCode)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestTheProgramSaysWhatIsWrong(t *testing.T) {
	busy := httptest.NewServer(http.NotFoundHandler())
	defer busy.Close()
	port := busy.Listener.Addr().(*net.TCPAddr).Port
	for _, args := range [][]string{{"--bass", "1"}, {"--base", "70000"}, {"--base", fmt.Sprint(port)}} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("run(%q) = nil; want an error", args)
		}
	}
}

// freeBase returns the first of seven ports that nobody listens on.
func freeBase(t *testing.T) int {
	t.Helper()
	for base := 21300; base < 30000; base += 100 {
		listeners, err := listen(base)
		if err != nil {
			continue
		}
		for _, l := range listeners {
			l.Close()
		}
		return base
	}
	t.Fatal("no seven ports are free")
	return 0
}

package webtransport_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	wt "github.com/quic-go/webtransport-go"
	"go.uber.org/goleak"

	"sluice/internal/lab"
	"sluice/sio"
	"sluice/sio/engine"
	"sluice/sio/webtransport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	_ webtransport.Handler = (*sio.Server)(nil)
	_ webtransport.Handler = (*engine.Server)(nil)
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// echo sends every message back.
type echo struct {
	session *engine.Session
	out     chan *engine.Prepared
	ended   chan error
}

func (e *echo) Receive(m engine.Message) error {
	back := engine.Outgoing{Data: append([]byte{}, m.Text...)}
	if m.Body != nil {
		data, err := io.ReadAll(m.Body)
		if err != nil {
			return err
		}
		back = engine.Outgoing{Binary: true, Data: data}
	}
	e.out <- engine.Prepare(back)
	e.session.Wake()
	return nil
}

func (e *echo) Next(bool) (*engine.Prepared, bool) {
	select {
	case p := <-e.out:
		return p, true
	default:
		return nil, false
	}
}

func (e *echo) Closed(err error) { e.ended <- err }

// door is a server under test.
type door struct {
	*webtransport.Server
	engine   *engine.Server
	sessions chan *echo
	addr     string
	served   chan error
	quic     *quic.Config // of clients; nil means what webtransport-go takes
}

// open opens a door to an echo server.
func open(t *testing.T, srv *engine.Server, d *webtransport.Server) *door {
	t.Helper()
	s := &door{Server: d, engine: srv, sessions: make(chan *echo, 10), served: make(chan error, 1)}
	srv.Accept = func(session *engine.Session, _ *http.Request) (engine.Receiver, error) {
		e := &echo{session: session, out: make(chan *engine.Prepared, 1000), ended: make(chan error, 1)}
		s.sessions <- e
		return e, nil
	}
	s.Handler, s.Path = srv, "/engine.io/"
	cert, _ := lab.HashedCertificate(t)
	s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.addr = serve(t, d, s.served)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown of the engine: %v", err)
		}
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
	return s
}

// serve serves a door on a free port of UDP and returns its address.
func serve(t *testing.T, d *webtransport.Server, served chan<- error) string {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		served <- d.Serve(conn)
	}()
	t.Cleanup(func() {
		d.Close()
		<-ended
	})
	return conn.LocalAddr().String()
}

// ours is the configuration of a client that takes any certificate: the server's is made by the test.
func ours() *tls.Config { return &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}} }

// connect opens a WebTransport session.
func (s *door) connect(t *testing.T, header http.Header) (*wt.Session, int, error) {
	t.Helper()
	d := &wt.Transport{TLSClientConfig: ours(), QUICConfig: s.quic}
	t.Cleanup(func() { d.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	resp, session, err := d.Dial(ctx, "https://"+s.addr+"/engine.io/", header)
	status := 0
	if resp != nil {
		status = resp.StatusCode
	}
	if err == nil {
		t.Cleanup(func() { session.CloseWithError(0, "") })
	}
	return session, status, err
}

// client is a client of Engine.IO on a stream.
type client struct {
	t *testing.T
	*wt.Stream
	session *wt.Session
	r       *bufio.Reader
}

// stream connects and opens a stream that says nothing yet.
func (s *door) stream(t *testing.T) *client {
	t.Helper()
	session, _, err := s.connect(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	str, err := session.OpenStreamSync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	str.SetDeadline(time.Now().Add(patience))
	return &client{t: t, Stream: str, session: session, r: bufio.NewReader(str)}
}

// client connects up to the open packet.
func (s *door) client(t *testing.T) *client {
	t.Helper()
	c := s.stream(t)
	c.send(false, "0")
	if binary, packet := c.receive(); binary || !strings.HasPrefix(packet, `0{"sid":"`) {
		t.Fatalf("open packet: %q", packet)
	}
	return c
}

func (c *client) send(isBinary bool, packet string) {
	c.t.Helper()
	head := []byte{byte(len(packet))}
	switch {
	case len(packet) >= 1<<16:
		head = binary.BigEndian.AppendUint64([]byte{127}, uint64(len(packet)))
	case len(packet) >= 126:
		head = binary.BigEndian.AppendUint16([]byte{126}, uint16(len(packet)))
	}
	if isBinary {
		head[0] |= 0x80
	}
	if _, err := c.Write(append(head, packet...)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) receive() (isBinary bool, packet string) {
	c.t.Helper()
	head, err := c.r.ReadByte()
	length := uint64(head & 0x7f)
	more := map[uint64]int{126: 2, 127: 8}[length]
	if err == nil && more > 0 {
		var b [8]byte
		_, err = io.ReadFull(c.r, b[8-more:])
		length = binary.BigEndian.Uint64(b[:])
	}
	data := make([]byte, length) // the server is ours
	if err == nil {
		_, err = io.ReadFull(c.r, data)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return head&0x80 != 0, string(data)
}

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

func TestMessagesComeBackOverWebTransport(t *testing.T) {
	s := open(t, &engine.Server{}, &webtransport.Server{})
	c := s.client(t)
	e := wait(t, s.sessions)
	if e.session.Transport() != "webtransport" || e.session.Request().RemoteAddr == "" || e.session.Request().TLS == nil {
		t.Errorf("transport %q, request %+v", e.session.Transport(), e.session.Request())
	}
	for _, size := range []int{0, 1, 124, 125, 126, 65535, 65536, 900_000} {
		text := "4" + strings.Repeat("x", size)
		c.send(false, text)
		if binary, got := c.receive(); binary || got != text {
			t.Errorf("%d bytes of text: %d came, binary %v", size, len(got), binary)
		}
		data := strings.Repeat("\xff", size)
		c.send(true, data)
		if binary, got := c.receive(); !binary || got != data {
			t.Errorf("%d bytes: %d came, binary %v", size, len(got), binary)
		}
	}
}

func TestAClientThatClosesIsGone(t *testing.T) {
	for name, leave := range map[string]func(c *client){
		"session":     func(c *client) { c.session.CloseWithError(0, "") },
		"stream":      func(c *client) { c.Stream.Close() },
		"reset":       func(c *client) { c.CancelWrite(7); c.CancelRead(7) },
		"with a code": func(c *client) { c.session.CloseWithError(99, "bye") },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, &engine.Server{}, &webtransport.Server{})
			leave(s.client(t))
			if err := wait(t, wait(t, s.sessions).ended); !errors.Is(err, engine.ErrTransportClose) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

func TestTheServersEndReachesTheClient(t *testing.T) {
	s := open(t, &engine.Server{}, &webtransport.Server{})
	c := s.client(t)
	e := wait(t, s.sessions)
	e.out <- engine.Prepare(engine.Outgoing{Data: []byte("last words")})
	e.session.Drain(nil)
	if _, got := c.receive(); got != "4last words" {
		t.Errorf("came %q", got)
	}
	if _, err := c.r.ReadByte(); err != io.EOF {
		t.Errorf("then %v", err)
	}
	wait(t, c.session.Context().Done())
}

func TestUnknownOriginsAreRefused(t *testing.T) {
	srv := &engine.Server{CORS: engine.CORS{Origins: []string{"https://app.example"}}}
	s := open(t, srv, &webtransport.Server{})
	for origin, want := range map[string]int{
		"https://evil.example": 403, "null": 403, "https://app.example": 200, "": 200, "https://" + s.addr: 200,
	} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		_, status, err := s.connect(t, header)
		if status != want || (err == nil) != (want == 200) {
			t.Errorf("Origin %q = %d, %v; want %d", origin, status, err, want)
		}
	}
}

func TestOtherRequestsAreRefused(t *testing.T) {
	s := open(t, &engine.Server{}, &webtransport.Server{})
	d := &wt.Transport{TLSClientConfig: ours()}
	defer d.Close()
	resp, _, err := d.Dial(t.Context(), "https://"+s.addr+"/elsewhere", nil)
	if err == nil || resp.StatusCode != 404 {
		t.Errorf("another path: %v, %v", resp, err)
	}
	header := http.Header{}
	for i := range 101 {
		header.Set(fmt.Sprint("X-Flood-", i), "1")
	}
	if _, status, err := s.connect(t, header); err == nil || status != 431 {
		t.Errorf("101 fields: %d, %v", status, err)
	}
}

func TestAnUpgradeFromPollingMovesTheSession(t *testing.T) {
	s := open(t, &engine.Server{}, &webtransport.Server{})
	get := func(query string) (int, string) {
		w := httptest.NewRecorder()
		r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://localhost/engine.io/?EIO=4&transport=polling"+query, nil)
		s.engine.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	c := s.stream(t) // the door is open
	_, hello := get("")
	if !strings.Contains(hello, `"upgrades":["websocket","webtransport"]`) {
		t.Errorf("open packet: %s", hello)
	}
	sid := strings.Split(hello, `"`)[3]
	c.send(false, `0{"sid":"`+sid+`"}`)
	c.send(false, "2probe")
	if _, got := c.receive(); got != "3probe" {
		t.Errorf("answer to the probe: %q", got)
	}
	if status, body := get("&sid=" + sid); status != 200 || body != "6" {
		t.Errorf("GET = %d %q", status, body)
	}
	c.send(false, "5")
	c.send(false, "4hello")
	if _, got := c.receive(); got != "4hello" {
		t.Errorf("came back %q", got)
	}
}

func TestSilentClientsAreCut(t *testing.T) {
	const soon = 300 * time.Millisecond
	s := open(t, &engine.Server{UpgradeTimeout: soon}, &webtransport.Server{HandshakeTimeout: soon})
	session, _, err := s.connect(t, nil) // no stream
	if err != nil {
		t.Fatal(err)
	}
	quiet := s.stream(t) // no packet
	quiet.Write(nil)
	conn, err := quic.DialAddr(t.Context(), s.addr, ours(), nil) // no session
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	wait(t, session.Context().Done())
	wait(t, quiet.session.Context().Done())
	wait(t, conn.Context().Done())
}

func TestOneConnectionCarriesOneSession(t *testing.T) {
	s := open(t, &engine.Server{}, &webtransport.Server{})
	d := &wt.Transport{}
	defer d.Close()
	config := &quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true}
	conn, err := quic.DialAddr(t.Context(), s.addr, ours(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	c, err := d.NewClientConn(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Dial(t.Context(), "https://"+s.addr+"/engine.io/", nil); err != nil {
		t.Fatal(err)
	}
	resp, _, err := c.Dial(t.Context(), "https://"+s.addr+"/engine.io/", nil)
	if err == nil || resp != nil && resp.StatusCode != 429 {
		t.Errorf("second session: %v, %v", resp, err)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	s := open(t, &engine.Server{}, &webtransport.Server{MaxConns: 2})
	first := s.client(t)
	s.client(t)
	if _, _, err := s.connect(t, nil); err == nil {
		t.Error("a third one was let in")
	}
	first.send(false, "4still here")
	if _, got := first.receive(); got != "4still here" {
		t.Errorf("came back %q", got)
	}
}

// tap is a UDP socket that looks at what arrives, and may keep to itself what goes on with a handshake.
type tap struct {
	net.PacketConn
	stall bool
	retry chan struct{} // gets something when the server sends a Retry packet; RFC 9000, section 17.2.5
}

func (p *tap) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := p.PacketConn.ReadFrom(b)
		asked := err == nil && n > 0 && b[0]&0xf0 == 0xf0
		if asked {
			select {
			case p.retry <- struct{}{}:
			default:
			}
		}
		if err != nil || asked || !p.stall {
			return n, from, err
		}
	}
}

// tapped returns what dials the door by QUIC over a socket of its own, until the test ends.
func (s *door) tapped(t *testing.T, stall bool) (dial func(context.Context) error, retry <-chan struct{}) {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{PacketConn: conn, stall: stall, retry: make(chan struct{}, 1)}
	transport := &quic.Transport{Conn: p}
	t.Cleanup(func() {
		transport.Close()
		conn.Close()
	})
	addr, err := net.ResolveUDPAddr("udp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	config := ours()
	config.NextProtos = []string{"h3"}
	return func(ctx context.Context) error {
		c, err := transport.Dial(ctx, addr, config, nil)
		if err == nil {
			c.CloseWithError(0, "")
		}
		return err
	}, p.retry
}

func TestHandshakesUnderWayAreDoubtedAndBounded(t *testing.T) {
	s := open(t, &engine.Server{}, &webtransport.Server{HandshakeTimeout: 6 * patience})
	dial, retry := s.tapped(t, false)
	if err := dial(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(retry) > 0 {
		t.Error("a single client had to prove its address")
	}
	begin, asked := s.tapped(t, true)
	ctx, cancel := context.WithCancel(t.Context())
	var beginners sync.WaitGroup
	defer beginners.Wait()
	defer cancel()
	beginning := func(n int) {
		for range n {
			beginners.Go(func() {
				var late net.Error
				for errors.As(begin(ctx), &late) && late.Timeout() { // on a busy machine packets are lost
				}
			})
		}
	}
	beginning(150)
	select {
	case <-asked:
	case <-time.After(patience):
		t.Fatal("150 handshakes that nobody goes on with, and no doubts")
	}
	if err := dial(t.Context()); err != nil {
		t.Errorf("an honest client: %v", err)
	}
	if len(retry) == 0 {
		t.Error("the honest client did not have to prove its address")
	}
	beginning(450)
	var refusal *quic.TransportError
	for until := time.Now().Add(5 * patience); ; {
		err := dial(t.Context())
		if errors.As(err, &refusal) {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("600 handshakes are under way, and of another became: %v", err)
		}
	}
	if refusal.ErrorCode != quic.ConnectionRefused {
		t.Errorf("refused by %v", refusal)
	}
}

func TestTheDoorShutsWhileHandshakesBegin(t *testing.T) {
	for range 10 {
		s := open(t, &engine.Server{}, &webtransport.Server{})
		begin, asked := s.tapped(t, true)
		ctx, cancel := context.WithCancel(t.Context())
		var beginners sync.WaitGroup
		for range 200 {
			beginners.Go(func() { begin(ctx) })
		}
		select {
		case <-asked: // they arrive
		case <-time.After(patience):
			t.Fatal("nobody was asked to prove an address")
		}
		shut := make(chan error, 1)
		go func() { shut <- s.Server.Close() }()
		select {
		case <-shut:
		case <-time.After(patience):
			t.Fatal("it does not shut")
		}
		cancel()
		beginners.Wait()
	}
}

func TestFurtherStreamsAreRefusedAndLeaveNothing(t *testing.T) {
	s := open(t, &engine.Server{}, &webtransport.Server{})
	c := s.client(t)
	flood := func(n int) {
		for range n {
			str, err := c.session.OpenStreamSync(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			str.Write([]byte("x"))
			str.CancelWrite(0)
			str.CancelRead(0)
			uni, err := c.session.OpenUniStreamSync(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			uni.Write([]byte("x"))
			uni.Close()
		}
	}
	flood(1000) // what grows once
	before := heap()
	flood(streams / 2)
	if grown := int64(heap()) - int64(before); grown > 4<<20 {
		t.Errorf("%d streams left %d bytes", streams, grown)
	}
	c.send(false, "4still here")
	if _, got := c.receive(); got != "4still here" {
		t.Errorf("came back %q", got)
	}
}

// heap returns the bytes in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestCloseDoesNotWaitForAClientThatGivesNoCredit(t *testing.T) {
	s := open(t, &engine.Server{}, &webtransport.Server{})
	c := s.client(t)
	e := wait(t, s.sessions)
	for range 10 { // the client reads nothing of it
		e.out <- engine.Prepare(engine.Outgoing{Binary: true, Data: make([]byte, 8<<20)})
	}
	e.session.Wake()
	c.send(false, "4full")
	for len(e.out) > 9 {
		runtime.Gosched()
	}
	begin := time.Now()
	s.Close()
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("Close took %v", took)
	}
	if err := wait(t, s.served); err != http.ErrServerClosed {
		t.Errorf("Serve: %v", err)
	}
	wait(t, e.ended)
}

func TestShutdownOfTheEngineEndsClientsThatGiveNoCredit(t *testing.T) {
	s := open(t, &engine.Server{}, &webtransport.Server{})
	s.quic = &quic.Config{
		EnableDatagrams: true, EnableStreamResetPartialDelivery: true,
		InitialStreamReceiveWindow: 1000, MaxStreamReceiveWindow: 1000,
		InitialConnectionReceiveWindow: 3000, MaxConnectionReceiveWindow: 3000,
	}
	s.client(t)
	e := wait(t, s.sessions)
	e.out <- engine.Prepare(engine.Outgoing{Binary: true, Data: make([]byte, 1<<20)})
	e.session.Wake()
	begin := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := s.engine.Shutdown(ctx); err != nil {
		t.Errorf("engine: %v", err)
	}
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("door: %v", err)
	}
	if took := time.Since(begin); took > 4*time.Second {
		t.Errorf("it took %v", took)
	}
	if err := wait(t, s.served); err != http.ErrServerClosed {
		t.Errorf("Serve: %v", err)
	}
}

func TestAServerThatWasClosedDoesNotServe(t *testing.T) {
	d := &webtransport.Server{Handler: &engine.Server{}, TLSConfig: &tls.Config{}}
	d.Close()
	served := make(chan error, 1)
	serve(t, d, served)
	if err := wait(t, served); err != http.ErrServerClosed {
		t.Errorf("Serve: %v", err)
	}
}

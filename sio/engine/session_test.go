package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
)

// client is one way to reach a session, so that all can be put through the same tests.
type client interface {
	send(m Outgoing)
	receive() Outgoing
}

type pollingClient struct {
	t   *testing.T
	s   *site
	sid string
	got []Outgoing
}

func (c *pollingClient) send(m Outgoing) {
	c.t.Helper()
	body := "4" + string(m.Data)
	if m.Binary {
		body = "b" + base64.StdEncoding.EncodeToString(m.Data)
	}
	if status, answer := c.s.post(c.t, c.sid, body); status != 200 {
		c.t.Fatalf("POST = %d %s", status, answer)
	}
}

func (c *pollingClient) receive() Outgoing {
	c.t.Helper()
	for len(c.got) == 0 {
		status, body := c.s.get(c.t, c.sid)
		if status != 200 {
			c.t.Fatalf("GET = %d %s", status, body)
		}
		for packet := range strings.SplitSeq(body, "\x1e") {
			switch packet[0] {
			case '4':
				c.got = append(c.got, Outgoing{Data: []byte(packet[1:])})
			case 'b':
				data, err := base64.StdEncoding.DecodeString(packet[1:])
				if err != nil {
					c.t.Fatal(err)
				}
				c.got = append(c.got, Outgoing{Binary: true, Data: data})
			}
		}
	}
	m := c.got[0]
	c.got = c.got[1:]
	return m
}

type socketClient struct{ *socket }

func (c socketClient) send(m Outgoing) {
	c.t.Helper()
	if m.Binary {
		c.write(ws.NewBinaryFrame(bytes.Clone(m.Data)))
	} else {
		c.write(ws.NewTextFrame(append([]byte("4"), m.Data...)))
	}
}

func (c socketClient) receive() Outgoing {
	c.t.Helper()
	for {
		f := c.read()
		if f.Header.OpCode == ws.OpBinary {
			return Outgoing{Binary: true, Data: f.Payload}
		}
		if f.Payload[0] == '4' {
			return Outgoing{Data: f.Payload[1:]}
		}
	}
}

// base64Client is a client on WebSocket that has no binary.
type base64Client struct{ socketClient }

func (c base64Client) send(m Outgoing) {
	c.t.Helper()
	if !m.Binary {
		c.socketClient.send(m)
		return
	}
	c.write(ws.NewTextFrame([]byte("b" + base64.StdEncoding.EncodeToString(m.Data))))
}

func (c base64Client) receive() Outgoing {
	c.t.Helper()
	text := c.text()
	if data, ok := strings.CutPrefix(text, "b"); ok {
		b, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			c.t.Fatal(err)
		}
		return Outgoing{Binary: true, Data: b}
	}
	return Outgoing{Data: []byte(text[1:])}
}

// deflateClient is a client on WebSocket that compresses.
type deflateClient struct{ socketClient }

func (c deflateClient) send(m Outgoing) {
	c.t.Helper()
	first, message := byte(fin|rsv1|opBin), m.Data
	if !m.Binary {
		first, message = fin|rsv1|opText, append([]byte("4"), m.Data...)
	}
	if _, err := c.conn.Write(raw(first, packed(c.t, message))); err != nil {
		c.t.Fatal(err)
	}
}

func (c deflateClient) receive() Outgoing {
	c.t.Helper()
	f := c.read()
	if f.Header.Rsv1() {
		b, err := wsflate.DefaultHelper.Decompress(f.Payload)
		if err != nil {
			c.t.Fatal(err)
		}
		f.Payload = b
	}
	if f.Header.OpCode == ws.OpBinary {
		return Outgoing{Binary: true, Data: f.Payload}
	}
	return Outgoing{Data: f.Payload[1:]}
}

// upgrade moves a polling session to WebSocket.
func (s *site) upgrade(t *testing.T, sid string) *socket {
	t.Helper()
	c := s.dial(t, "EIO=4&transport=websocket&sid="+sid)
	c.write(ws.NewTextFrame([]byte("2probe")))
	if text := c.text(); text != "3probe" {
		t.Fatalf("answer to the probe = %q", text)
	}
	if status, body := s.get(t, sid); status != 200 || body != "6" {
		t.Fatalf("GET after the probe = %d %q; want a noop", status, body)
	}
	c.write(ws.NewTextFrame([]byte("5")))
	return c
}

// onEveryTransport runs f with a client on each transport, plain and over TLS.
func onEveryTransport(t *testing.T, srv func() *Server, f func(t *testing.T, s *site, c client)) {
	for _, secure := range []bool{false, true} {
		for name, open := range map[string]func(t *testing.T, s *site) client{
			"polling":   func(t *testing.T, s *site) client { return &pollingClient{t: t, s: s, sid: s.polling(t)} },
			"websocket": func(t *testing.T, s *site) client { return socketClient{s.websocket(t)} },
			"upgraded":  func(t *testing.T, s *site) client { return socketClient{s.upgrade(t, s.polling(t))} },
			"websocket,b64": func(t *testing.T, s *site) client {
				c := s.dial(t, "EIO=4&transport=websocket&b64=1")
				c.text()
				return base64Client{socketClient{c}}
			},
			"stream": func(t *testing.T, s *site) client { return s.stream(t) },
			"upgraded to a stream": func(t *testing.T, s *site) client {
				c := s.moving(t, s.polling(t))
				c.packet("5")
				return c
			},
			"websocket,deflate": func(t *testing.T, s *site) client {
				c, answer := s.deflateDial(t, "permessage-deflate")
				if answer == "" {
					t.Fatal("no permessage-deflate")
				}
				return deflateClient{socketClient{c}}
			},
		} {
			if secure && name == "websocket,deflate" {
				continue // its handshake is by hand; TLS is below what is new
			}
			t.Run(fmt.Sprintf("%s,tls=%v", name, secure), func(t *testing.T) {
				srv := srv()
				srv.Deflate = &Deflate{Threshold: 1}
				s := start(t, srv, secure)
				f(t, s, open(t, s))
			})
		}
	}
}

func TestMessagesOfEveryKindAndSizeComeBack(t *testing.T) {
	srv := func() *Server { return &Server{MaxPayloadBytes: 1_400_000} } // a text that is base64 of a million bytes
	onEveryTransport(t, srv, func(t *testing.T, _ *site, c client) {
		for _, size := range []int{0, 1, 125, 126, 1000, 65535, 65536, 300_000, 999_998} {
			data := make([]byte, size)
			rand.Read(data)
			for _, m := range []Outgoing{{Binary: true, Data: data}, {Data: []byte(strings.Repeat("ü", size/2))}} {
				c.send(m)
				if got := c.receive(); got.Binary != m.Binary || !bytes.Equal(got.Data, m.Data) {
					t.Fatalf("%d bytes, binary %v: %d bytes came back, binary %v", len(m.Data), m.Binary, len(got.Data), got.Binary)
				}
			}
		}
	})
}

func TestManyMessagesKeepTheirOrder(t *testing.T) {
	onEveryTransport(t, func() *Server { return &Server{} }, func(t *testing.T, s *site, c client) {
		e := wait(t, s.sessions)
		const n = 2000
		go func() {
			for i := range n {
				e.send(Outgoing{Data: fmt.Append(nil, i)})
			}
		}()
		for i := range n {
			if got := string(c.receive().Data); got != fmt.Sprint(i) {
				t.Fatalf("message %d = %s", i, got)
			}
		}
	})
}

// "No limit" is the largest there is, to which nothing can be added.
func TestTheLargestLimitIsNone(t *testing.T) {
	onEveryTransport(t, func() *Server { return &Server{MaxPayloadBytes: math.MaxInt} }, func(t *testing.T, s *site, c client) {
		for _, m := range []Outgoing{
			{Data: []byte("short")}, {Data: bytes.Repeat([]byte("x"), 5000)}, {Binary: true, Data: make([]byte, 5000)}, {Data: []byte("end")},
		} {
			c.send(m)
			if got := c.receive(); !bytes.Equal(got.Data, m.Data) {
				t.Fatalf("came back %.40q; want %.40q", got.Data, m.Data)
			}
		}
	})
}

func TestDrainSendsWhatIsLeftBeforeItCloses(t *testing.T) {
	onEveryTransport(t, func() *Server { return &Server{} }, func(t *testing.T, s *site, c client) {
		e := wait(t, s.sessions)
		big := make([]byte, 3<<20)
		e.mu.Lock()
		e.out = append(e.out, Prepare(Outgoing{Binary: true, Data: big}), Prepare(Outgoing{Data: []byte("last words")}))
		e.mu.Unlock()
		why := errors.New("enough")
		e.session.Drain(why)
		if got := c.receive(); len(got.Data) != len(big) {
			t.Errorf("%d bytes came", len(got.Data))
		}
		if got := c.receive(); string(got.Data) != "last words" {
			t.Errorf("then came %q", got.Data)
		}
		switch c := c.(type) {
		case socketClient:
			c.closed()
			c.conn.Close()
		case base64Client:
			c.closed()
			c.conn.Close()
		case deflateClient:
			c.closed()
			c.conn.Close()
		case *streamClient:
			if got, err := c.read(); err != io.EOF {
				t.Errorf("then came %+v, %v; want the end", got, err)
			}
			c.conn.Close()
		case *pollingClient:
			if _, body := s.get(t, c.sid); body != "1" {
				t.Errorf("last GET = %q; want the close packet", body)
			}
		}
		if err := wait(t, e.ended); err != why {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestALargeMessageIsReadAsItArrives(t *testing.T) {
	s := start(t, &Server{}, false)
	c := s.websocket(t)
	e := wait(t, s.sessions)
	const size = 64 << 20
	started, read := make(chan int64, 1), make(chan error, 1)
	var before, after runtime.MemStats
	e.before = func(m Message) {
		started <- m.Size()
		runtime.ReadMemStats(&before)
		n, err := io.Copy(io.Discard, m.Body)
		runtime.ReadMemStats(&after)
		if err == nil && n != size {
			err = fmt.Errorf("%d bytes", n)
		}
		read <- err
	}
	header := ws.Header{Fin: true, OpCode: ws.OpBinary, Length: size, Masked: true, Mask: [4]byte{1, 2, 3, 4}}
	if err := ws.WriteHeader(c.conn, header); err != nil {
		t.Fatal(err)
	}
	if got := wait(t, started); got != size { // before a byte of the payload was sent
		t.Errorf("Size = %d", got)
	}
	piece := make([]byte, 1<<20)
	for range size / len(piece) {
		if _, err := c.conn.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	if err := wait(t, read); err != nil {
		t.Error(err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
		t.Errorf("%d bytes allocated to read %d", grown, size)
	}
}

func TestAnAttachmentMayFollowOnTheOtherTransport(t *testing.T) {
	s := start(t, &Server{}, false)
	sid := s.polling(t)
	if status, _ := s.post(t, sid, "4text"); status != 200 {
		t.Fatal(status)
	}
	if _, body := s.get(t, sid); body != "4text" {
		t.Fatalf("GET = %q", body)
	}
	c := socketClient{s.upgrade(t, sid)}
	c.send(Outgoing{Binary: true, Data: []byte("attachment")})
	if got := c.receive(); string(got.Data) != "attachment" {
		t.Errorf("came back %q", got.Data)
	}
	if status, _ := s.get(t, sid); status != 400 {
		t.Errorf("GET after the upgrade = %d", status)
	}
	if code := s.dial(t, "EIO=4&transport=websocket&sid="+sid).closed(); code != 0 && code != ws.StatusNoStatusRcvd {
		t.Errorf("second WebSocket closed with %d", code)
	}
	c.send(Outgoing{Data: []byte("still here")})
	if got := c.receive(); string(got.Data) != "still here" {
		t.Errorf("came back %q", got.Data)
	}
}

// slowPost is the body of a POST that the test feeds.
func slowPost(t *testing.T, s *site, sid string) (body *io.PipeWriter, done chan int) {
	r, w := io.Pipe()
	done = make(chan int, 1)
	go func() {
		defer r.Close()
		resp, err := s.Client().Post(s.URL+"/engine.io/?EIO=4&transport=polling&sid="+sid, "text/plain", r)
		if err != nil {
			done <- -1
			return
		}
		resp.Body.Close()
		done <- resp.StatusCode
	}()
	return w, done
}

func TestNoUpgradeWhileAPOSTIsBeingRead(t *testing.T) {
	s := start(t, &Server{UpgradeTimeout: 100 * time.Millisecond}, false)
	sid := s.polling(t)
	e := wait(t, s.sessions)
	reading := make(chan struct{})
	e.before = func(Message) { close(reading) }
	body, done := slowPost(t, s, sid)
	io.WriteString(body, "bAQID")
	wait(t, reading)
	c := s.dial(t, "EIO=4&transport=websocket&sid="+sid)
	c.write(ws.NewTextFrame([]byte("2probe")))
	answer := make(chan string, 1)
	go func() {
		f, err := c.frame()
		answer <- fmt.Sprint(string(f.Payload), err)
	}()
	select {
	case text := <-answer:
		t.Errorf("the probe was answered %q while a POST was being read", text)
	case <-time.After(300 * time.Millisecond): // three upgrade timeouts: the only way to see that nothing comes
	}
	io.WriteString(body, "BAUG")
	body.Close()
	if status := wait(t, done); status != 200 {
		t.Errorf("POST = %d", status)
	}
	if text := wait(t, answer); text != "3probe<nil>" {
		t.Errorf("answer to the probe = %q", text)
	}
}

func TestShutdownWaitsForNobodyWhoIsSlow(t *testing.T) {
	s := start(t, &Server{}, false)
	sid := s.polling(t)
	polled := make(chan struct{})
	go func() {
		s.get(t, sid)
		close(polled)
	}()
	body, posted := slowPost(t, s, s.polling(t))
	defer body.Close()
	io.WriteString(body, "bAQID")
	probing := s.dial(t, "EIO=4&transport=websocket&sid="+s.polling(t))
	probing.write(ws.NewTextFrame([]byte("2probe")))
	deaf := s.websocket(t)
	for range 4 {
		e := wait(t, s.sessions)
		if e.session.Transport() == "websocket" {
			e.send(Outgoing{Binary: true, Data: make([]byte, 64<<20)})
		}
	}
	_ = deaf
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := s.engine.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	wait(t, polled)
	wait(t, posted)
	if status, _, _ := s.do(t, "GET", "EIO=4&transport=polling", ""); status != 503 {
		t.Errorf("handshake after Shutdown = %d", status)
	}
}

// A client that does not read its reply has until it must answer a ping, but not beyond the end of its session.
func TestShutdownDoesNotWaitForAReplyThatIsNotRead(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			s := start(t, &Server{}, secure)
			sid := s.polling(t)
			e := wait(t, s.sessions)
			get := s.request(t, "/engine.io/?EIO=4&transport=polling&sid="+sid)
			e.send(Outgoing{Data: bytes.Repeat([]byte("x"), 16<<20)})
			if _, err := io.ReadFull(get, make([]byte, len("HTTP/1.1 200 OK"))); err != nil { // it is being written
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience/2)
			defer cancel()
			if err := s.engine.Shutdown(ctx); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
		})
	}
}

func TestAReaderThatStallsDelaysNobody(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			s := start(t, &Server{}, secure)
			s.websocket(t) // reads nothing
			stalled := wait(t, s.sessions)
			healthy := socketClient{s.websocket(t)}
			e := wait(t, s.sessions)
			shared := Prepare(Outgoing{Binary: true, Data: make([]byte, 256<<10)})
			for range 100 {
				for _, to := range []*echo{stalled, e} {
					to.mu.Lock()
					to.out = append(to.out, shared)
					to.mu.Unlock()
					to.session.Wake()
				}
				if got := healthy.receive(); len(got.Data) != 256<<10 {
					t.Fatalf("%d bytes came", len(got.Data))
				}
			}
		})
	}
}

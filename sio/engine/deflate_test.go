package engine

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"

	"sluice/internal/lab"
)

// rsv1 marks the first frame of a compressed message.
const rsv1 = 0x40

// deflateDial opens a session on WebSocket whose client offers an extension.
func (s *site) deflateDial(t *testing.T, offer string) (c *socket, answer string) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: %s\r\n\r\n", offer)
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %v, %v", resp, err)
	}
	c = &socket{t: t, conn: conn, r: r}
	c.text() // the open packet
	return c, resp.Header.Get("Sec-WebSocket-Extensions")
}

// packed is a message as a client compresses it.
func packed(t *testing.T, message []byte) string {
	t.Helper()
	b, err := wsflate.DefaultHelper.Compress(message)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// packedBomb is a message of so many MiB of the digit 4, compressed.
func packedBomb(t *testing.T, mib int) string {
	return strings.Repeat(packed(t, bytes.Repeat([]byte("4"), 1<<20))+"\x00\x00\xff\xff", mib)
}

// inflated returns the next message and whether it was compressed.
func (c *socket) inflated() (data string, compressed bool) {
	c.t.Helper()
	f := c.read()
	if f.Header.Rsv1() {
		b, err := wsflate.DefaultHelper.Decompress(f.Payload)
		if err != nil {
			c.t.Fatal(err)
		}
		return string(b), true
	}
	return string(f.Payload), false
}

func TestMessagesAreCompressedFromTheThresholdOn(t *testing.T) {
	s := start(t, &Server{Deflate: &Deflate{}}, false)
	c, answer := s.deflateDial(t, "permessage-deflate; client_max_window_bits")
	if answer != "permessage-deflate; server_no_context_takeover; client_no_context_takeover" {
		t.Errorf("answer: %q", answer)
	}
	e := wait(t, s.sessions)
	noise := make([]byte, 4000)
	rand.Read(noise)
	for _, tt := range []struct {
		name string
		m    Outgoing
		want bool
	}{
		{"small", Outgoing{Data: bytes.Repeat([]byte("a"), 1022)}, false},
		{"large", Outgoing{Data: bytes.Repeat([]byte("a"), 1023)}, true},
		{"large binary", Outgoing{Binary: true, Data: make([]byte, 1<<20)}, true},
		{"plain", Outgoing{Plain: true, Data: bytes.Repeat([]byte("a"), 5000)}, false},
		{"noise", Outgoing{Binary: true, Data: noise}, false},
	} {
		e.send(Outgoing{Data: []byte("before")}, tt.m, Outgoing{Data: []byte("after")})
		want := string(tt.m.Data)
		if !tt.m.Binary {
			want = "4" + want
		}
		if got, _ := c.inflated(); got != "4before" {
			t.Errorf("%s: before it came %.20q", tt.name, got)
		}
		if got, compressed := c.inflated(); got != want || compressed != tt.want {
			t.Errorf("%s: %d bytes came, compressed %v", tt.name, len(got), compressed)
		}
		if got, _ := c.inflated(); got != "4after" {
			t.Errorf("%s: after it came %.20q", tt.name, got)
		}
	}
}

func TestCompressionIsAgreedOnOrLeft(t *testing.T) {
	for offer, server := range map[string]*Server{
		"permessage-deflate": {},
		"permessage-bzip2":   {Deflate: &Deflate{Threshold: 1}},
	} {
		s := start(t, server, false)
		c, answer := s.deflateDial(t, offer)
		if answer != "" {
			t.Errorf("%s was answered %q", offer, answer)
		}
		wait(t, s.sessions).send(Outgoing{Data: bytes.Repeat([]byte("a"), 5000)})
		if _, compressed := c.inflated(); compressed {
			t.Errorf("%s: compressed", offer)
		}
		c.conn.Write(raw(fin|rsv1|opText, packed(t, []byte("4hello"))))
		if code := c.closed(); code != ws.StatusProtocolError {
			t.Errorf("%s: a compressed message: closed with %d", offer, code)
		}
	}
}

func TestAClientWithASmallWindowGetsThePlainCopy(t *testing.T) {
	s := start(t, &Server{Deflate: &Deflate{Threshold: 1}}, false)
	c, answer := s.deflateDial(t, "permessage-deflate; server_max_window_bits=10")
	if !strings.HasSuffix(answer, "; server_max_window_bits=10") {
		t.Errorf("answer: %q", answer)
	}
	text := strings.Repeat("4hello", 1000)
	c.conn.Write(raw(fin|rsv1|opText, packed(t, []byte(text))))
	if got, compressed := c.inflated(); got != text || compressed {
		t.Errorf("came back %.20q, compressed %v", got, compressed)
	}
}

func TestASharedMessageIsCompressedOnce(t *testing.T) {
	p := Prepare(Outgoing{Data: bytes.Repeat([]byte("a"), 5000)})
	v := variant{form: forWebSocket, deflate: 1024}
	first, second := p.as(v), p.as(v)
	if &first[0][0] != &second[0][0] {
		t.Error("compressed twice")
	}
	if plain := p.as(variant{form: forWebSocket}); len(first) != 1 || len(first[0]) >= length(plain) {
		t.Errorf("%d bytes compressed to %d", length(plain), length(first))
	}
}

func TestCompressedMessagesAreRead(t *testing.T) {
	s := start(t, &Server{Deflate: &Deflate{Threshold: 1 << 30}}, false)
	c, _ := s.deflateDial(t, "permessage-deflate")
	text := strings.Repeat("4hello", 1000)
	code := packed(t, []byte(text))
	c.conn.Write(slices.Concat(raw(rsv1|opText, code[:5]), raw(fin|opPing, "there?"), raw(opCont, code[5:9]), raw(fin|opCont, code[9:])))
	if f := c.read(); f.Header.OpCode != ws.OpPong || string(f.Payload) != "there?" {
		t.Errorf("answer to a ping: %v %q", f.Header.OpCode, f.Payload)
	}
	if got := c.text(); got != text {
		t.Errorf("came back %.20q", got)
	}
	c.conn.Write(raw(fin|rsv1|opBin, packed(t, make([]byte, 3<<20))))
	if f := c.read(); len(f.Payload) != 3<<20 {
		t.Errorf("%d bytes came back", len(f.Payload))
	}
}

func TestACompressedStreamIsInflatedAsItIsRead(t *testing.T) {
	s := start(t, &Server{Deflate: &Deflate{}}, false)
	c, _ := s.deflateDial(t, "permessage-deflate")
	e := wait(t, s.sessions)
	const size = 64 << 20
	read := make(chan int64, 1)
	var before, after runtime.MemStats
	e.onMessage(func(m Message) {
		runtime.ReadMemStats(&before)
		n, _ := io.Copy(io.Discard, m.Body)
		runtime.ReadMemStats(&after)
		read <- n
	})
	c.conn.Write(raw(fin|rsv1|opBin, packedBomb(t, size>>20)))
	if n := wait(t, read); n != size {
		t.Errorf("%d bytes came", n)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
		t.Errorf("%d bytes allocated to inflate %d", grown, size)
	}
}

func TestBombsDoNotGoOff(t *testing.T) {
	s := start(t, &Server{Deflate: &Deflate{}}, false)
	bomb := packedBomb(t, 256)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 16 {
		c, _ := s.deflateDial(t, "permessage-deflate")
		e := wait(t, s.sessions)
		c.conn.Write(raw(fin|rsv1|opText, bomb))
		if code := c.closed(); code != ws.StatusMessageTooBig {
			t.Errorf("closed with %d", code)
		}
		c.conn.Close()
		if err := wait(t, e.ended); !errors.Is(err, ErrTooLarge) {
			t.Errorf("ended with %v", err)
		}
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 16*(8<<20) {
		t.Errorf("%d bytes allocated", grown)
	}
}

func TestWhatIsLeftUnreadOfABombIsLimited(t *testing.T) {
	srv := &Server{Deflate: &Deflate{}, Accept: func(s *Session, _ *http.Request) (Receiver, error) {
		return partial{&echo{session: s, ended: make(chan error, 1)}}, nil
	}}
	s := start(t, srv, false)
	c, _ := s.deflateDial(t, "permessage-deflate")
	c.conn.Write(raw(fin|rsv1|opBin, packedBomb(t, 64)))
	if code := c.closed(); code != ws.StatusMessageTooBig {
		t.Errorf("closed with %d", code)
	}
}

func TestWhatInflatesToMuchIsNoSignOfLife(t *testing.T) {
	s := start(t, &Server{Deflate: &Deflate{}, PingInterval: 200 * time.Millisecond, PingTimeout: 200 * time.Millisecond}, false)
	c, _ := s.deflateDial(t, "permessage-deflate")
	e := wait(t, s.sessions)
	e.onMessage(func(m Message) { io.Copy(io.Discard, m.Body) })
	head := raw(fin|rsv1|opBin, packedBomb(t, 16))
	begin := time.Now()
	drip := time.NewTicker(20 * time.Millisecond)
	defer drip.Stop()
	for { // 250 bytes a second, which inflate to 250 KB
		select {
		case err := <-e.ended:
			if took := time.Since(begin); err != ErrPingTimeout || took > 5*time.Second {
				t.Errorf("ended with %v after %v; want a ping timeout after 400 ms", err, took)
			}
			return
		case <-drip.C:
		}
		if len(head) < 5 {
			t.Fatal("the session lives on")
		}
		c.conn.Write(head[:5]) // fails once the server has had enough
		head = head[5:]
	}
}

func TestHostileExtensionsAreAnsweredAtOnce(t *testing.T) {
	s := start(t, &Server{Deflate: &Deflate{}}, false)
	for _, offer := range []string{
		strings.Repeat("permessage-deflate,", 800), strings.Repeat("a;", 5000), "permessage-deflate" + strings.Repeat(";a=b", 3500),
		`permessage-deflate; a="` + strings.Repeat(`\`, 5000), strings.Repeat(",", 5000), "__proto__; constructor",
	} {
		begin := time.Now()
		s.deflateDial(t, offer)
		if took := time.Since(begin); took > time.Second { // the reading itself is measured beside the code
			t.Errorf("%.20q... took %v", offer, took)
		}
	}
}

func TestStockWebSocketClientsInflateAndDeflate(t *testing.T) {
	s := start(t, &Server{Deflate: &Deflate{Threshold: 1}}, false)
	lab.Node(t, "deflate.cjs", "URL=ws://"+s.Listener.Addr().String()+"/engine.io/?EIO=4&transport=websocket")
}

package engine

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/gobwas/ws"
)

// packets3 takes a payload of Engine.IO 3 apart.
func packets3(t *testing.T, body string, contentType string) (packets []Outgoing) {
	t.Helper()
	for len(body) > 0 {
		var packet string
		binary := false
		if contentType == bytesType {
			binary = body[0] == 1
			end := strings.IndexByte(body, 255)
			length := 0
			for _, digit := range []byte(body[1:end]) {
				length = 10*length + int(digit)
			}
			packet, body = body[end+1:end+1+length], body[end+1+length:]
		} else {
			digits, rest, _ := strings.Cut(body, ":")
			length, err := strconv.Atoi(digits)
			if err != nil {
				t.Fatalf("no length in %.40q", body)
			}
			units := utf16.Encode([]rune(rest))
			packet = string(utf16.Decode(units[:length]))
			body = rest[len(packet):]
		}
		packets = append(packets, packet3(t, packet, binary))
	}
	return packets
}

// packet3 takes a packet apart: its data begins with the type of what is no message.
func packet3(t *testing.T, packet string, binary bool) Outgoing {
	t.Helper()
	switch {
	case binary && packet[0] == binaryMessage3:
		return Outgoing{Binary: true, Data: []byte(packet[1:])}
	case strings.HasPrefix(packet, "b4"):
		data, err := base64.StdEncoding.DecodeString(packet[2:])
		if err != nil {
			t.Fatal(err)
		}
		return Outgoing{Binary: true, Data: data}
	case packet[0] == typeMessage:
		return Outgoing{Data: []byte(packet[1:])}
	}
	return Outgoing{Data: []byte("not a message: " + packet)}
}

// polling3 opens a session of Engine.IO 3.
func (s *site) polling3(t *testing.T, more string) string {
	t.Helper()
	status, body, h := s.do(t, "GET", "transport=polling"+more, "")
	_, packet, _ := strings.Cut(body, ":")
	if status != 200 || !strings.HasPrefix(packet, "0{") || h.Get("Content-Type") != payloadType {
		t.Fatalf("handshake = %d %s", status, body)
	}
	if packets3(t, body, payloadType); len(packet) == 0 {
		t.Fatal("empty")
	}
	var o open
	if err := json.Unmarshal([]byte(packet[1:]), &o); err != nil {
		t.Fatal(err)
	}
	return o.SID
}

// pollingClient3 is a client of Engine.IO 3 on polling.
type pollingClient3 struct {
	t      *testing.T
	s      *site
	sid    string
	base64 bool // it has no binary
	got    []Outgoing
}

func (c *pollingClient3) query() string { return "EIO=3&transport=polling&sid=" + c.sid }

func (c *pollingClient3) send(m Outgoing) {
	c.t.Helper()
	contentType, body := "text/plain;charset=UTF-8", ""
	switch {
	case m.Binary && c.base64:
		packet := "b4" + base64.StdEncoding.EncodeToString(m.Data)
		body = fmt.Sprint(len(packet), ":", packet)
	case m.Binary:
		contentType = bytesType
		body = "\x01" + digits3(len(m.Data)+1) + "\xff\x04" + string(m.Data)
	default:
		body = fmt.Sprint(len(utf16.Encode([]rune(string(m.Data))))+1, ":4", string(m.Data))
	}
	if status, answer, _ := c.s.do(c.t, "POST", c.query(), body, "Content-Type", contentType); status != 200 || answer != "ok" {
		c.t.Fatalf("POST of %d bytes, binary %v = %d %s", len(m.Data), m.Binary, status, answer)
	}
}

func digits3(n int) string {
	digits := []byte(strconv.Itoa(n))
	for i := range digits {
		digits[i] -= '0'
	}
	return string(digits)
}

func (c *pollingClient3) receive() Outgoing {
	c.t.Helper()
	for len(c.got) == 0 {
		status, body, h := c.s.do(c.t, "GET", c.query(), "")
		if status != 200 {
			c.t.Fatalf("GET = %d %s", status, body)
		}
		if c.base64 && h.Get("Content-Type") == bytesType {
			c.t.Fatal("bytes for a client that has none")
		}
		c.got = packets3(c.t, body, h.Get("Content-Type"))
	}
	m := c.got[0]
	c.got = c.got[1:]
	return m
}

// socketClient3 is a client of Engine.IO 3 on WebSocket.
type socketClient3 struct {
	*socket
	base64 bool
}

func (c socketClient3) send(m Outgoing) {
	c.t.Helper()
	switch {
	case m.Binary && c.base64:
		c.write(ws.NewTextFrame([]byte("b4" + base64.StdEncoding.EncodeToString(m.Data))))
	case m.Binary:
		c.write(ws.NewBinaryFrame(append([]byte{binaryMessage3}, m.Data...)))
	default:
		c.write(ws.NewTextFrame(append([]byte("4"), m.Data...)))
	}
}

func (c socketClient3) receive() Outgoing {
	c.t.Helper()
	f := c.read()
	if c.base64 && f.Header.OpCode == ws.OpBinary {
		c.t.Fatal("bytes for a client that has none")
	}
	return packet3(c.t, string(f.Payload), f.Header.OpCode == ws.OpBinary)
}

// clients3 opens a client of Engine.IO 3 on each transport, with and without binary.
func clients3(t *testing.T, f func(t *testing.T, s *site, open func() client)) {
	for name, open := range map[string]func(t *testing.T, s *site) client{
		"polling": func(t *testing.T, s *site) client {
			return &pollingClient3{t: t, s: s, sid: s.polling3(t, "&EIO=3")}
		},
		"polling,b64": func(t *testing.T, s *site) client {
			return &pollingClient3{t: t, s: s, sid: s.polling3(t, "&b64=1"), base64: true}
		},
		"websocket": func(t *testing.T, s *site) client {
			c := s.dial(t, "transport=websocket")
			if text := c.text(); !strings.HasPrefix(text, "0{") {
				t.Fatalf("handshake = %s", text)
			}
			return socketClient3{socket: c}
		},
		"websocket,b64": func(t *testing.T, s *site) client {
			c := s.dial(t, "EIO=3&transport=websocket&b64=1")
			c.text()
			return socketClient3{socket: c, base64: true}
		},
		"upgraded": func(t *testing.T, s *site) client {
			return socketClient3{socket: s.upgrade3(t, s.polling3(t, "&EIO=3"))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, &Server{AllowEIO3: true}, false)
			f(t, s, func() client { return open(t, s) })
		})
	}
}

// upgrade3 moves a session of Engine.IO 3 to WebSocket.
func (s *site) upgrade3(t *testing.T, sid string) *socket {
	t.Helper()
	c := s.dial(t, "EIO=3&transport=websocket&sid="+sid)
	c.write(ws.NewTextFrame([]byte("2probe")))
	if text := c.text(); text != "3probe" {
		t.Fatalf("answer to the probe = %q", text)
	}
	if status, body, _ := s.do(t, "GET", "EIO=3&transport=polling&sid="+sid, ""); status != 200 || body != "1:6" {
		t.Fatalf("GET after the probe = %d %q; want a noop", status, body)
	}
	c.write(ws.NewTextFrame([]byte("5")))
	return c
}

func TestMessagesOfEngineIO3ComeBack(t *testing.T) {
	clients3(t, func(t *testing.T, s *site, open func() client) {
		c := open()
		if got := wait(t, s.sessions).session.Protocol(); got != 3 {
			t.Errorf("Protocol = %d", got)
		}
		for _, size := range []int{0, 1, 124, 125, 126, 1000, 65535, 65536, 300_000} {
			data := bytes.Repeat([]byte{0, 255, 30, ':', 4}, size/5+1)[:size]
			for _, m := range []Outgoing{{Binary: true, Data: data}, {Data: []byte(strings.Repeat("ü€𝄞", size/9))}} {
				c.send(m)
				if got := c.receive(); got.Binary != m.Binary || !bytes.Equal(got.Data, m.Data) {
					t.Fatalf("%d bytes, binary %v: %d bytes came back, binary %v", len(m.Data), m.Binary, len(got.Data), got.Binary)
				}
			}
		}
	})
}

func TestTextAndBinaryShareAReplyOfEngineIO3(t *testing.T) {
	for _, b64 := range []string{"", "&b64=1"} {
		s := start(t, &Server{AllowEIO3: true}, false)
		c := &pollingClient3{t: t, s: s, sid: s.polling3(t, b64), base64: b64 != ""}
		e := wait(t, s.sessions)
		want := []Outgoing{{Data: []byte("wörld 𝄞")}, {Binary: true, Data: []byte{1, 2, 3}}, {Data: []byte("end")}}
		e.mu.Lock()
		e.out = append(e.out, Prepare(want[:2]...), Prepare(want[2:]...))
		e.mu.Unlock()
		for i, m := range want {
			if got := c.receive(); got.Binary != m.Binary || !bytes.Equal(got.Data, m.Data) {
				t.Errorf("packet %d = %q", i, got.Data)
			}
		}
	}
}

func TestClientsOfEngineIO3PingAndAreAnswered(t *testing.T) {
	clients3(t, func(t *testing.T, _ *site, open func() client) {
		switch c := open().(type) {
		case *pollingClient3:
			for _, ping := range []string{"1:2", "6:2probe"} {
				if status, _, _ := c.s.do(t, "POST", c.query(), ping); status != 200 {
					t.Errorf("POST = %d", status)
				}
				if _, body, _ := c.s.do(t, "GET", c.query(), ""); body != "1:3" {
					t.Errorf("GET after %q = %q; want a pong", ping, body)
				}
			}
		case socketClient3:
			c.write(ws.NewTextFrame([]byte("2")))
			if text := c.text(); text != "3" {
				t.Errorf("answer to a ping = %q", text)
			}
		}
	})
}

func TestAClientOfEngineIO3ThatDoesNotPingIsClosed(t *testing.T) {
	s := start(t, &Server{AllowEIO3: true, PingInterval: 300 * time.Millisecond, PingTimeout: 200 * time.Millisecond}, false)
	c := s.dial(t, "EIO=3&transport=websocket")
	begin := time.Now()
	c.text()
	if f, err := c.frame(); err == nil && f.Header.OpCode != ws.OpClose {
		t.Errorf("came %q; nobody else pings", f.Payload)
	}
	if after := time.Since(begin); after < 400*time.Millisecond || after > patience/2 {
		t.Errorf("closed after %v", after)
	}
	if err := wait(t, wait(t, s.sessions).ended); err != ErrPingTimeout {
		t.Errorf("ended with %v", err)
	}
}

func TestPongsOfEngineIO3GoFromServerToClient(t *testing.T) {
	s := start(t, &Server{AllowEIO3: true}, false)
	c := s.dial(t, "EIO=3&transport=websocket")
	c.write(ws.NewTextFrame([]byte("3")))
	if code := c.closed(); code != ws.StatusProtocolError {
		t.Errorf("closed with %d", code)
	}
}

func TestMalformedBodiesOfEngineIO3EndTheSession(t *testing.T) {
	for _, tt := range []struct{ kind, body string }{
		{"text/plain", ""}, {"text/plain", "abc"}, {"text/plain", "4"}, {"text/plain", ":4a"}, {"text/plain", "3:4a"},
		{"text/plain", "-1:4"}, {"text/plain", "1e1:4"}, {"text/plain", "9999999999999999:4"}, {"text/plain", "2:4𝄞"},
		{"text/plain", "2:4\xff"}, {"text/plain", "2:9a"}, {"text/plain", "5:b4AQI"}, {"text/plain", "6:b4!!!!"},
		{"text/plain", "6:b1AQID"}, {"text/plain", "1:b"}, {"text/plain", "2:4a3"},
		{bytesType, ""}, {bytesType, "\x00"}, {bytesType, "\x00\xff"}, {bytesType, "\x00\x02\xff4"}, {bytesType, "\x02\x01\xff4"},
		{bytesType, "\x00\x0a\xff4"}, {bytesType, "\x01\x02\xff\x02a"}, {bytesType, "\x01\x03\xff\x04a"}, {bytesType, "\x00\x00\xff"},
		{bytesType, "\x00" + strings.Repeat("\x09", 400) + "\xff"},
	} {
		s := start(t, &Server{AllowEIO3: true}, false)
		sid := s.polling3(t, "")
		if status, answer, _ := s.do(t, "POST", "transport=polling&sid="+sid, tt.body, "Content-Type", tt.kind); status != 400 {
			t.Errorf("POST %q = %d %s", tt.body, status, answer)
		}
		var breach *ProtocolError
		if err := wait(t, wait(t, s.sessions).ended); !errors.As(err, &breach) {
			t.Errorf("POST %q ended the session with %v", tt.body, err)
		}
	}
}

func TestLimitsHoldForEngineIO3(t *testing.T) {
	s := start(t, &Server{AllowEIO3: true, MaxPayloadBytes: 100}, false)
	sid := s.polling3(t, "")
	query := "transport=polling&sid=" + sid
	if status, _, _ := s.do(t, "POST", query, "97:4"+strings.Repeat("a", 96)); status != 200 {
		t.Errorf("100 bytes = %d", status)
	}
	if status, body, _ := s.do(t, "POST", query, "51:4"+strings.Repeat("ü", 50)); status != 413 || body != "" {
		t.Errorf("104 bytes = %d %q", status, body)
	}
	sid = s.polling3(t, "")
	if status, _, _ := s.do(t, "POST", "transport=polling&sid="+sid, strings.Repeat("0:", 60)); status != 413 {
		t.Errorf("60 times nothing = %d", status)
	}
	c := s.dial(t, "transport=websocket")
	c.write(ws.NewTextFrame([]byte("4" + strings.Repeat("a", 100))))
	if code := c.closed(); code != ws.StatusMessageTooBig {
		t.Errorf("closed with %d", code)
	}
}

func TestBinaryWithoutATypeIsNoPacketOfEngineIO3(t *testing.T) {
	for _, payload := range []string{"", "\x02", "\x05abc", "4"} {
		s := start(t, &Server{AllowEIO3: true}, false)
		c := s.dial(t, "transport=websocket")
		c.write(ws.NewBinaryFrame([]byte(payload)))
		if code := c.closed(); code != ws.StatusProtocolError {
			t.Errorf("%q: closed with %d", payload, code)
		}
	}
}

func TestALargeMessageOfEngineIO3IsReadAsItArrives(t *testing.T) {
	s := start(t, &Server{AllowEIO3: true}, false)
	const size = 16 << 20
	read := make(chan string, 1)
	stream := func(m Message) {
		if m.Body != nil {
			n, err := io.Copy(io.Discard, m.Body)
			read <- fmt.Sprint(m.Size(), n, err)
		}
	}
	c := s.dial(t, "EIO=3&transport=websocket")
	wait(t, s.sessions).onMessage(stream)
	c.write(ws.NewBinaryFrame(append([]byte{binaryMessage3}, make([]byte, size)...)))
	if got := wait(t, read); got != fmt.Sprint(size, size, nil) {
		t.Errorf("over WebSocket: %s", got)
	}
	for _, base64 := range []bool{false, true} {
		p := &pollingClient3{t: t, s: s, sid: s.polling3(t, ""), base64: base64}
		wait(t, s.sessions).onMessage(stream)
		p.send(Outgoing{Binary: true, Data: make([]byte, size)})
		if got := wait(t, read); got != fmt.Sprint(-1, size, nil) {
			t.Errorf("over polling, base64 %v: %s", base64, got)
		}
	}
}

func TestVersionsAreNotMixed(t *testing.T) {
	s := start(t, &Server{AllowEIO3: true}, false)
	if status, _, _ := s.do(t, "GET", "EIO=5&transport=polling", ""); status != 400 {
		t.Errorf("EIO=5 = %d", status)
	}
	three, four := s.polling3(t, ""), s.polling(t)
	if status, _, _ := s.do(t, "GET", "EIO=4&transport=polling&sid="+three, ""); status != 400 {
		t.Errorf("EIO=4 on a session of 3 = %d", status)
	}
	if status, _, _ := s.do(t, "GET", "transport=polling&sid="+four, ""); status != 400 {
		t.Errorf("no EIO on a session of 4 = %d", status)
	}
}

func TestAPollingSessionOfEngineIO3EndsAsItsClientsExpect(t *testing.T) {
	s := start(t, &Server{AllowEIO3: true}, false)
	sid := s.polling3(t, "")
	got := make(chan string, 1)
	go func() {
		_, body, _ := s.do(t, "GET", "transport=polling&sid="+sid, "")
		got <- body
	}()
	awaitPoll(wait(t, s.sessions).session)
	if status, _, _ := s.do(t, "POST", "transport=polling&sid="+sid, "1:1"); status != 200 {
		t.Errorf("POST = %d", status)
	}
	if body := wait(t, got); body != "1:6" {
		t.Errorf("GET = %q; want a noop", body)
	}
	sid = s.polling3(t, "")
	wait(t, s.sessions).session.Close(nil)
	if _, body, _ := s.do(t, "GET", "transport=polling&sid="+sid, ""); body != "1:1" {
		t.Errorf("GET = %q; want a close packet", body)
	}
}

func FuzzPayload3Reader(f *testing.F) {
	for _, s := range []string{"2:4a6:b4AQID", "0:", "3:4𝄞", "6:b4AQ=="} {
		f.Add(s, false)
	}
	for _, s := range []string{"\x00\x02\xff4a\x01\x03\xff\x04ab", "\x00\x06\xffb4AQID"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, body string, kind bool) {
		const limit = 100
		p := newPayload3Reader(strings.NewReader(body), kind, int64(len(body)), limit)
		for {
			kind, err := p.next()
			switch {
			case err != nil:
			case kind == typeBinary:
				_, err = io.ReadAll(p)
			default:
				_, err = p.rest()
			}
			if p.counted > limit && err == nil {
				t.Fatalf("%d bytes passed a limit of %d", p.counted, limit)
			}
			if err != nil {
				return
			}
		}
	})
}
